"""Giving a failed background job back to work."""

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from parvis.core.errors import DomainError
from parvis.core.jobs import queries
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation


class JobNotFailed(DomainError):
    """Only a failed job can be given back to work."""


@transaction.atomic
def retry(organisation: Organisation, job_id: int, *, actor: Actor) -> None:
    """Put a failed job of ``organisation`` back in the queue, to be taken at once; jobs are idempotent."""
    job = queries.of_organisation(organisation.pk).filter(pk=job_id, status="failed").first()
    if job is None:
        raise JobNotFailed("Ce travail n’est plus en échec : il a déjà été relancé, ou il s’est terminé.", job=job_id)
    # The queue compares this instant with the database's own clock, never with the simulated one.
    app.job_manager.retry_job_by_id(job.pk, retry_at=timezone.now())
    record(
        organisation,
        "travail.relance",
        subject=("travail", job.pk),
        actor=actor,
        details={"task": job.task_name},
    )
