"""A job that fails for the last time leaves no transfer at work for ever: the archivist learns of the incident."""

from types import SimpleNamespace

import pytest
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.archives import intake, tasks
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.models import Transfer
from parvis.edemat.archives.services import storing

pytestmark = pytest.mark.django_db(transaction=True)

LAST = 12


def attempt(job, transfer, attempts: int) -> None:
    """Run the job's task as a worker does, with the number of attempts already made."""
    arguments = {"organisation_id": transfer.organisation_id, "transfer_id": str(transfer.pk)}
    description = Job(id=1, queue="archives", lock=None, queueing_lock=None, task_name=job.task.name, attempts=attempts)
    app.tasks[job.task.name].func(SimpleNamespace(job=description), **arguments)


def only_transfer(organisation) -> Transfer:
    with acting_for(organisation):
        return Transfer.objects.select_related("organisation").get()


@pytest.fixture
def deposited(juvignac, juvignac_route):
    with acting_for(juvignac):
        step_id = str(juvignac_route.steps.get().pk)
    tasks.build_transfer(juvignac.pk, step_id=step_id)
    return only_transfer(juvignac)


def fail(*args, **kwargs):
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("job", "where", "what", "working"),
    [
        (tasks.control_transfer, intake, "examine", State.EN_CONTROLE),
        (tasks.store_transfer, storing, "take_in_charge", State.EN_STOCKAGE),
    ],
)
def test_an_unforeseen_error_ends_in_an_incident(
    juvignac, deposited, agent_client, run_jobs, monkeypatch, job, where, what, working
):
    if job is tasks.store_transfer:
        tasks.control_transfer(juvignac.pk, transfer_id=str(deposited.pk))
    with monkeypatch.context() as broken:
        broken.setattr(where, what, fail)
        with pytest.raises(ZeroDivisionError):
            attempt(job, deposited, 0)
        assert only_transfer(juvignac).state == working
        with pytest.raises(ZeroDivisionError):
            attempt(job, deposited, LAST)
    stopped = only_transfer(juvignac)
    assert stopped.state == State.ERREUR_TECHNIQUE
    assert "ZeroDivisionError" in stopped.incident
    with acting_for(juvignac):
        task = Task.objects.get(state="open", verb="Relancer le versement")
        assert (task.permission, task.subject_id) == ("archives.verser", stopped.pk)
    client = agent_client(juvignac, "archiviste")
    page = f"/o/juvignac/archives/{stopped.pk}/"
    assert "erreur imprévue" in client.get(page).content.decode()
    assert client.post(f"{page}relancer/").status_code == 302
    run_jobs()
    assert only_transfer(juvignac).state == State.ARCHIVE


def test_a_transfer_that_is_no_longer_at_work_is_left_alone(juvignac, deposited, monkeypatch):
    tasks.control_transfer(juvignac.pk, transfer_id=str(deposited.pk))
    tasks.store_transfer(juvignac.pk, transfer_id=str(deposited.pk))
    monkeypatch.setattr("parvis.edemat.archives.services.controlling.control", fail)
    with pytest.raises(ZeroDivisionError):
        attempt(tasks.control_transfer, deposited, LAST)
    assert only_transfer(juvignac).state == State.ARCHIVE
