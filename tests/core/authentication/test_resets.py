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


# --- who administers alone ------------------------------------------------------------------------------------
ALONE = f"{PLATFORM}organisations/juvignac/"


def ask_for(operator, account, **fields):
    return operator.post(ALONE, {"address": account.email, "reason": "téléphone et codes brûlés", **fields})


def test_two_operators_and_a_day_reset_who_administers_alone(
    administrator, operator, account_for, juvignac, run_jobs, monkeypatch
):
    mayor, clerk = account_for(juvignac, "maire"), account_for(juvignac, "secretaire")
    assert (
        ask_for(operator, administrator.account, address=f" {administrator.account.email.upper()}").status_code == 302
    )
    run_jobs()
    told = {message.to[0]: message.body for message in mail.outbox}
    assert set(told) == {administrator.account.email, mayor.email}
    assert clerk.email not in told
    for body in told.values():
        assert "L’exploitation de la plateforme" in body
        assert "Motif donné : téléphone et codes brûlés" in body
    assert "téléphone et codes brûlés" in administrator.get(LIST).content.decode()
    second = as_operator("second@plateforme.test")
    reset = only(juvignac)
    second.post(f"{PLATFORM}{reset.pk}/", {"decision": "approuver"})
    assert administrator.account.authenticator_set.exists(), "not before a day"
    a_day_later(monkeypatch)
    operator.post(f"{PLATFORM}{reset.pk}/", {"decision": "approuver"})
    assert administrator.account.authenticator_set.exists(), "not by who asked"
    assert "attend un autre exploitant" in operator.get(PLATFORM).content.decode()
    mail.outbox.clear()
    second.post(f"{PLATFORM}{reset.pk}/", {"decision": "approuver"})
    assert not administrator.account.authenticator_set.exists()
    run_jobs()
    assert {message.to[0] for message in mail.outbox} == {administrator.account.email, mayor.email}
    with acting_for(juvignac):
        entries = {entry.action: entry for entry in entries_about("remise_second_facteur", reset.pk)}
    assert set(entries) == {"second_facteur.demande", "second_facteur.remis"}
    for action, client in {"second_facteur.demande": operator, "second_facteur.remis": second}.items():
        entry = entries[action]
        assert (entry.actor_id, entry.details["by_platform"]) == (str(client.account.pk), True)


def test_the_platform_asks_for_nobody_whom_another_could(administrator, operator, account_for, juvignac):
    account_for(juvignac, "administrateur", email="autre@juvignac.test")
    assert "Une autre personne administre" in ask_for(operator, administrator.account).content.decode()
    with acting_for(juvignac):
        assert not FactorReset.objects.exists()


def test_one_whose_account_is_suspended_cannot_ask(administrator, operator, account_for, juvignac):
    other = account_for(juvignac, "administrateur", email="autre@juvignac.test")
    Account.objects.filter(pk=other.pk).update(suspended_at=clock.now())
    assert ask_for(operator, administrator.account).status_code == 302


def test_the_platform_learns_of_no_address_whose_it_is(lost, operator, agent_client, fabregues, juvignac):
    """An agent who does not administer, an administrator of a neighbour and nobody get the same sentence."""
    neighbour = agent_client(fabregues, "administrateur").account
    nobody = Account(email="personne@juvignac.test")
    said = set()
    for account in (lost.account, neighbour, nobody):
        page = ask_for(operator, account)
        assert page.status_code == 422
        said.add(page.context["form"].non_field_errors()[0])
    assert said == {"Personne n’administre Commune de Juvignac sous cette adresse."}
    assert "s’écrit comme" in ask_for(operator, Account(email="alice")).content.decode()
    assert lost.account.full_name not in operator.get(ALONE).content.decode()


def test_the_holder_or_any_operator_stops_what_the_platform_asked(administrator, operator, juvignac):
    ask_for(operator, administrator.account)
    assert "L’exploitation de la plateforme, pour" in administrator.get("/mon-compte/securite/").content.decode()
    administrator.post("/mon-compte/securite/remise-a-zero/annuler/")
    assert only(juvignac).state == "cancelled"
    with acting_for(juvignac):
        FactorReset.objects.all().delete()
    ask_for(operator, administrator.account)
    operator.post(f"{PLATFORM}{only(juvignac).pk}/", {"decision": "ecarter"})
    assert only(juvignac).state == "cancelled"


def test_the_database_lets_nothing_shorten_what_the_platform_asked(administrator, operator, juvignac):
    facts = {"organisation": juvignac, "account": administrator.account, "asked_by": operator.account, "reason": "x"}
    with acting_for(juvignac), pytest.raises(IntegrityError), transaction.atomic():
        FactorReset.objects.create(**facts, asked_at=clock.now(), by_platform=True, in_person=True)


def test_an_agent_does_not_reach_the_page_of_the_platform(administrator, lost, juvignac):
    assert ask_for(administrator, lost.account).status_code == 404
