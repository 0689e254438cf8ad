"""The security events of an organisation's people: who reads what, by which filters, at which cost."""

from datetime import date, timedelta
from importlib import import_module
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from parvis.core import clock
from parvis.core.identity import people_events
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.core.identity.life import citizen

pytestmark = pytest.mark.django_db
PAGE = "/o/juvignac/administration/comptes/evenements/"


@pytest.fixture
def administrator(agent_client, juvignac):
    return agent_client(juvignac, "administrateur", given_name="Alix", family_name="Administre")


@pytest.fixture
def agent(account_for, juvignac):
    return account_for(juvignac, "secretaire", given_name="Sacha", family_name="Guichet")


def seen_by(organisation):
    with acting_for(organisation):
        return list(SecurityEvent.objects.order_by("at").values_list("event", flat=True))


# --- what the database shows ----------------------------------------------------------------------------------
def test_an_organisation_sees_what_happens_to_its_people_and_not_to_others(agent, account_for, juvignac, fabregues):
    audit("user.login", account=agent)
    audit("user.login", account=citizen())
    audit("user.mfa.enrol", account=account_for(fabregues, "dgs"))
    assert seen_by(juvignac) == ["user.login"]


def test_it_sees_the_time_of_the_mandate_only(agent, juvignac, frozen_clock):
    with acting_for(juvignac):
        Mandate.objects.filter(account=agent).update(start="2019-06-01", end="2019-06-30")
    for day, event in (("2019-05-31T23:59", "user.login"), ("2019-06-01T00:01", "user.logout"),
                       ("2019-06-30T23:59", "user.mfa.enrol"), ("2019-07-01T00:01", "user.export")):  # fmt: skip
        frozen_clock(f"{day}+02:00")
        audit(event, account=agent)
    assert seen_by(juvignac) == ["user.logout", "user.mfa.enrol"]


def test_a_mandate_moved_back_shows_nothing_of_before_it_was_given(agent, juvignac, frozen_clock):
    frozen_clock("2019-05-31T10:00+02:00")
    audit("user.login", account=agent)
    frozen_clock("2019-06-01T10:00+02:00")
    with acting_for(juvignac):
        Mandate.objects.filter(account=agent).delete()
        Mandate.objects.create(
            organisation=juvignac, account=agent, role="elu", start="2019-06-10", given_at=clock.now()
        )
        Mandate.objects.filter(account=agent).update(start="2010-01-01")
    audit("user.logout", account=agent)
    assert seen_by(juvignac) == ["user.logout"]


def test_the_instant_a_mandate_was_given_never_changes(agent, juvignac):
    with acting_for(juvignac), pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Mandate.objects.filter(account=agent).update(given_at="2010-01-01T00:00+01:00")


def test_a_mandate_older_than_the_column_takes_the_instant_from_the_journal(superuser_url):
    """``FROM_JOURNAL`` of the migration, on a mandate that the journal knows and on one that it does not."""
    migration = import_module("parvis.core.identity.migrations.0007_mandate_given_at")
    with psycopg.connect(superuser_url) as superuser, superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL session_replication_role = replica")
        for number in (1, 2):
            superuser.execute(
                "INSERT INTO identity_mandate"
                " (id, organisation_id, account_id, role, title, staff_number, start, given_at)"
                " VALUES (%s, 990001, %s, 'elu', '', '', '2010-01-01', '2026-01-01')",
                [UUID(int=number), number],
            )
        for seq, day in enumerate(("2019-03-01", "2019-04-01"), 1):
            superuser.execute(
                "INSERT INTO journal_entry (id, organisation_id, seq, ts, action, actor_kind, actor_id, subject_kind,"
                " subject_id, sha256, details, prev, leaf)"
                " VALUES (%s, 990001, %s, %s, 'mandat.ouvert', 'system', '', 'mandat', %s, '', '{}', '', '')",
                [UUID(int=seq), seq, day, str(UUID(int=1))],
            )
        superuser.execute(migration.FROM_JOURNAL)
        given = superuser.execute("SELECT given_at::date FROM identity_mandate ORDER BY id").fetchall()
    assert given == [(date(2019, 3, 1),), (date(2026, 1, 1),)]


def test_it_sees_neither_what_another_one_wrote_nor_the_sites_of_its_people(agent, account_for, juvignac, fabregues):
    account_for(fabregues, "secretaire", email=agent.email)
    audit("manager.role.membership.grant", account=agent, organisation=fabregues)
    audit("user.service.sso", account=agent, client="site.autre.test")
    assert seen_by(juvignac) == []
    assert seen_by(fabregues) == ["manager.role.membership.grant"]


def test_it_changes_none_of_what_it_sees(agent, juvignac):
    audit("user.login", account=agent)
    with acting_for(juvignac):
        assert SecurityEvent.objects.update(outcome="failure") == 0
        assert SecurityEvent.objects.all().delete()[0] == 0


