"""Reads of the background jobs of one organisation, for those who administer it.

The queue's tables know no tenant: every read here filters by the organisation that the job's arguments name.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Max, QuerySet
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

SHOWN: Final = 100
STATES: Final = {
    "failed": ("En échec", "danger"),
    "doing": ("En cours", "info"),
    "todo": ("En attente", ""),
    "succeeded": ("Faits", "ok"),
}


@dataclass(frozen=True)
class JobLine:
    """One job as its page shows it; ``code`` is the technical name, for the operator."""

    pk: int
    label: str
    code: str
    state: str
    attempts: int
    scheduled_at: datetime | None
    last_event: datetime | None


def of_organisation(organisation_id: int) -> "QuerySet[ProcrastinateJob]":
    return ProcrastinateJob.objects.filter(args__organisation_id=organisation_id)


def counts(organisation_id: int) -> dict[str, int]:
    """Number of jobs in each state shown."""
    rows = of_organisation(organisation_id).values("status").annotate(number=Count("pk"))
    found = {row["status"]: row["number"] for row in rows}
    return {state: found.get(state, 0) for state in STATES}


def latest_state(organisation_id: int, task_name: str) -> str:
    """State of the latest job of this name for the organisation, "" when there never was one."""
    jobs = of_organisation(organisation_id).filter(task_name=task_name).order_by("-pk")
    return jobs.values_list("status", flat=True).first() or ""


def label_of(task_name: str) -> str:
    """What the task calls itself in French, else the last part of its technical name."""
    task = app.tasks.get(task_name)
    label = getattr(task.func, "label", "") if task else ""
    return label or task_name.rpartition(".")[2].replace("_", " ")


def lines(organisation_id: int, state: str) -> list[JobLine]:
    """The latest jobs of the organisation in one state, newest first."""
    jobs = of_organisation(organisation_id).filter(status=state).annotate(last=Max("procrastinateevent__at"))
    return [
        JobLine(j.pk, label_of(j.task_name), j.task_name, j.status, j.attempts, j.scheduled_at, j.last)
        for j in jobs.order_by("-pk")[:SHOWN]
    ]
