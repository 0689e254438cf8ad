"""A job carries the number of the request that asked for it, and its worker follows it."""

import asyncio
import json
import threading

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from parvis.core.correlation import current_job, current_number, following
from parvis.core.jobs import job
from parvis.core.jobs.decorator import platform_job
from parvis.core.jobs.models import JobFailure

seen: list = []


@job(queue="suivis", name="suivis.first")
def first(organisation_id: int, word: str) -> None:
    seen.append((word, current_number(), current_job()))
    second.defer(word="suite")


@platform_job(name="suivis.second", queue="suivis", label="Essai")
def second(*, word: str) -> None:
    seen.append((word, current_number(), current_job()))


def arguments() -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE queue_name = 'suivis' ORDER BY id")
        return [json.loads(row[0]) for row in cursor.fetchall()]


def work() -> None:
    """Let a real worker do what waits, in a thread: a browser test may have left an event loop in this one."""

    async def run() -> None:
        with app.replace_connector(app.connector.get_worker_connector()):
            async with app.open_async():
                await app.run_worker_async(queues=["suivis"], wait=False, install_signal_handlers=False)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.django_db
def test_a_job_carries_the_number_in_force_and_never_receives_it(juvignac, run_jobs):
    with following("suivi-0001"):
        first.enqueue(juvignac, word="oui")
    assert arguments() == [{"organisation_id": juvignac.pk, "word": "oui", "correlation_id": "suivi-0001"}]
    assert run_jobs(queue="suivis") == ["suivis.first", "suivis.second"]


@pytest.mark.django_db
def test_outside_of_a_request_the_arguments_are_those_given(juvignac):
    first.enqueue(juvignac, word="oui")
    second.defer(word="non")
    assert arguments() == [{"organisation_id": juvignac.pk, "word": "oui"}, {"word": "non"}]


@pytest.mark.django_db(transaction=True)
def test_a_worker_follows_the_number_through_the_jobs_that_a_job_enqueues(juvignac):
    seen.clear()
    with following("suivi-0001"):
        first.enqueue(juvignac, word="oui")
    work()
    assert [(word, number) for word, number, _ in seen] == [("oui", "suivi-0001"), ("suite", "suivi-0001")]
    assert [(running.name, running.organisation) for *_, running in seen] == [
        ("suivis.first", juvignac.pk),
        ("suivis.second", None),
    ]


@pytest.mark.django_db(transaction=True)
def test_jobs_queued_without_a_number_each_get_their_own(juvignac):
    seen.clear()
    second.task.defer(word="un")
    second.task.defer(word="deux")
    work()
    numbers = [number for _, number, _ in seen]
    assert all(numbers)
    assert len(set(numbers)) == 2


@platform_job(name="suivis.broken", queue="suivis", label="Essai")
def broken(*, word: str) -> None:
    raise ValueError(f"Camille Essai habite {word}")


@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_the_kind_of_a_failure_and_none_of_its_words():
    with following("suivi-0001"):
        broken.defer(word="aux Lilas")
    work()
    failure = JobFailure.objects.get()
    assert (failure.error, failure.correlation_id) == ("ValueError", "suivi-0001")
    assert failure.place.startswith("parvis/core/jobs/decorator.py:")
