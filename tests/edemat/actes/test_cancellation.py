"""Cancelling a transmission: asked for in two clicks, in effect when the State says so."""

import pytest

from parvis.core.documents.services import store
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, Task
from parvis.core.routing.services import attach, open_route, retry_step, step_of
from parvis.edemat.actes import lifecycle
from parvis.edemat.actes.dossier import Dossier
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.formats.outbound import build_cancellation
from parvis.edemat.actes.models import Acte, Transaction
from parvis.edemat.actes.publication import Author, PublicationRefused, publish
from parvis.edemat.actes.schemas import schema_errors
from parvis.edemat.actes.services import reception
from parvis.edemat.actes.services.cancellation import CancellationRefused, ask_to_cancel
from parvis.edemat.actes.services.preparation import NumberTaken
from tests.edemat.actes.conftest import AGENT, FACTS, a_pdf
from tests.edemat.actes.test_reception import attachments, with_attachments

LIST = "/o/juvignac/actes/"


@pytest.fixture
def received(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    state.poll()
    return state.again(acte)


@pytest.fixture
def cancelled(received, state, run_jobs):
    with acting_for(received.organisation):
        publish(received, author=Author("Camille ESSAI", "Maire"), actor=AGENT)
        ask_to_cancel(received, actor=AGENT)
    run_jobs(queue="actes")
    state.poll()
    return state.again(received)


def test_the_act_waits_for_the_state_s_word(received, state, run_jobs):
    with acting_for(received.organisation):
        ask_to_cancel(received, actor=AGENT)
    run_jobs(queue="actes")
    assert state.again(received).status == Status.ACQUITTE
    with acting_for(received.organisation):
        assert Transaction.objects.get(kind="6-1").status == Status.TRANSMIS


def test_the_word_of_the_state_cancels_the_transmission_and_the_act_no_longer_binds(cancelled):
    assert (cancelled.status, cancelled.executoire_on) == (Status.ANNULE, None)
    with acting_for(cancelled.organisation):
        asked = Transaction.objects.get(kind="6-1")
        assert asked.status == Status.ACQUITTE
        assert asked.ar is not None
        assert cancelled.publications.get().executoire_on is None


def test_the_receipt_of_the_cancellation_twice_changes_nothing_more(received, state, run_jobs):
    with acting_for(received.organisation):
        ask_to_cancel(received, actor=AGENT)
    run_jobs(queue="actes")
    (raw,) = state.mails()
    state.poll([raw])
    report = state.poll([raw.replace(b"[SIMULATION]", b"[REPETITION]")])
    assert (report.basket, report.processed) == (0, 1)


def test_two_receipts_in_one_mail_lock_both_acts_before_the_journal_is_written(
    received, commune, prepare, state, run_jobs, monkeypatch
):
    other = state.transmit(prepare(commune, numero="19.07.01.06"))
    state.poll()
    with acting_for(commune):
        for acte in (received, other):
            ask_to_cancel(acte, actor=AGENT)
    run_jobs(queue="actes")
    first, second = map(attachments, state.mails())
    steps, lock, write = [], reception.lock_actes, lifecycle.record
    monkeypatch.setattr(reception, "lock_actes", lambda acts: (steps.append(set(acts)), lock(acts)))
    monkeypatch.setattr(lifecycle, "record", lambda *a, **named: (steps.append("journal"), write(*a, **named))[1])
    state.poll([with_attachments(first | second)])
    assert steps[:2] == [{received.pk, other.pk}, "journal"]
    assert {state.again(acte).status for acte in (received, other)} == {Status.ANNULE}


def test_a_cancellation_never_asked_goes_to_the_basket(received, state, run_jobs):
    with acting_for(received.organisation):
        asked = ask_to_cancel(received, actor=AGENT)
    run_jobs(queue="actes")
    with acting_for(received.organisation):
        Transaction.objects.filter(pk=asked.pk).update(attempts=0)
    assert state.poll().basket == 1
    assert state.again(received).status == Status.ACQUITTE


def test_its_number_does_not_serve_again(cancelled, prepare):
    with pytest.raises(NumberTaken):
        prepare(cancelled.organisation)


def test_it_is_published_no_more(cancelled):
    with acting_for(cancelled.organisation), pytest.raises(PublicationRefused, match="annulée"):
        publish(cancelled, author=Author("Camille ESSAI", "Maire"), actor=AGENT)


@pytest.mark.parametrize("case", ["not received", "asked twice", "done", "suspended"])
def test_a_cancellation_is_refused_when(commune, prepare, state, run_jobs, request, case):
    if case == "not received":
        acte, sentence = state.transmit(prepare(commune)), "acquittée"
    elif case == "done":
        acte, sentence = request.getfixturevalue("cancelled"), "acquittée"
    else:
        acte, sentence = request.getfixturevalue("received"), "déjà demandée"
        with acting_for(commune):
            if case == "asked twice":
                ask_to_cancel(acte, actor=AGENT)
            else:
                from parvis.edemat.actes.models import ActeSettings

                sentence = "suspendue"
                ActeSettings.objects.update(suspended_since="2019-07-01", suspension_reason="x")
    with acting_for(commune), pytest.raises(CancellationRefused, match=sentence):
        ask_to_cancel(acte, actor=AGENT)


@pytest.mark.reference
def test_the_message_is_valid_against_the_official_schema(settings, shared_dir):
    settings.PARVIS_REFERENTIALS_DIR = shared_dir / "schemas"
    assert schema_errors(build_cancellation("034-213401235-20190701-19_07_01_05-DE")) == []


def test_the_page_says_what_it_does_then_asks(agent_client, received, state, run_jobs):
    client = agent_client(received.organisation, "secretaire")
    here = f"{LIST}{received.pk}/"
    assert f"{here}annuler/" in client.get(here).content.decode()
    assert "son numéro ne pourra plus servir" in client.get(f"{here}annuler/").content.decode()
    client.post(f"{here}annuler/")
    run_jobs(queue="actes")
    page = client.get(here).content.decode()
    assert "Annulation demandée" in page
    assert "annuler/" not in page
    state.poll()
    assert "Transmission annulée" in client.get(here).content.decode()


# --- its route --------------------------------------------------------------------------------------------
@pytest.fixture
def on_its_route(commune, state, run_jobs):
    """An acknowledged act whose route stands at « À publier », with the task to publish it."""
    with acting_for(commune):
        route = open_route(
            commune, kind="deliberation", title=FACTS["objet"], reference=FACTS["numero"],
            step_codes=["actes.transmission", "actes.acquittement", "actes.publication", "archives.versement"],
            facts={"acte": FACTS}, actor=AGENT,
        )  # fmt: skip
        attach(route, "signe", store(commune, a_pdf(), "délibération.pdf"), "Délibération signée")
        retry_step(step_of(route, "actes.transmission"), actor=AGENT)
        acte = Acte.objects.get(route=route)
    state.transmit(acte)
    state.poll()
    run_jobs()
    return state.again(acte)


def cancel(acte, state, run_jobs):
    with acting_for(acte.organisation):
        ask_to_cancel(acte, actor=AGENT)
    run_jobs(queue="actes")
    state.poll()
    run_jobs(queue="actes")


def standing(acte) -> tuple[str, list[str]]:
    with acting_for(acte.organisation):
        route = Route.objects.get(pk=acte.route_id)
        return route.state, [step.label for step in route.steps.all()]


def test_a_cancelled_act_ends_its_route(on_its_route, state, run_jobs):
    assert standing(on_its_route) == ("running", ["Transmise", "Acquittée", "À publier", "À archiver"])
    cancel(on_its_route, state, run_jobs)
    assert standing(on_its_route) == ("ended", ["Transmise", "Acquittée", "Non publiée", "Non archivée"])


def test_a_cancelled_act_leaves_the_inbox(on_its_route, state, run_jobs):
    with acting_for(on_its_route.organisation):
        assert [task.verb for task in Task.objects.filter(state="open")] == ["Publier"]
    cancel(on_its_route, state, run_jobs)
    with acting_for(on_its_route.organisation):
        assert not Task.objects.filter(state="open").exists()


def test_the_page_of_a_cancelled_act_says_where_its_route_ended(on_its_route, state, run_jobs, agent_client):
    cancel(on_its_route, state, run_jobs)
    page = agent_client(on_its_route.organisation, "secretaire").get(f"{LIST}{on_its_route.pk}/").content.decode()
    assert "Non publiée" in page
    assert "À publier" not in page


def test_an_act_that_is_online_goes_on_after_its_cancellation(on_its_route, state, run_jobs):
    with acting_for(on_its_route.organisation):
        publish(on_its_route, author=Author("Camille ESSAI", "Maire"), actor=AGENT)
    cancel(on_its_route, state, run_jobs)
    assert standing(on_its_route) == ("running", ["Transmise", "Acquittée", "Publiée", "À archiver"])


def test_without_a_route_a_cancelled_act_does_not_wait_to_be_published(received, state, run_jobs):
    cancel(received, state, run_jobs)
    acte = state.again(received)
    with acting_for(acte.organisation):
        last = Dossier(acte, frozenset()).steps[-1]
    assert (last["label"], last["state"], last["lines"]) == ("Non publiée", "dropped", ["Transmission annulée"])


def test_what_the_prefecture_asked_about_a_cancelled_act_is_asked_no_more(commune, prepare, state, run_jobs):
    state.scenario("demande_pieces")
    acte = state.transmit(prepare(commune))
    state.poll()
    with acting_for(commune):
        assert Task.objects.filter(state="open", verb="Répondre").exists()
    cancel(acte, state, run_jobs)
    with acting_for(commune):
        assert not Task.objects.filter(state="open").exists()


def test_only_those_who_transmit_cancel(agent_client, received):
    for role in ("lecteur", "maire", "administrateur"):
        assert agent_client(received.organisation, role).post(f"{LIST}{received.pk}/annuler/").status_code == 403