# --- the page -------------------------------------------------------------------------------------------------
def test_the_page_names_the_person_the_event_and_the_place(administrator, agent):
    audit("user.login.failure", account=agent, outcome="failure")
    page = administrator.get(PAGE).content.decode()
    for text in ("Sacha Guichet", "Échec de connexion", "refusé"):
        assert text in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"user.login", "user.mfa.enrol"}),
        ("?q=guichet", {"user.login"}),
        ("?q=GUICHET+sacha", {"user.login"}),
        ("?q=personne", set()),
        ("?type=moyens", {"user.mfa.enrol"}),
        ("?type=inconnu", {"user.login", "user.mfa.enrol"}),
        ("?du=2019-06-25", {"user.mfa.enrol"}),
        ("?du=&au=2019-06-24", {"user.login"}),
        ("?du=n%27importe&au=0000", {"user.login", "user.mfa.enrol"}),
        ("?du=9999-12-31&au=9999-12-31", set()),
        ("?q=%00", {"user.login", "user.mfa.enrol"}),
        ("?apres=x&avant=y", {"user.login", "user.mfa.enrol"}),
    ],
)
def test_filters(administrator, agent, frozen_clock, query, found):
    frozen_clock("2019-06-24T23:30+02:00")
    audit("user.login", account=agent)
    frozen_clock("2019-06-25T00:30+02:00")
    audit("user.mfa.enrol", account=administrator.account)
    answer = administrator.get(PAGE + query)
    assert answer.status_code == 200
    assert {row.event for row, *_ in answer.context["lines"]} == found


def test_without_a_choice_the_last_thirty_days_are_shown(administrator, agent, frozen_clock):
    frozen_clock("2019-06-24T10:00+02:00")
    audit("user.login", account=agent)
    frozen_clock("2019-07-25T10:00+02:00")
    assert administrator.get(PAGE).context["lines"] == []
    assert len(administrator.get(PAGE + "?du=").context["lines"]) == 1


def many(agent, number):
    """Events of one agent, a second apart, the last one now."""
    with identity_of(agent.pk):
        SecurityEvent.objects.bulk_create(
            SecurityEvent(at=clock.now() - timedelta(seconds=i), event="user.login", account=agent)
            for i in range(number)
        )


def test_pages_follow_one_another_without_loss(administrator, agent):
    many(agent, 120)
    seen, address = [], PAGE
    while address:
        page = administrator.get(address).context["page"]
        seen += [row.pk for row in page.rows]
        address = f"{PAGE}?apres={page.next}" if page.next else ""
    assert len(seen) == len(set(seen)) == 120


def test_a_long_list_asks_no_more_queries_than_a_short_one(administrator, agent):
    administrator.get(PAGE)  # the reading is written once a day
    counts = []
    for number in (1, 60):
        many(agent, number)
        with CaptureQueriesContext(connection) as captured:
            administrator.get(PAGE)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_list_is_read_by_its_indexes(administrator, agent, juvignac):
    many(agent, 3)
    with acting_for(juvignac), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = people_events.events_of(juvignac, people_events.Choice(since=clock.today()))
        plan = rows.order_by("-at", "-pk")[:51].explain()
    assert "Seq Scan on identity_securityevent" not in plan
    assert "securityevent_" in plan


def test_reading_is_written_once_a_day_for_each_reader(administrator, agent_client, juvignac, frozen_clock):
    other = agent_client(juvignac, "administrateur", email="seconde@juvignac.test")
    frozen_clock("2019-06-24T10:00+02:00")
    for client in (administrator, administrator, other):
        client.get(PAGE)
    frozen_clock("2019-06-25T10:00+02:00")
    administrator.get(PAGE)
    with acting_for(juvignac):
        readers = list(Entry.objects.filter(action="evenements.consultes").values_list("actor_id", flat=True))
    mine = str(administrator.account.pk)
    assert readers == [mine, str(other.account.pk), mine]


@pytest.mark.parametrize("role", ["secretaire", "chef_service", "dpo"])
def test_others_do_not_read_it(agent_client, juvignac, role):
    client = agent_client(juvignac, role)
    for page in (PAGE, PAGE + "export.csv"):
        assert client.get(page).status_code == 403


# --- the table to download ------------------------------------------------------------------------------------
@pytest.mark.parametrize("extension", ["csv", "ods"])
def test_the_table_has_what_the_filters_keep_and_the_log_says_who_took_it(administrator, agent, juvignac, extension):
    audit("user.login", account=agent)
    audit("user.mfa.enrol", account=agent)
    answer = administrator.get(f"{PAGE}export.{extension}?type=connexions")
    content = b"".join(answer.streaming_content)
    if extension == "csv":
        assert b"Sacha Guichet" in content
        assert b"user.login" in content
        assert b"user.mfa.enrol" not in content
    with acting_for(juvignac):
        taken = SecurityEvent.objects.get(event="manager.export")
    assert (taken.actor, taken.data) == (administrator.account, {"kind": "events", "format": extension})


def test_the_table_asks_for_a_fresh_proof(administrator):
    session = administrator.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1000}]
    session.save()
    assert "/mon-compte/securite/confirmer/" in administrator.get(PAGE + "export.csv")["Location"]


def test_no_other_extension_exists(administrator):
    assert administrator.get(PAGE + "export.exe").status_code == 404


def test_a_name_that_a_spreadsheet_would_run_is_inert(administrator, agent):
    Account.objects.filter(pk=agent.pk).update(given_name="=1+1", family_name="")
    audit("user.login", account=agent)
    assert b"'=1+1" in b"".join(administrator.get(PAGE + "export.csv").streaming_content)
