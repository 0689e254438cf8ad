"""Deletion and dormancy: nobody loses a pending request, nothing of a person stays, the proof names nobody."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection
from django.test import Client

from parvis.core import clock
from parvis.core.identity import addresses, closing, deletion, dormancy, profile, retention
from parvis.core.identity.models import NO_ADDRESS, Account, Link, ProfileAttribute, SecurityEvent, Tombstone
from parvis.core.organisations.tenancy import identity_of
from tests.core.identity.life import browser_of, citizen, link_in, outbox  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = citizen(family_name="Introuvable")
    profile.declare(account, {"nom_naissance": "Introuvable", "telephone_mobile": "06 12 34 56 78"})
    return account


@pytest.fixture
def open_request(account):
    """Something still open for the account, as a package would declare it."""
    open_ones = [closing.Hold("Place en crèche", "Commune de Juvignac", "/espace/demandes/1/")]
    holds = lambda asked: open_ones if asked == account else []  # noqa: E731
    closing.register_hold(holds)
    yield open_ones
    closing.unregister_hold(holds)


def link_of_deletion(account, run_jobs, outbox) -> str:  # noqa: F811
    assert browser_of(account).post("/mon-compte/suppression/").status_code == 302
    run_jobs()
    return link_in(outbox[-1])


def test_a_deleted_account_is_closed_at_once_then_emptied(account, run_jobs, outbox):  # noqa: F811
    TOTP.activate(account, generate_totp_secret())
    elsewhere = browser_of(account)
    path = link_of_deletion(account, run_jobs, outbox)
    assert account.email in Client().get(path).content.decode()
    assert Account.objects.get(pk=account.pk).is_active
    told = []
    closing.account_closing.connect(lambda account, **rest: told.append(account.pk), weak=False, dispatch_uid="test")
    answer = Client().post(path)
    assert answer["Location"] == f"{path}attestation/"
    assert elsewhere.get("/mon-compte/").status_code == 302
    assert "en cours" in Client().get(answer["Location"]).content.decode()
    run_jobs()
    closing.account_closing.disconnect(dispatch_uid="test")
    assert told == [account.pk]
    account.refresh_from_db()
    assert (account.full_name, account.is_active, account.email_verified_at) == ("Compte supprimé", False, None)
    assert account.email.endswith("@supprime.invalid")
    assert not account.authenticator_set.exists()
    with identity_of(account.pk):
        assert not ProfileAttribute.objects.exists()
    stone = Tombstone.objects.get()
    assert stone.email_digest == addresses.digest("camille@exemple.test")
    receipt = Client().get(answer["Location"]).content.decode()
    assert stone.reference in receipt
    assert "Données du profil" in receipt
    assert outbox[-1].to == ["camille@exemple.test"]
    assert stone.reference in outbox[-1].body
    assert "conservé" in outbox[-1].body


def test_nothing_of_the_person_stays_in_the_database(account, run_jobs, outbox, superuser_url):  # noqa: F811
    Client().post(link_of_deletion(account, run_jobs, outbox))
    run_jobs()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND (table_name LIKE 'identity_%%' OR table_name LIKE 'account_%%'"
            " OR table_name LIKE 'journal_%%' OR table_name = 'procrastinate_jobs')"
        )
        columns = cursor.fetchall()
    with identity_of(account.pk), connection.cursor() as cursor:
        for table, column in columns:
            cursor.execute(f'SELECT count(*) FROM {table} WHERE "{column}"::text ILIKE ANY (%s)',
                           [["%introuvable%", "%camille@exemple%", "%612345678%"]])  # fmt: skip
            assert cursor.fetchone() == (0,), (table, column)


def test_the_same_address_may_open_an_account_again(account, run_jobs, outbox):  # noqa: F811
    Client().post(link_of_deletion(account, run_jobs, outbox))
    run_jobs()
    Client().post("/inscription/", {"email": "camille@exemple.test"})
    run_jobs()
    assert link_in(outbox[-1]).startswith("/inscription/")


def test_nothing_is_deleted_while_a_request_is_open(account, run_jobs, outbox, open_request):  # noqa: F811
    page = browser_of(account).get("/mon-compte/suppression/").content.decode()
    assert "Place en crèche" in page
    assert "Recevoir le lien" not in page
    browser_of(account).post("/mon-compte/suppression/")
    run_jobs()
    assert outbox == []
    kept = open_request.pop()
    path = link_of_deletion(account, run_jobs, outbox)
    open_request.append(kept)  # a request made after the link was sent
    answer = Client().post(path)
    assert answer.status_code == 410
    assert "Place en crèche" in answer.content.decode()
    assert Account.objects.get(pk=account.pk).is_active
    open_request.clear()
    assert Client().post(path).status_code == 302  # the link was not spent


def test_an_agent_in_office_cannot_leave_alone(agent_client, juvignac, run_jobs, outbox):  # noqa: F811
    client = agent_client(juvignac, "secretaire")
    client.post("/mon-compte/suppression/")
    run_jobs()
    assert outbox == []
    assert client.account.is_active


def test_an_operator_does_not_leave_the_platform_without_hands(account, run_jobs, outbox):  # noqa: F811
    account.is_platform_administrator = True
    with pytest.raises(deletion.DeletionRefused, match="exploitant"):
        deletion.ask(account)
    assert not Link.objects.filter(account=account).exists()


def test_the_link_ends_after_two_days_and_serves_once(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+02:00")
    path = link_of_deletion(account, run_jobs, outbox)
    frozen_clock("2019-06-26T10:00+02:00")
    assert Client().post(path).status_code == 410
    frozen_clock("2019-06-26T09:59+02:00")
    assert Client().post(path).status_code == 302
    assert Client().post(path).status_code == 410
    assert Tombstone.objects.count() == 1


def test_an_old_proof_of_identity_is_asked_again(account, run_jobs, outbox):  # noqa: F811
    assert browser_of(account, proved=3600).post("/mon-compte/suppression/").status_code == 303
    run_jobs()
    assert outbox == []


def test_a_receipt_is_read_with_its_link_only(account, run_jobs, outbox):  # noqa: F811
    path = link_of_deletion(account, run_jobs, outbox)
    assert Client().get(f"{path}attestation/").status_code == 404  # nothing is deleted yet
    assert Client().get(f"/mon-compte/suppression/{'a' * 43}/attestation/").status_code == 404


def test_a_purge_that_runs_twice_does_its_work_once(account, run_jobs, outbox):  # noqa: F811
    from parvis.core.identity import deletion

    Client().post(link_of_deletion(account, run_jobs, outbox))
    run_jobs()
    stone, mails = Tombstone.objects.get(), len(outbox)
    deletion.purge(str(stone.pk))
    run_jobs()
    assert len(outbox) == mails
    assert Tombstone.objects.get().erased == stone.erased


def test_the_events_of_a_deleted_account_keep_no_name(account, run_jobs, outbox):  # noqa: F811
    Client().post(link_of_deletion(account, run_jobs, outbox))
    run_jobs()
    with identity_of(account.pk):
        events = list(SecurityEvent.objects.values_list("event", flat=True))
    assert "user.deletion" in events


def test_tombstones_and_links_are_forgotten_in_their_time(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+02:00")
    Client().post(link_of_deletion(account, run_jobs, outbox))
    run_jobs()
    frozen_clock("2020-06-20T10:00+02:00")
    retention.forget()
    assert Tombstone.objects.count() == 1
    assert Link.objects.count() == 0
    frozen_clock("2020-06-24T10:00+02:00")
    retention.forget()
    assert Tombstone.objects.count() == 0


# --- dormancy -------------------------------------------------------------------------------------------------
def seen(account, at: str) -> None:
    Account.objects.filter(pk=account.pk).update(created_at="2010-01-01T00:00Z", last_login=at)


def test_a_dormant_account_is_told_then_deleted_a_month_later(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    seen(account, "2019-06-24T10:00Z")
    frozen_clock("2021-06-20T10:00+00:00")
    dormancy.review()
    run_jobs()
    assert outbox == []
    frozen_clock("2021-06-24T10:01+00:00")
    dormancy.review()
    dormancy.review()
    run_jobs()
    assert [m.to for m in outbox] == [["camille@exemple.test"]]
    assert "/compte/login/" in outbox[0].body
    frozen_clock("2021-07-24T10:00+00:00")
    dormancy.review()
    run_jobs()
    assert Account.objects.get(pk=account.pk).is_active
    frozen_clock("2021-07-24T10:02+00:00")
    dormancy.review()
    run_jobs()
    assert Account.objects.get(pk=account.pk).full_name == "Compte supprimé"
    assert Tombstone.objects.get().reason == "inactivite"
    assert "inutilisé" in outbox[-1].body


def test_a_login_keeps_a_dormant_account(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    seen(account, "2019-06-24T10:00Z")
    frozen_clock("2021-06-25T10:00+00:00")
    dormancy.review()
    Account.objects.filter(pk=account.pk).update(last_login="2021-07-01T10:00Z")
    frozen_clock("2021-08-01T10:00+00:00")
    dormancy.review()
    run_jobs()
    account.refresh_from_db()
    assert account.is_active
    assert account.dormancy_told_at is None
    with identity_of(account.pk):
        assert SecurityEvent.objects.filter(event="user.notification.activity").exists()


def test_a_dormant_account_with_an_open_request_is_never_deleted(
    account, run_jobs, outbox, frozen_clock, open_request  # noqa: F811
):  # fmt: skip
    seen(account, "2019-06-24T10:00Z")
    frozen_clock("2021-06-25T10:00+00:00")
    dormancy.review()
    run_jobs()
    assert "Place en crèche" in outbox[0].body
    frozen_clock("2025-06-25T10:00+00:00")
    dormancy.review()
    run_jobs()
    assert Account.objects.get(pk=account.pk).is_active


@pytest.mark.parametrize("told", [None, "2021-06-24T10:00Z"])
def test_whoever_has_no_address_is_neither_told_nor_deleted(account, run_jobs, outbox, frozen_clock, told):  # noqa: F811
    seen(account, "2019-06-24T10:00Z")
    Account.objects.filter(pk=account.pk).update(email=f"0197{NO_ADDRESS}", dormancy_told_at=told)
    for day in ("2021-06-25", "2021-08-25"):
        frozen_clock(f"{day}T10:00+00:00")
        dormancy.review()
        run_jobs()
    kept = Account.objects.get(pk=account.pk)
    assert kept.is_active
    assert kept.deleted_at is None
    assert (kept.dormancy_told_at is None) is (told is None)
    assert outbox == []


def test_agents_do_not_become_dormant(juvignac, account_for, run_jobs, outbox, frozen_clock):  # noqa: F811
    agent = account_for(juvignac, "secretaire")
    seen(agent, "2009-06-24T10:00Z")
    frozen_clock("2021-06-25T10:00+00:00")
    dormancy.review()
    run_jobs()
    assert outbox == []


def test_what_a_package_forgets_to_erase_is_erased_all_the_same(account, run_jobs, outbox, monkeypatch):  # noqa: F811
    from parvis.core.federation.models import FederatedIdentity

    monkeypatch.setattr(closing, "_erasers", {})
    now = clock.now()
    with identity_of(account.pk):
        FederatedIdentity.objects.create(
            account=account, provider="franceconnect", issuer="https://fc.test", subject="s", linked_at=now, used_at=now
        )
    Client().post(link_of_deletion(account, run_jobs, outbox))
    run_jobs()
    with identity_of(account.pk):
        assert not FederatedIdentity.objects.exists()


def test_an_account_without_an_address_is_deleted_after_its_fresh_proof(run_jobs, outbox):  # noqa: F811
    account = citizen("fc-1" + NO_ADDRESS)
    answer = browser_of(account).post("/mon-compte/suppression/")
    assert answer["Location"].endswith("/attestation/")
    run_jobs()
    assert "SUP-" in Client().get(answer["Location"]).content.decode()
    assert Account.objects.get(pk=account.pk).full_name == "Compte supprimé"
    assert outbox == []
