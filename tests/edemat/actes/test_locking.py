"""Two transactions on one act wait for one another in turn, never in a circle."""

import threading
import time

import pytest
from django.db import connection

from parvis.core.documents.services import store
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep
from parvis.core.routing.registry import plugin
from parvis.core.routing.services import announce, attach, open_route
from parvis.edemat.actes import document_tasks, generated_documents, lifecycle
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.locking import lock_acte
from parvis.edemat.actes.models import Acte, InboundMessage, Transaction
from parvis.edemat.actes.publication import Author, publish
from parvis.edemat.actes.services import reception, transmission
from tests.edemat.actes.conftest import AGENT, FACTS, Mails, a_pdf, connect

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = Actor("job", "autre")


@pytest.fixture
def uncertain(juvignac, sent_at_ten, state):
    """An act on its route whose sending is uncertain; its receipt waits in the mailbox."""
    connect(juvignac)
    with acting_for(juvignac):
        route = open_route(
            juvignac, kind="deliberation", title=FACTS["objet"], reference=FACTS["numero"],
            step_codes=["seances.vote", "actes.transmission", "actes.acquittement", "actes.publication"],
            facts={"acte": FACTS}, actor=AGENT,
        )  # fmt: skip
        attach(route, "signe", store(juvignac, a_pdf(), "délibération.pdf"), "Délibération signée")
        route.steps.filter(rank=1).update(state=RouteStep.State.DONE)
        route.steps.filter(rank=2).update(state=RouteStep.State.CURRENT)
        plugin("actes.transmission").start(route.steps.select_related("route", "organisation").get(rank=2))
        asked = transmission.transmettre(Acte.objects.get(route=route), actor=AGENT)
        transmission.build_archive(asked.pk)
    state.scenario("coupure")
    transmission.send_archive(juvignac, asked.pk)
    with acting_for(juvignac):
        assert Transaction.objects.get(pk=asked.pk).delivery == "incertaine"
        return Acte.objects.select_related("organisation", "route").get(route=route)


def settle(acte, state):
    """A person says that the préfecture has the archive."""
    transmission.resolve_uncertain(Transaction.objects.get(acte=acte), received=True, actor=AGENT)


def acknowledge(acte, state):
    """The receipt is read."""
    reception.process(acte.organisation, InboundMessage.objects.get().pk)


def document(acte, state):
    """The job that follows a publication produces its documents and moves the route on."""
    document_tasks.prepare_publication_documents(acte.organisation_id, acte_id=str(acte.pk))


def tell_the_route(acte):
    announce(Route.objects.get(pk=acte.route_id), "essai", actor=OTHER)


def write_about_the_act(acte):
    lock_acte(acte.pk)
    record(acte.organisation, "actes.etat", subject=("acte", acte.pk), actor=OTHER)


@pytest.mark.parametrize("other", [tell_the_route, write_about_the_act])
@pytest.mark.parametrize(
    ("work", "module"),
    [(settle, transmission), (acknowledge, lifecycle), (document, generated_documents)],
)
def test_what_holds_the_journal_waits_for_nobody(uncertain, state, monkeypatch, work, module, other):
    if work is not settle:
        reception.collect(Mails(state.mails()))
    if work is document:
        reception.process_waiting()
        with acting_for(uncertain.organisation):
            publish(Acte.objects.get(pk=uncertain.pk), author=Author("Jean-Luc SAVY", "Maire"), actor=AGENT)
    journal_held, errors, plain = threading.Event(), [], module.record

    def slow_record(*arguments, **named):
        entry = plain(*arguments, **named)
        if threading.current_thread() is first:
            journal_held.set()
            time.sleep(0.4)  # long enough for the other to take what it takes before the journal
        return entry

    def run(function, *arguments):
        try:
            with acting_for(uncertain.organisation):
                function(*arguments)
        except Exception as error:
            errors.append(error)
        finally:
            journal_held.set()
            connection.close()

    def second_run():
        journal_held.wait(20)
        run(other, uncertain)

    monkeypatch.setattr(module, "record", slow_record)
    first = threading.Thread(target=run, args=(work, uncertain, state))
    second = threading.Thread(target=second_run)
    first.start()
    second.start()
    first.join(30)
    second.join(30)
    assert errors == []
    with acting_for(uncertain.organisation):
        reached = Acte.objects.get(pk=uncertain.pk).status
        assert reached == (Status.TRANSMIS if work is settle else Status.ACQUITTE)
