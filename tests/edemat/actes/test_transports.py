"""The real transports against the sandbox's servers: what each failure of the line becomes."""

import io
import socket
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from email.message import EmailMessage
from smtplib import SMTP

import pytest

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.actes.enums import Delivery, Status
from parvis.edemat.actes.models import Acte, Transaction
from parvis.edemat.actes.services import reception, transmission
from parvis.edemat.actes.transports.base import Outcome
from parvis.edemat.actes.transports.mailbox import ImapMailbox
from parvis.edemat.actes.transports.ministry import MinistryTransport, MultipartFile
from tests.edemat.actes.conftest import AGENT, connect
from tests.edemat.actes.test_faults import order

NAME = "PAR-EACT--213401235--20190703-1.tar.gz"


def send(content: bytes = b"not an archive"):
    return MinistryTransport().send(NAME, io.BytesIO(content), len(content))


@contextmanager
def server(answer):
    """A TCP server on loopback that hands each connection to ``answer``; gives its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_the_body_says_its_length_and_carries_the_file_once():
    body = MultipartFile("enveloppe", NAME, io.BytesIO(b"x" * 700_000), 700_000)
    sent = b"".join(body)
    assert len(sent) == len(body)
    assert body.delivered
    assert f'name="enveloppe"; filename="{NAME}"'.encode() in sent
    assert sent.count(b"x" * 700_000) == 1


@pytest.mark.parametrize(("scenario", "outcome"), [("http_500", Outcome.REFUSED), ("http_404", Outcome.LINE_CLOSED)])
def test_an_answer_that_is_not_200_means_not_sent(sandbox, scenario, outcome):
    order(sandbox, scenario=scenario, count=1)
    assert send().outcome == outcome


def test_what_the_ministry_cannot_read_is_refused(sandbox):
    assert send().outcome == Outcome.REFUSED


def test_a_server_of_another_authority_is_not_trusted(sandbox, settings, tmp_path):
    other = tmp_path / "other.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=autre",
            "-days",
            "1",
            "-keyout",
            tmp_path / "k.pem",
            "-out",
            other,
        ],
        check=True,
        capture_output=True,
    )
    settings.PARVIS_MINISTRY_CA = str(other)
    answer = send()
    assert answer.outcome == Outcome.LINE_CLOSED
    assert "certificat" in answer.sentence


def test_nobody_at_the_address_closes_the_line(sandbox, settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    settings.PARVIS_MINISTRY_URL = f"https://localhost:{free}/"
    assert send().outcome == Outcome.LINE_CLOSED
    settings.PARVIS_MINISTRY_URL = ""
    assert send().outcome == Outcome.LINE_CLOSED


def test_a_server_that_never_shakes_hands_closes_the_line(sandbox, settings):
    settings.PARVIS_MINISTRY_TIMEOUTS = (0.3, 0.3)
    with server(lambda connection: connection.recv(10)) as port:
        settings.PARVIS_MINISTRY_URL = f"https://localhost:{port}/"
        assert send().outcome == Outcome.LINE_CLOSED


def test_a_certificate_out_of_reach_keeps_the_archive_here(sandbox, settings):
    settings.PARVIS_MINISTRY_CLIENT_KEY = "/nowhere/key.pem"
    assert send().outcome == Outcome.LINE_CLOSED


@pytest.fixture
def ready(juvignac, sandbox, prepare):
    """An act whose real archive is ready to leave; the ministry behaves."""
    connect(juvignac, sandbox.mailbox)
    order(sandbox, scenario="ar", delay_seconds=0)
    acte = prepare(juvignac, numero=f"T{threading.get_native_id()}{id(juvignac) % 10**6}"[:15])
    with acting_for(juvignac):
        asked = transmission.transmettre(acte, actor=AGENT)
        transmission.build_archive(asked.pk)
    return asked


def current(subject) -> Transaction:
    with acting_for(subject.organisation_id):
        return Transaction.objects.get(pk=subject.pk)


def test_a_time_out_after_acceptance_is_uncertain(ready, sandbox, settings):
    settings.PARVIS_MINISTRY_TIMEOUTS = (5, 0.5)
    order(sandbox, scenario="attente", hold_seconds=2, count=1)
    transmission.send_archive(ready.organisation_id, ready.pk)
    assert (current(ready).status, current(ready).delivery) == (Status.EN_ATTENTE, Delivery.INCERTAINE)


def test_a_connection_cut_after_acceptance_is_uncertain(ready, sandbox):
    order(sandbox, scenario="coupure", count=1)
    transmission.send_archive(ready.organisation_id, ready.pk)
    assert current(ready).delivery == Delivery.INCERTAINE


def test_a_whole_exchange_over_the_real_protocols(ready, sandbox):
    transmission.send_archive(ready.organisation_id, ready.pk)
    assert current(ready).status == Status.TRANSMIS
    deadline = time.monotonic() + 10
    while current(ready).status != Status.ACQUITTE and time.monotonic() < deadline:
        reception.poll()
        time.sleep(0.05)
    assert current(ready).status == Status.ACQUITTE
    with acting_for(ready.organisation_id):
        assert Acte.objects.get(pk=ready.acte_id).received_on is not None


# --- the mailbox ----------------------------------------------------------------------------------
@pytest.fixture
def box(sandbox, settings):
    """``box(3)`` delivers three messages to a new address and opens its mailbox."""
    address = f"boite-{uuid.uuid4().hex[:8]}@parvis.test"
    settings.PARVIS_ACTES_MAILBOX = sandbox.settings["PARVIS_ACTES_MAILBOX"] | {"user": address}
    opened = []

    def make(count: int, size: int = 10) -> ImapMailbox:
        with SMTP("127.0.0.1", sandbox.smtp_port) as client:
            for n in range(count):
                mail = EmailMessage()
                mail["From"], mail["To"], mail["Subject"] = "a@parvis.test", address, f"n° {n}"
                mail.set_content("x" * 60 + "\n" if size < 100 else ("x" * 60 + "\n") * (size // 61))
                client.send_message(mail)
        opened.append(ImapMailbox())
        return opened[-1]

    yield make
    for mailbox in opened:
        mailbox.close()


def test_messages_come_oldest_first_and_leave_once_filed(box):
    mailbox = box(45)
    first = list(mailbox.waiting(30))
    assert len(first) == 30
    assert [int(uid) for uid, _ in first] == list(range(1, 31))
    for uid, _ in first:
        mailbox.file(uid)
    mailbox.file(first[0][0])  # filed by another reader meanwhile: harmless
    assert [int(uid) for uid, _ in mailbox.waiting(30)] == list(range(31, 46))


def test_a_message_too_large_is_set_aside_unread(box, monkeypatch):
    from parvis.edemat.actes.transports import mailbox as module

    monkeypatch.setattr(module, "MAX_MAIL", 5_000)
    mailbox = box(1, size=10_000)
    assert list(mailbox.waiting(10)) == []
    assert list(mailbox.waiting(10)) == []
    mailbox._client.select_folder("A-examiner")
    assert len(mailbox._client.search(["ALL"])) == 1
