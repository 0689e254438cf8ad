"""Two transactions on one act wait for one another in turn, never in a circle."""

import re
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

import parvis
from parvis.core.documents.services import store
from parvis.core.journal import services as journal
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.services import describe
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
from parvis.edemat.actes.services.preparation import NumberTaken, prepare_acte
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


def join_the_route(acte, state):
    """A document joins the route after the journal, as a late time-stamp does, without locking the route."""
    token = store(acte.organisation, b"jeton", "jeton.tsr")
    record(acte.organisation, "actes.etat", subject=("acte", acte.pk), actor=OTHER)
    attach(Route.objects.get(pk=acte.route_id), "convocation_jeton", token, "Jeton d’horodatage")


@pytest.fixture
def together(juvignac, monkeypatch):
    """``together(first, second, module=…)`` -> the errors of two transactions, the second begun once the first holds
    the end of the journal, which it takes by ``module.name``.
    """

    def run_both(first, second, *, module, name="record") -> list[Exception]:
        journal_held, errors, plain = threading.Event(), [], getattr(module, name)

        def slow(*arguments, **named):
            entry = plain(*arguments, **named)
            if threading.current_thread() is one:
                journal_held.set()
                time.sleep(0.4)  # long enough for the other to take what it takes before the journal
            return entry

        def run(function):
            try:
                with acting_for(juvignac):
                    function()
            except Exception as error:
                errors.append(error)
            finally:
                journal_held.set()
                connection.close()

        def second_run():
            journal_held.wait(20)
            run(second)

        monkeypatch.setattr(module, name, slow)
        one, two = threading.Thread(target=run, args=(first,)), threading.Thread(target=second_run)
        one.start()
        two.start()
        one.join(30)
        two.join(30)
        return errors

    return run_both


@pytest.mark.parametrize("other", [tell_the_route, write_about_the_act])
@pytest.mark.parametrize(
    ("work", "module"),
    [
        (settle, transmission),
        (acknowledge, lifecycle),
        (document, generated_documents),
        (join_the_route, sys.modules[__name__]),
    ],
)
def test_what_holds_the_journal_waits_for_nobody(uncertain, state, together, work, module, other):
    if work in (acknowledge, document):
        reception.collect(Mails(state.mails()))
    if work is document:
        reception.process_waiting()
        with acting_for(uncertain.organisation):
            publish(Acte.objects.get(pk=uncertain.pk), author=Author("Jean-Luc SAVY", "Maire"), actor=AGENT)
    before = uncertain_status(uncertain)
    errors = together(lambda: work(uncertain, state), lambda: other(uncertain), module=module)
    assert errors == []
    expected = {settle: Status.TRANSMIS, acknowledge: Status.ACQUITTE}
    assert uncertain_status(uncertain) == expected.get(work, before)


def uncertain_status(acte) -> int:
    with acting_for(acte.organisation):
        return Acte.objects.get(pk=acte.pk).status


def test_a_number_asked_for_twice_at_once_is_given_once(juvignac, sent_at_ten, together):
    """A route prepares its act after writing in the journal, a person before: both take the number in one order."""

    def prepare() -> None:
        prepare_acte(juvignac, FACTS, store(juvignac, a_pdf(), "délibération.pdf"), actor=AGENT)

    def from_a_route() -> None:
        record(juvignac, "cheminement.etape_faite", subject=("route", "1"), actor=OTHER)
        prepare()

    errors = together(from_a_route, prepare, module=sys.modules[__name__])
    assert [type(error) for error in errors] == [NumberTaken]
    with acting_for(juvignac):
        assert Acte.objects.count() == 1


def test_describing_an_organisation_does_not_block_its_journal(juvignac, together):
    errors = together(
        lambda: record(juvignac, "organisation.presentee", subject=("organisation", juvignac.pk), actor=OTHER),
        lambda: describe(juvignac, {"website": "https://juvignac.test"}, actor=OTHER),
        module=journal,
        name="locked_head",
    )
    assert errors == []


def _locks(package: str = "") -> list[tuple[str, str]]:
    """Every ``select_for_update`` of the code: its module, and the call with what follows it."""
    source = Path(parvis.__file__).parent
    return [
        (module, call)
        for path in source.rglob("*.py")
        if (module := path.relative_to(source).as_posix()).startswith(package)
        for call in re.findall(r"select_for_update\(.{0,160}", path.read_text(), re.DOTALL)
    ]


@pytest.mark.parametrize("package", ["core/routing", "core/documents", "core/organisations/services.py", "edemat"])
def test_no_lock_of_the_chain_keeps_others_from_referring_to_its_row(package):
    """FOR UPDATE would also stop whoever inserts a row that refers to the locked one, once it holds the journal."""
    locks = _locks(package)
    assert locks
    assert [lock for lock in locks if not re.match(r"select_for_update\([^)]*\)?[^)]*no_key=True", lock[1])] == []


def test_no_lock_takes_the_rows_that_are_only_read_beside_its_own():
    """Without ``of`` the organisation and the account joined to a row are locked too."""
    locks = _locks()
    wide = [lock for lock in locks if re.match(r"select_for_update\((no_key=True)?\)\s*\.select_related", lock[1])]
    assert len(locks) > 50
    assert wide == []
