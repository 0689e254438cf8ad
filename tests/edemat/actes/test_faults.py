"""Processes that die at the worst moment, workers that race: one sending, one receipt, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.db import connection

from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.actes.enums import Delivery, InboundState, Status
from parvis.edemat.actes.models import Acte, InboundMessage, Transaction
from parvis.edemat.actes.services import reception, transmission
from tests.edemat.actes.conftest import AGENT, connect

PROJECT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


def order(sandbox, **what) -> dict:
    body = json.dumps(what).encode()
    return json.loads(urlopen(Request(f"{sandbox.control_url}/__scenario", body)).read())


def register(sandbox, acte) -> list[str]:
    """What the ministry has written down about the act, in order."""
    seen = json.loads(urlopen(f"{sandbox.control_url}/__state").read())["received"]
    return [line["outcome"] for line in seen if line["id_acte"] == acte.unique_id]


@pytest.fixture
def mailbox(sandbox, settings) -> str:
    """A mailbox of this test's own, so that nothing of another test waits in it."""
    address = f"retours-{uuid.uuid4().hex[:10]}@parvis.test"
    settings.PARVIS_ACTES_MAILBOX = sandbox.settings["PARVIS_ACTES_MAILBOX"] | {"user": address}
    return address


@pytest.fixture
def commune(transactional_db, juvignac, sandbox, mailbox):
    connect(juvignac, mailbox)
    order(sandbox, scenario="ar", delay_seconds=0)
    return juvignac


@pytest.fixture
def ready(commune, prepare):
    """An act whose archive is built and waits to be sent; its number is new to the ministry."""
    acte = prepare(commune, numero=f"F{time.time_ns() % 10**12}")
    with acting_for(commune):
        asked = transmission.transmettre(acte, actor=AGENT)
        transmission.build_archive(asked.pk)
        return Acte.objects.select_related("organisation").get(pk=acte.pk)


@pytest.fixture
def start(tmp_path, sandbox, settings):
    """``start("send", stop=…, …)`` -> a process that has reached its stop; killed at the end whatever
    happens."""
    running = []

    def launch(job: str, *, wait_for: str = "reached", **spec) -> subprocess.Popen:
        told = [name for name in sandbox.settings if not name.endswith("_DIR")]
        spec["settings"] = {name: getattr(settings, name) for name in told}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.edemat.actes.faulty_process", job, str(tmp_path), json.dumps(spec)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={
                **os.environ,
                "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}",
                "PARVIS_VAR_DIR": os.environ["PARVIS_VAR_DIR"],
            },
        )
        running.append(process)
        if wait_for:
            assert process.stdout.readline().strip() == wait_for
        return process

    yield launch
    for process in running:
        process.kill()
        process.wait()


def transaction_of(acte) -> str:
    with acting_for(acte.organisation):
        return str(Transaction.objects.get(acte=acte).pk)


def kill(process: subprocess.Popen) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    # PostgreSQL notices that its client is gone, rolls back and frees the locks.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            advisory = cursor.fetchone()[0]
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
            )
            if not advisory and not cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("the locks of the dead process are still held")


