# ruff: noqa: E402  (Django is set up before the models are imported)
"""A commune ready to transmit, and the simulated ministry in-process: same answers, no network."""

import io
from datetime import timedelta
from types import SimpleNamespace

import django
import pikepdf
import pytest

django.setup()  # the models below are imported before pytest-django does it

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.actes.formats.inbound import parse_message
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services import classification, reception, transmission
from parvis.edemat.actes.services.preparation import Annexe, prepare_acte, settings_of
from parvis.edemat.actes.transports.base import Answer, Outcome
from parvis_sandbox.ministry import returns
from parvis_sandbox.ministry.service import Ministry

AGENT = Actor("account", "1")
MAILBOX = "retours-actes@parvis.test"
FACTS = {
    "numero": "19.07.01.05",
    "nature": "1",
    "objet": "Convention de gestion de services numériques communs",
    "date": "2019-07-01",
    "matiere": "5.7",
    "matiere_label": "Institutions et vie politique/Intercommunalité",
    "type_piece": "99_DE",
}


def a_pdf(text: str = "") -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.docinfo["/Title"] = text
    target = io.BytesIO()
    pdf.save(target, static_id=True)
    return target.getvalue()


@pytest.fixture
def sent_at_ten(frozen_clock):
    """Wednesday 3 July 2019, 10:04 in Paris."""
    return frozen_clock("2019-07-03T10:04:00+02:00")


def connect(organisation, mailbox: str = MAILBOX) -> None:
    """Give the organisation a return address and the classification of the simulated préfecture."""
    with acting_for(organisation):
        chosen = settings_of(organisation)
        chosen.return_address = mailbox
        chosen.referent_name = "Secrétariat général"
        chosen.save()
        xml = returns.retour_classification("2019-04-18")
        classification.install(organisation, xml, "034----7-2_1.xml", parse_message(xml), actor=AGENT)


@pytest.fixture
def commune(juvignac, sent_at_ten):
    connect(juvignac)
    return juvignac


@pytest.fixture
def neighbour(fabregues, sent_at_ten):
    connect(fabregues)
    return fabregues


@pytest.fixture
def prepare():
    """``prepare(organisation, annexes=…, numero=…)`` -> an act ready to be transmitted."""

    def make(organisation, *, annexes: int = 0, **facts) -> Acte:
        facts = FACTS | facts
        with acting_for(organisation):
            document = store(organisation, a_pdf(facts["numero"]), "délibération n°5 (été).pdf")
            others = [
                Annexe(store(organisation, a_pdf(f"annexe {n}"), "annexe.pdf"), code_pj="70_DE") for n in range(annexes)
            ]
            return prepare_acte(organisation, facts, document, annexes=others, actor=AGENT)

    return make


class InProcess:
    """Transport and mailbox in one: archives go to the ministry's code, its mails wait here."""

    ministry: Ministry
    sent: list[str]
    set_aside: list[str]

    def send(self, name, archive, size) -> Answer:
        content = archive.read()
        assert len(content) == size
        type(self).sent.append(name)
        status, _, lost = type(self).ministry.receive(name, content)
        if lost:
            return Answer(Outcome.UNCERTAIN, "Pas de réponse.")
        if status == 200:
            return Answer(Outcome.ACCEPTED, "Archive acceptée par le ministère.")
        return Answer(Outcome.LINE_CLOSED if status == 404 else Outcome.REFUSED, f"Réponse {status}.")


class Mails:
    """A mailbox of raw messages held in memory."""

    def __init__(self, raw: list[bytes]) -> None:
        self.raw = dict(enumerate(raw))
        self.aside: list[bytes] = []

    def waiting(self, limit):
        for key in sorted(self.raw)[:limit]:
            yield str(key), self.raw[key]

    def file(self, identifier):
        del self.raw[int(identifier)]

    def set_aside(self, identifier):
        self.aside.append(self.raw.pop(int(identifier)))

    def close(self):
        return


@pytest.fixture
def state(tmp_path, settings, run_jobs):
    """The simulated ministry: ``state.scenario("ar_double")``, ``state.mails()``, ``state.sent``,
    ``state.poll()``."""
    InProcess.ministry = Ministry(tmp_path, lambda: clock.now(), ("", 0))
    InProcess.ministry.hold = 0
    InProcess.ministry._flush = lambda: None  # the mails stay in the outbox
    InProcess.sent = []
    settings.PARVIS_ACTES_TRANSPORT = "tests.edemat.actes.conftest.InProcess"

    def mails() -> list[bytes]:
        ready = [w.message.as_bytes() for w in InProcess.ministry.outbox]
        InProcess.ministry.outbox = []
        return ready

    def poll(raw: list[bytes] | None = None) -> reception.PassReport:
        return reception.poll(Mails(mails() if raw is None else raw))

    def transmit(acte: Acte) -> Acte:
        """Ask, build, send and return the act as it is then; the answers wait in the mailbox."""
        with acting_for(acte.organisation):
            transmission.transmettre(acte, actor=AGENT)
        run_jobs(queue="actes")
        return again(acte)

    def again(acte: Acte) -> Acte:
        with acting_for(acte.organisation):
            return Acte.objects.select_related("organisation").get(pk=acte.pk)

    return SimpleNamespace(
        ministry=InProcess.ministry,
        sent=InProcess.sent,
        scenario=lambda name, count=-1: InProcess.ministry.control({"scenario": name, "count": count}),
        mails=mails,
        poll=poll,
        transmit=transmit,
        again=again,
    )


@pytest.fixture
def later(monkeypatch):
    """``later(minutes=5)`` moves the frozen clock forward."""

    def move(**delta) -> None:
        moment = clock.now() + timedelta(**delta)
        monkeypatch.setattr(clock, "now", lambda: moment)

    return move
