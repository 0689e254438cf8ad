"""A lost second factor: asked by one, approved by another, announced to its holder, a day later."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from parvis.core import clock
from parvis.core.authentication.models import FactorReset
from parvis.core.identity.models import Account
from parvis.core.journal.queries import entries_about
from parvis.core.organisations.tenancy import acting_for
from tests.conftest import prove_by_passkey
from tests.core.authentication.test_login import events_of, log_in

LIST = "/o/juvignac/administration/second-facteur/"
PLATFORM = "/plateforme/second-facteur/"


@pytest.fixture
def lost(agent_client, juvignac):
    return agent_client(juvignac, "secretaire")


@pytest.fixture
def administrator(agent_client, juvignac):
    return agent_client(juvignac, "administrateur")


@pytest.fixture
def operator(db):
    return as_operator("exploitation@plateforme.test")


def as_operator(email):
    account = Account.objects.create_user(
        email, None, given_name="Opé", family_name="Rateur", population="exploitation", is_platform_administrator=True
    )
    client = Client()
    client.force_login(account)
    client.account = account
    prove_by_passkey(client)
    return client


def ask(client, account, **fields):
    return client.post(f"{LIST}{account.pk}/", {"reason": "téléphone perdu", **fields})


def only(juvignac):
    with acting_for(juvignac):
        return FactorReset.objects.get()


def a_day_later(monkeypatch, hours=24):
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(hours=hours, seconds=1))


def test_two_people_and_a_day_reset_a_factor(lost, administrator, operator, juvignac, run_jobs, monkeypatch):
    assert lost.account.full_name in administrator.get(LIST).content.decode()
    assert ask(administrator, lost.account).status_code == 302
    run_jobs()
    assert mail.outbox[-1].to == [lost.account.email]
    assert "annulez dès maintenant" in mail.outbox[-1].body
    reset = only(juvignac)
    page = operator.get(PLATFORM).content.decode()
    assert "téléphone perdu" in page
    assert "Approuver" not in page
    operator.post(f"{PLATFORM}{reset.pk}/", {"decision": "approuver"})
    assert lost.account.authenticator_set.count() == 2, "not before a day"
    a_day_later(monkeypatch)
    assert "Approuver" in operator.get(PLATFORM).content.decode()
    operator.post(f"{PLATFORM}{reset.pk}/", {"decision": "approuver"})
    assert lost.account.authenticator_set.count() == 0
    run_jobs()
    assert mail.outbox[-1].subject == "Second facteur remis à zéro"
    assert events_of(lost.account)[-1] == "manager.mfa.reset"
    with acting_for(juvignac):
        assert {e.action for e in entries_about("remise_second_facteur", reset.pk)} == {
            "second_facteur.demande",
            "second_facteur.remis",
        }


def test_an_identity_checked_face_to_face_need_not_wait(lost, administrator, operator, juvignac):
    ask(administrator, lost.account, in_person="on")
    operator.post(f"{PLATFORM}{only(juvignac).pk}/", {"decision": "approuver"})
    assert only(juvignac).state == "done"


def test_open_sessions_of_the_holder_end(administrator, operator, juvignac, account_for, agent_client):
    account = agent_client(juvignac, "secretaire").account
    thief = Client()
    log_in(thief, account.email)
    from tests.core.authentication.test_assurance import code_of

    thief.post("/compte/mfa/authenticate/", {"code": code_of(account)})
    assert thief.get("/mon-compte/securite/").status_code == 200
    ask(administrator, account, in_person="on")
    operator.post(f"{PLATFORM}{only(juvignac).pk}/", {"decision": "approuver"})
    assert thief.get("/mon-compte/securite/").status_code == 302


def test_the_holder_stops_it(lost, administrator, operator, juvignac, monkeypatch):
    ask(administrator, lost.account)
    assert "Ce n’est pas moi" in lost.get("/mon-compte/securite/").content.decode()
    lost.post("/mon-compte/securite/remise-a-zero/annuler/")
    a_day_later(monkeypatch)
    operator.post(f"{PLATFORM}{only(juvignac).pk}/", {"decision": "approuver"})
    assert only(juvignac).state == "cancelled"
    assert lost.account.authenticator_set.count() == 2


def test_nobody_resets_their_own_nor_approves_what_they_asked(administrator, lost, juvignac):
    assert "propre second facteur" in ask(administrator, administrator.account).content.decode()
    ask(administrator, lost.account, in_person="on")
    Account.objects.filter(pk=administrator.account.pk).update(is_platform_administrator=True)
    administrator.post(f"{PLATFORM}{only(juvignac).pk}/", {"decision": "approuver"})
    assert only(juvignac).state == "asked"


def test_the_database_itself_wants_four_eyes(lost, administrator, juvignac):
    facts = {"organisation": juvignac, "account": lost.account, "asked_by": administrator.account}
    for wrong in ({"state": "done", "ended_by": administrator.account}, {"state": "done"}, {"asked_by": lost.account}):
        with acting_for(juvignac), pytest.raises(IntegrityError), transaction.atomic():
            FactorReset.objects.create(**{**facts, "asked_at": clock.now(), "reason": "x", **wrong})


def test_a_second_request_and_one_for_nothing_are_refused(lost, administrator, account_for, juvignac):
    ask(administrator, lost.account)
    assert "déjà en cours" in ask(administrator, lost.account).content.decode()
    without = account_for(juvignac, "archiviste")
    assert "rien à remettre à zéro" in ask(administrator, without).content.decode()


def test_an_administration_sees_and_touches_only_its_own_people(administrator, lost, agent_client, fabregues, juvignac):
    neighbour = agent_client(fabregues, "administrateur")
    stranger = agent_client(fabregues, "secretaire").account
    assert ask(administrator, stranger).status_code == 404
    assert stranger.email not in administrator.get(LIST).content.decode()
    ask(administrator, lost.account)
    reset = only(juvignac)
    assert neighbour.post(f"/o/fabregues/administration/second-facteur/demandes/{reset.pk}/annuler/").status_code == 404
    assert neighbour.get(LIST).status_code == 404


def test_roles_without_the_right_are_refused(lost, agent_client, juvignac):
    other = agent_client(juvignac, "lecteur").account
    assert ask(lost, other).status_code == 403
    assert lost.get(PLATFORM).status_code == 404


def test_an_administrator_takes_a_request_back(administrator, lost, juvignac):
    ask(administrator, lost.account)
    administrator.post(f"{LIST}demandes/{only(juvignac).pk}/annuler/")
    assert only(juvignac).state == "cancelled"
    assert ask(administrator, lost.account).status_code == 302, "and may ask again"
