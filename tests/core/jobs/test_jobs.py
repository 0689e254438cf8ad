"""Jobs live in the transaction that asks for them and act for one organisation."""

import asyncio
import os
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection, transaction

from parvis.core.jobs import job
from parvis.core.jobs.tasks import KEPT_HOURS, SILENCE_SECONDS, forget_done, rescue_stalled
from parvis.core.organisations.tenancy import acting_for, current_scope

seen: list = []
WORKER = {**os.environ, "PYTHONPATH": "src"}
MISSED = "Aucun programme des travaux n’a donné signe de vie"


@job(queue="essais", name="essais.note")
def note(organisation_id: int, word: str) -> None:
    seen.append((organisation_id, word, current_scope().organisations))


@pytest.mark.django_db
def test_a_job_enqueued_in_a_transaction_that_fails_is_never_run(juvignac, run_jobs):
    seen.clear()

    def ask_then_fail() -> None:
        with transaction.atomic():
            note.enqueue(juvignac, word="perdu")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ask_then_fail()
    assert run_jobs(queue="essais") == []
    assert seen == []


@pytest.mark.django_db
def test_a_job_acts_for_its_organisation_alone(juvignac, fabregues, run_jobs):
    seen.clear()
    with acting_for(juvignac, fabregues):
        note.enqueue(juvignac, word="oui")
    assert run_jobs(queue="essais") == ["essais.note"]
    assert seen == [(juvignac.pk, "oui", (juvignac.pk,))]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_killed_is_missed_by_health_and_on_the_page_of_jobs(client, juvignac, agent_client):
    administrator = agent_client(juvignac, "administrateur")
    process = subprocess.Popen([sys.executable, "-m", "parvis", "procrastinate", "worker"], env=WORKER)
    try:
        _wait(lambda: client.get("/health").json()["jobs"] == "ok")
        assert MISSED not in administrator.get("/o/juvignac/travaux/").content.decode()
    finally:
        process.kill()
        process.wait()
    assert client.get("/health").status_code == 200, "it may only be busy"
    _fall_silent()
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["jobs"]) == (503, "ko")
    assert MISSED in administrator.get("/o/juvignac/travaux/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_worker_was_killed_is_put_back_to_work(juvignac):
    """A real worker takes a job that never ends, is killed, and the rescue gives the job back."""
    script = (
        "import django; django.setup()\n"
        "import time\n"
        "from procrastinate.contrib.django import app\n"
        "from procrastinate.contrib.django.utils import connector_params\n"
        "@app.task(name='essais.sans_fin', queue='essais')\n"
        "def forever(): time.sleep(600)\n"
        "worker = app.with_connector(app.connector.get_worker_connector())\n"
        "forever.defer()\n"
        "worker.run_worker(queues=['essais'], update_heartbeat_interval=1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], env=WORKER)
    try:
        _wait(lambda: _statuses() == ["doing"])
    finally:
        process.kill()
        process.wait()
    _fall_silent()
    _as_the_worker(rescue_stalled)
    assert _statuses() == ["todo"]


@pytest.mark.django_db(transaction=True)
def test_jobs_that_succeeded_more_than_a_week_ago_are_forgotten_and_no_others(juvignac):
    with connection.cursor() as cursor:
        for status, hours in (("succeeded", KEPT_HOURS + 1), ("failed", KEPT_HOURS + 1), ("succeeded", KEPT_HOURS - 1)):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
                " VALUES ('essais', 'essais.sans_fin', '{}', %s::procrastinate_job_status) RETURNING id",
                [status],
            )
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at)"
                " VALUES (%s, %s::procrastinate_job_event_type, now() - %s * interval '1 hour')",
                [cursor.fetchone()[0], status, hours],
            )
        cursor.execute("DELETE FROM procrastinate_events WHERE type IN ('deferred', 'deferred_for_retry')")
    _as_the_worker(forget_done)
    assert sorted(_statuses()) == ["failed", "succeeded"]


def _as_the_worker(task) -> None:
    """Run a task of the queue itself as a worker does."""
    from procrastinate.contrib.django import app

    async def run() -> None:
        with app.replace_connector(app.connector.get_worker_connector()):
            async with app.open_async():
                await task()

    # A thread of its own: a browser test before this one may have left an event loop in the main thread.
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    thread.join(20)


def _fall_silent() -> None:
    """Set back the last heartbeat of the killed worker, as if it had died longer ago than the rescue waits for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - %s * interval '1 second'",
            [2 * SILENCE_SECONDS],
        )
        assert cursor.rowcount == 1


def _statuses() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE task_name = 'essais.sans_fin'")
        return [row[0] for row in cursor.fetchall()]


def _wait(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the worker did not take the job"
        time.sleep(0.05)
