"""The life of an act takes its locks in the order of docs/architecture.md."""

from datetime import date

import pytest

from parvis.core.documents.services import store
from parvis.core.journal.services import record
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.services import attach, complete_step, lock_route, open_route, step_of
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.formats.inbound import parse_message
from parvis.edemat.actes.locking import lock_acte
from parvis.edemat.actes.models import Acte, Classification, Transaction
from parvis.edemat.actes.publication import Author, publish, withdraw
from parvis.edemat.actes.services import classification
from parvis.edemat.actes.services.cancellation import ask_to_cancel
from parvis.edemat.actes.services.correction import Correction, correct_acte
from parvis_sandbox.ministry import returns
from tests.edemat.actes.conftest import AGENT, FACTS, a_pdf
from tests.edemat.actes.test_reception import attachments, with_attachments
from tests.edemat.locks import watched

pytestmark = pytest.mark.django_db(transaction=True)
MAYOR = Author("Jean-Luc SAVY", "Maire")


@pytest.fixture
def on_its_route(commune):
    """``on_its_route()`` -> an act whose route has just come to its transmission."""

    def make() -> Acte:
        with acting_for(commune):
            route = open_route(
                commune, kind="deliberation", title=FACTS["objet"], reference=FACTS["numero"],
                step_codes=["seances.vote", "actes.transmission", "actes.acquittement", "actes.publication"],
                facts={"acte": FACTS}, actor=AGENT,
            )  # fmt: skip
            attach(route, "signe", store(commune, a_pdf(), "délibération.pdf"), "Délibération signée")
            complete_step(step_of(route, "seances.vote"), summary="", actor=AGENT)
            return Acte.objects.select_related("organisation").get(route=route)

    return make


def test_from_its_route_to_the_withdrawal_of_its_publication(on_its_route, commune, state, run_jobs):
    with watched() as watch:
        acte = state.transmit(on_its_route())
        state.poll()
        run_jobs(queue="actes")
        with acting_for(commune):
            publication = publish(state.again(acte), author=MAYOR, actor=AGENT)
        run_jobs(queue="actes")
        with acting_for(commune):
            withdraw(publication, reason="Erreur", actor=AGENT, despite_duty=True)
    assert watch.faults == []
    assert {"actes_inboundmessage", "actes_acte", "routing_route", "actes_transaction", "journal_head"} <= {
        *watch.taken
    }


def test_from_a_refusal_to_the_cancellation_of_what_was_sent_again(on_its_route, commune, state, run_jobs):
    state.scenario("anomalie_002", count=1)
    with watched() as watch:
        acte = state.transmit(on_its_route())
        state.poll()
        with acting_for(commune):
            correct_acte(state.again(acte), Correction(numero_actes="19070106"), actor=AGENT)
        state.transmit(state.again(acte))
        state.poll()
        with acting_for(commune):
            ask_to_cancel(state.again(acte), actor=AGENT)
        run_jobs(queue="actes")
        state.poll()
    assert state.again(acte).status == Status.ANNULE
    assert watch.faults == []


def test_a_receipt_after_a_closing_in_error(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        Transaction.objects.update(status=Status.ERREUR)
        Acte.objects.update(status=Status.ERREUR)
    with watched() as watch:
        state.poll()
    assert state.again(acte).status == Status.ACQUITTE
    assert watch.faults == []


def test_an_act_that_software_prepares(commune, prepare, state):
    with watched() as watch:
        prepare(commune, annexes=1)
    assert watch.faults == []


def test_a_mail_that_refuses_the_envelopes_of_an_act_and_of_a_request(commune, prepare, state, run_jobs):
    state.scenario("anomalie_enveloppe")
    state.transmit(prepare(commune))
    with acting_for(commune):
        classification.request_classification(commune, actor=AGENT)
    run_jobs(queue="actes")
    first, second = map(attachments, state.mails())
    with watched() as watch:
        report = state.poll([with_attachments(first | second)])
    assert (report.processed, report.basket) == (1, 0)
    with acting_for(commune):
        assert {t.status for t in Transaction.objects.all()} == {Status.ERREUR}
    assert watch.faults == []


def test_a_mail_that_brings_a_receipt_and_a_classification(commune, prepare, state):
    state.transmit(prepare(commune))
    (receipt,) = map(attachments, state.mails())
    (envelope,) = (name for name in receipt if "EACT" in name)
    del receipt[envelope]
    files = receipt | {"034----7-2_9.xml": returns.retour_classification("2019-06-01")}
    with watched() as watch:
        report = state.poll([with_attachments(files)])
    assert (report.processed, report.basket) == (1, 0)
    with acting_for(commune):
        assert Classification.objects.get(current=True).date == date(2019, 6, 1)
    assert watch.faults == []


def test_a_classification_that_comes_then_is_confirmed(commune):
    xml = returns.retour_classification("2019-06-01")
    with watched() as watch:
        with acting_for(commune):
            classification.install(commune, xml, "034----7-2_9.xml", parse_message(xml), actor=AGENT)
        with acting_for(commune):
            assert classification.confirm(commune, date(2019, 6, 1), actor=AGENT)
    assert watch.faults == []


@pytest.mark.parametrize("wrong", ["a route, then its act", "the journal, then an act", "a number before the journal"])
def test_what_goes_against_the_order_is_seen(on_its_route, commune, wrong):
    acte = on_its_route()
    with watched() as watch, acting_for(commune):
        match wrong:
            case "a route, then its act":
                lock_route(acte.route_id)
                lock_acte(acte.pk)
            case "the journal, then an act":
                record(commune, "actes.etat", subject=("acte", acte.pk), actor=AGENT)
                Acte.objects.filter(pk=acte.pk).update(objet="Autre")
            case _:
                Acte.objects.filter(pk=acte.pk).update(status=Status.ERREUR)
    if wrong == "a number before the journal":
        with watched() as watch, acting_for(commune):
            Acte.objects.filter(pk=acte.pk).update(status=Status.A_POSTER)
    assert len(watch.faults) == 1
