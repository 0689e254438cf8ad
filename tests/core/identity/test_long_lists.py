"""Lists of accounts and of their events that grow: by page, with the same queries whatever their length."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test.utils import CaptureQueriesContext

from parvis.core import clock
from parvis.core.identity import addresses, suspension
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.core.identity.life import browser_of, citizen

pytestmark = pytest.mark.django_db
ADMINISTRATION = "/o/juvignac/administration/"
EVENTS = "/mon-compte/evenements/"


@pytest.fixture
def administrator(agent_client, juvignac):
    return agent_client(juvignac, "administrateur", family_name="Administre")


@pytest.fixture
def staff(juvignac):
    """``staff(first, last)``: agents of Juvignac of these numbers, each with an application and recovery codes."""

    def make(first, last):
        for number in range(first, last):
            email = f"agent{number}@juvignac.test"
            account = Account.objects.create_user(email, given_name="Sacha", family_name=f"Guichet {number:03}")
            TOTP.activate(account, "A" * 32)
            RecoveryCodes.activate(account)
            with acting_for(juvignac):
                Mandate.objects.create(organisation=juvignac, account=account, role="lecteur", start="2019-01-01")

    return make


def happened(account, number):
    with identity_of(account.pk):
        SecurityEvent.objects.bulk_create(
            SecurityEvent(at=clock.now() - timedelta(seconds=i), event="user.login", account=account)
            for i in range(number)
        )


def all_pages(client, address):
    """The rows of every page of a list, first to last."""
    rows, at = [], address
    while at:
        page = client.get(at).context["page"]
        rows += getattr(page, "accounts", None) or page.rows
        at = f"{address}?apres={page.next}" if page.next else ""
    return rows


@pytest.mark.parametrize("page", ["second-facteur/", "comptes/"])
def test_people_are_shown_by_page_at_the_cost_of_one(administrator, staff, page, monkeypatch):
    def deciphered(*args):
        raise AssertionError("a list deciphers nothing")

    monkeypatch.setattr("parvis.core.authentication.factors.Authenticator.wrap", deciphered)
    administrator.get(ADMINISTRATION + page)  # what is read once for the process
    costs = []
    for first, last in ((0, 1), (1, 60)):
        staff(first, last)
        with CaptureQueriesContext(connection) as captured:
            answer = administrator.get(ADMINISTRATION + page)
        costs.append(len(captured))
    assert costs[0] == costs[1]
    assert len(answer.context["page"].rows) == 50
    shown = [account.family_name for account in all_pages(administrator, ADMINISTRATION + page)]
    assert shown == ["Administre", *(f"Guichet {number:03}" for number in range(60))]


@pytest.mark.parametrize("page", ["second-facteur/", "comptes/"])
def test_somebody_is_found_by_name(administrator, staff, page):
    staff(0, 3)
    found = administrator.get(f"{ADMINISTRATION}{page}?q=guichet+002").context["page"].rows
    assert [account.family_name for account in found] == ["Guichet 002"]


def test_ones_own_events_are_read_by_key():
    account = citizen()
    client = browser_of(account)
    happened(account, 120)
    with CaptureQueriesContext(connection) as captured:
        seen = all_pages(client, EVENTS)
    assert len({row.pk for row in seen}) == len(seen) == 120
    asked = [q["sql"] for q in captured if 'FROM "identity_securityevent"' in q["sql"]]
    assert len(asked) == 3
    assert not any("OFFSET" in sql or "COUNT(" in sql for sql in asked)


def test_an_account_is_found_by_its_address_through_an_index(administrator):
    account, looks = citizen(), []

    def look(execute, sql, params, many, context):
        if 'FROM "identity_account"' in sql:
            looks.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        assert addresses.account_at(account.email) == account
        assert suspension.find_citizen(account.email.upper(), by=administrator.account) == account
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql, params in looks:
            # Without its order: a table so small may as well be read along its key, as one of citizens would not.
            cursor.execute(f"EXPLAIN {sql.partition(' ORDER BY ')[0]}", params)
            assert re.search(r"Index Cond: [^']*\bemail\b", str(cursor.fetchall())), sql
    assert len(looks) == 2
