"""Giving a failed background job back to work."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation

from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.jobs import queries
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation


class JobNotFailed(DomainError):
    """Only a failed job can be given back to work."""


class JobWaitsAlready(DomainError):
    """Another job that does the same waits in the queue."""


@transaction.atomic
def retry(organisation: Organisation, job_id: int, *, actor: Actor) -> None:
    """Put a failed job of ``organisation`` back in the queue, to be taken at once; jobs are idempotent."""
    job = _give_back(organisation.pk, job_id)
    record(
        organisation,
        "travail.relance",
        subject=("travail", job.pk),
        actor=actor,
        details={"task": job.task_name},
    )


@transaction.atomic
def retry_of_platform(job_id: int, *, by: Account, request: HttpRequest) -> None:
    """Put a failed job of the platform's own back in the queue."""
    job = _give_back(queries.PLATFORM, job_id)
    audit("manager.job.retry", request=request, actor=by, data={"job": job.pk, "task": job.task_name})


def _give_back(organisation_id: int, job_id: int) -> ProcrastinateJob:
    failed = queries.of_organisation(organisation_id).filter(pk=min(job_id, 2**63 - 1), status="failed")
    job = failed.select_for_update().first()
    if job is None:
        raise JobNotFailed("Ce travail n’est plus en échec : il a déjà été relancé, ou il s’est terminé.", job=job_id)
    try:
        with transaction.atomic():
            # The queue compares this instant with the database's own clock, never with the simulated one.
            app.job_manager.retry_job_by_id(job.pk, retry_at=timezone.now())
    except UniqueViolation:
        raise JobWaitsAlready(
            "Un autre travail, qui fera la même chose, attend déjà son tour : il n’y a rien à relancer.", job=job_id
        ) from None
    return job