def until_processed(commune, seconds: float = 15) -> None:
    """Poll until the ministry's mail has been read."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reception.poll()
        with acting_for(commune):
            if InboundMessage.objects.filter(state=InboundState.TRAITE).exists():
                return
        time.sleep(0.1)
    raise AssertionError("no mail came")


def test_a_sender_killed_between_post_and_commit_leaves_an_uncertain_sending(commune, ready, start, sandbox):
    order(sandbox, scenario="ar", delay_seconds=3600)  # the receipt is late: nobody knows for a while
    sender = start("send", stop="before_recording", organisation=commune.pk, transaction=transaction_of(ready))
    kill(sender)
    with acting_for(commune):
        sent = Transaction.objects.get(acte=ready)
        assert (sent.status, sent.delivery, sent.attempts) == (Status.EN_ATTENTE, Delivery.EN_COURS, 1)
    for _ in range(3):
        transmission.send_archive(commune, sent.pk)
    with acting_for(commune):
        sent.refresh_from_db()
        assert (sent.status, sent.delivery, sent.attempts) == (Status.EN_ATTENTE, Delivery.INCERTAINE, 1)
        assert Task.objects.get(subject_id=ready.pk, state="open", verb="Vérifier l’envoi")
    assert register(sandbox, ready) == ["ar"]  # received once


def test_the_receipt_resolves_what_a_dead_sender_left(commune, ready, start, sandbox):
    sender = start("send", stop="before_recording", organisation=commune.pk, transaction=transaction_of(ready))
    kill(sender)
    transmission.send_archive(commune, transaction_of(ready))
    until_processed(commune)
    with acting_for(commune):
        sent = Transaction.objects.get(acte=ready)
        assert (sent.status, sent.delivery) == (Status.ACQUITTE, Delivery.ACCEPTEE)
        assert Acte.objects.get(pk=ready.pk).received_on is not None
        assert not Task.objects.filter(subject_id=ready.pk, state="open").exists()
    assert register(sandbox, ready) == ["ar"]


@pytest.mark.parametrize("stop", ["before_commit", "before_filing"])
def test_a_reader_killed_halfway_reads_the_mail_once_at_its_restart(commune, ready, start, sandbox, mailbox, stop):
    transmission.send_archive(commune, transaction_of(ready))
    wait_for_mail(sandbox, mailbox)
    reader = start("read", stop=stop)
    kill(reader)
    with acting_for(commune):
        assert Acte.objects.get(pk=ready.pk).status == Status.TRANSMIS
        assert InboundMessage.objects.get().state == InboundState.RECU  # stored, not lost, not applied
    until_processed(commune)
    reception.poll()
    with acting_for(commune):
        assert Acte.objects.get(pk=ready.pk).status == Status.ACQUITTE
        sent = Transaction.objects.get(acte=ready)
        assert list(sent.events.values_list("status", flat=True)) == [1, 2, 3, 4]
        assert InboundMessage.objects.count() == 1


def wait_for_mail(sandbox, mailbox, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    address = f"{sandbox.inbox_url}/messages.json?adresse={mailbox}"
    while time.monotonic() < deadline:
        if any(row["folder"] == "INBOX" for row in json.loads(urlopen(address).read())):
            return
        time.sleep(0.05)
    raise AssertionError("the ministry sent no mail")


def test_two_senders_at_once_send_once(commune, ready, start, sandbox):
    first = start("send", stop="before_recording", organisation=commune.pk, transaction=transaction_of(ready))
    second = start("send", stop="", wait_for="finished", organisation=commune.pk, transaction=transaction_of(ready))
    assert second.wait(20) == 0
    with acting_for(commune):
        assert Transaction.objects.get(acte=ready).delivery == Delivery.EN_COURS  # the first is alive: not uncertain
    go(start, first)
    with acting_for(commune):
        assert Acte.objects.get(pk=ready.pk).status == Status.TRANSMIS
    assert register(sandbox, ready) == ["ar"]


def go(start, process: subprocess.Popen) -> None:
    """Let a waiting process go on to its end."""
    Path(process.args[4], "go").touch()
    assert process.stdout.readline().strip() == "finished"
    assert process.wait(20) == 0


def test_two_readers_at_once_acknowledge_once(commune, ready, start, sandbox, mailbox):
    transmission.send_archive(commune, transaction_of(ready))
    wait_for_mail(sandbox, mailbox)
    first = start("read", stop="before_commit")
    second = start("read", stop="", wait_for="finished")
    assert second.wait(20) == 0
    go(start, first)
    with acting_for(commune):
        sent = Transaction.objects.get(acte=ready)
        assert list(sent.events.values_list("status", flat=True)) == [1, 2, 3, 4]
        assert [m.state for m in InboundMessage.objects.all()] == [InboundState.TRAITE]


def test_a_reader_beside_a_sender_neither_waits_nor_loses(commune, ready, start, sandbox):
    """The receipt is read while the sender has not recorded the HTTP answer yet."""
    sender = start("send", stop="before_recording", organisation=commune.pk, transaction=transaction_of(ready))
    until_processed(commune)
    with acting_for(commune):
        assert Acte.objects.get(pk=ready.pk).status == Status.ACQUITTE
    go(start, sender)
    with acting_for(commune):
        sent = Transaction.objects.get(acte=ready)
        assert (sent.status, sent.delivery) == (Status.ACQUITTE, Delivery.ACCEPTEE)
        assert list(sent.events.values_list("status", flat=True)) == [1, 2, 4]
