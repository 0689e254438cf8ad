"""An operator who lost every factor: asked by a second one, a day later approved by a third, else on the server."""

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from parvis.core import clock
from parvis.core.authentication.models import OperatorReset
from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.tenancy import identity_of
from tests.core.authentication.test_login import events_of
from tests.core.authentication.test_resets import PLATFORM, a_day_later, as_operator

pytestmark = pytest.mark.django_db
OPERATORS = f"{PLATFORM}exploitants/"
APPROVER = "Jo Serveur, responsable des systèmes"


@pytest.fixture
def lost():
    return as_operator("perdu@dsi.test")


@pytest.fixture
def asker():
    return as_operator("deux@dsi.test")


@pytest.fixture
def third():
    return as_operator("trois@dsi.test")


def ask(client, account):
    return client.post(f"{OPERATORS}{account.pk}/", {"reason": "clé volée"})


def decide(client, decision="approuver"):
    return client.post(f"{OPERATORS}{OperatorReset.objects.get().pk}/reponse/", {"decision": decision}, follow=True)


def has_factors(client):
    return client.account.authenticator_set.exists()


def test_three_people_and_a_day_reset_the_factors(lost, asker, third, monkeypatch):
    assert ask(asker, lost.account).status_code == 302
    decide(third)
    assert has_factors(lost), "not before a day"
    assert "Approuver" not in third.get(PLATFORM).content.decode()
    a_day_later(monkeypatch)
    assert "Approuver" in third.get(PLATFORM).content.decode()
    decide(third)
    assert not has_factors(lost)
    assert events_of(lost.account) == ["manager.mfa.reset.request", "manager.mfa.reset"]


def test_every_operator_is_told_when_it_is_asked_and_when_it_is_done(lost, asker, third, run_jobs, monkeypatch):
    everybody = {client.account.email for client in (lost, asker, third)}
    ask(asker, lost.account)
    run_jobs()
    assert {message.to[0] for message in mail.outbox} == everybody
    assert "annulez dès maintenant" in next(m.body for m in mail.outbox if m.to == [lost.account.email])
    mail.outbox.clear()
    a_day_later(monkeypatch)
    decide(third)
    run_jobs()
    assert {message.to[0] for message in mail.outbox} == everybody


def test_who_asks_does_not_approve(lost, asker, monkeypatch):
    ask(asker, lost.account)
    a_day_later(monkeypatch)
    assert "Une autre personne que celle qui demande" in decide(asker).content.decode()
    assert has_factors(lost)


def test_nobody_asks_for_oneself_nor_for_who_is_no_operator(lost, agent_client, juvignac):
    assert "vos propres facteurs" in ask(lost, lost.account).content.decode()
    assert ask(lost, agent_client(juvignac, "secretaire").account).status_code == 404
    assert not OperatorReset.objects.exists()


def test_the_holder_stops_it(lost, asker, third, monkeypatch):
    ask(asker, lost.account)
    assert "Ce n’est pas moi" in lost.get("/mon-compte/securite/").content.decode()
    lost.post("/mon-compte/securite/remise-a-zero/annuler/")
    a_day_later(monkeypatch)
    decide(third)
    assert OperatorReset.objects.get().state == "cancelled"
    assert has_factors(lost)


def test_any_operator_turns_it_down(lost, asker, third):
    ask(asker, lost.account)
    decide(third, "ecarter")
    assert OperatorReset.objects.get().state == "cancelled"


def test_a_second_request_and_one_for_nothing_are_refused(lost, asker):
    ask(asker, lost.account)
    assert "déjà en cours" in ask(asker, lost.account).content.decode()
    OperatorReset.objects.all().delete()
    lost.account.authenticator_set.all().delete()
    assert "rien à remettre à zéro" in ask(asker, lost.account).content.decode()


def test_the_database_itself_wants_four_eyes(lost, asker):
    facts = {"account": lost.account, "asked_by": asker.account, "asked_at": clock.now(), "reason": "x"}
    done = {"state": "done"}
    for wrong in (done, {**done, "ended_by": asker.account}, {**done, "ended_by": lost.account},
                  {"asked_by": lost.account}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            OperatorReset.objects.create(**{**facts, **wrong})


# --- on the server --------------------------------------------------------------------------------------------
def approve(account, approver=APPROVER):
    call_command("approve_operator_reset", account.email, approver=approver)


def test_where_there_is_no_third_operator_the_server_approves_and_it_is_logged(lost, asker, monkeypatch):
    ask(asker, lost.account)
    assert "approve_operator_reset" in asker.get(PLATFORM).content.decode()
    with pytest.raises(CommandError, match="Il faut attendre"):
        approve(lost.account)
    a_day_later(monkeypatch)
    monkeypatch.setenv("SUDO_USER", "jserveur")
    approve(lost.account)
    assert not has_factors(lost)
    assert OperatorReset.objects.get().approved_on_server == f"{APPROVER} (jserveur)"
    with identity_of(lost.account.pk):
        event = SecurityEvent.objects.get(event="manager.mfa.reset")
    assert event.data["on_server"] == str(OperatorReset.objects.get().pk)


def test_the_server_asks_for_nothing_by_itself(lost):
    with pytest.raises(CommandError, match="Aucune demande n’attend"):
        approve(lost.account)


def test_the_server_reads_the_address_as_accounts_keep_theirs(lost, asker, monkeypatch):
    ask(asker, lost.account)
    a_day_later(monkeypatch)
    with pytest.raises(CommandError, match="s’écrit comme"):
        call_command("approve_operator_reset", "perdu", approver=APPROVER)
    call_command("approve_operator_reset", " Perdu@DSI.test", approver=APPROVER)
    assert not has_factors(lost)


def test_the_server_leaves_it_to_a_third_operator_who_can_log_in(lost, asker, third, monkeypatch):
    ask(asker, lost.account)
    a_day_later(monkeypatch)
    with pytest.raises(CommandError, match="peut approuver à l’écran"):
        approve(lost.account)
    third.account.authenticator_set.all().delete()
    approve(lost.account)
    assert not has_factors(lost)


@pytest.mark.parametrize("approver", ["", "  ", "opé rateur"])
def test_the_server_wants_the_name_of_another_person(lost, asker, monkeypatch, approver):
    ask(asker, lost.account)
    a_day_later(monkeypatch)
    with pytest.raises(CommandError):
        approve(lost.account, approver)
    assert has_factors(lost)


def test_the_server_lists_what_waits(lost, asker, capsys):
    ask(asker, lost.account)
    call_command("approve_operator_reset")
    assert "perdu@dsi.test : demandé par Opé Rateur" in capsys.readouterr().out
