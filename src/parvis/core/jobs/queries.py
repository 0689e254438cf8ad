"""Reads of the background jobs of one organisation, for those who administer it, and of the platform's own.

The queue's tables know no tenant: every read here filters by the organisation that the job's arguments name. The jobs
that name none are the platform's, for its operators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, F, JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from parvis.core.correlation import ARGUMENT
from parvis.core.web.keyset import Page, page_by

PLATFORM: Final = 0
"""Stands for the organisation of the jobs that have none; no organisation has this number."""
STATES: Final = {
    "failed": ("En échec", "danger"),
    "doing": ("En cours", "info"),
    "todo": ("En attente", ""),
    "succeeded": ("Faits", "ok"),
}
# Those of a platform whose periodic jobs end well twice a minute are shown to nobody.
PLATFORM_STATES: Final = {state: shown for state, shown in STATES.items() if state != "succeeded"}
# The same expression as in the index jobs_of_owner.
OWNER: Final = Coalesce(KeyTransform("organisation_id", "args"), Value(PLATFORM, output_field=JSONField()))


@dataclass(frozen=True)
class JobLine:
    """One job as its page shows it; ``code`` is the technical name, for the operator.

    ``error`` is the kind of the latest error, ``place`` where the code raised it; ``number`` finds the job in the logs.
    """

    pk: int
    label: str
    code: str
    state: str
    attempts: int
    next_attempt: datetime | None
    last_event: datetime | None
    error: str
    place: str
    number: str


def of_organisation(organisation_id: int) -> "QuerySet[ProcrastinateJob]":
    """The jobs of one organisation, or of ``PLATFORM``."""
    return ProcrastinateJob.objects.alias(owner=OWNER).filter(owner=organisation_id)


def counts(organisation_id: int, states: Mapping[str, object] = STATES) -> dict[str, int]:
    """Number of jobs in each state shown."""
    rows = of_organisation(organisation_id).filter(status__in=list(states)).values("status")
    found = {row["status"]: row["number"] for row in rows.annotate(number=Count("pk"))}
    return {state: found.get(state, 0) for state in states}


def latest_state(organisation_id: int, task_name: str) -> str:
    """State of the latest job of this name for the organisation, "" when there never was one."""
    jobs = of_organisation(organisation_id).filter(task_name=task_name).order_by("-pk")
    return jobs.values_list("status", flat=True).first() or ""


def label_of(task_name: str) -> str:
    """What the task calls itself in French, else the last part of its technical name."""
    task = app.tasks.get(task_name)
    label = getattr(task.func, "label", "") if task else ""
    return label or task_name.rpartition(".")[2].replace("_", " ")


def page_of_jobs(organisation_id: int, state: str, query: Mapping[str, Any]) -> Page[ProcrastinateJob]:
    """The page that ``query`` asks for of the jobs in one state, newest first: one statement."""
    events = ProcrastinateEvent.objects.filter(job=OuterRef("pk")).exclude(type="scheduled").order_by("-at")
    jobs = of_organisation(organisation_id).filter(status=state)
    jobs = jobs.annotate(
        last=Subquery(events.values("at")[:1]),
        error=F("failure__error"),
        place=F("failure__place"),
        number=F("failure__correlation_id"),
    )
    after, before = _key(query.get("apres", "")), _key(query.get("avant", ""))
    return page_by(jobs, ("pk",), after, before, key=lambda job: str(job.pk), descending=True)


def _key(text: str) -> tuple[int] | None:
    """The number of a job written in an address; None for anything else (the list then begins at its start)."""
    return (int(text),) if text.isascii() and text.isdigit() and len(text) < 19 else None


def line_of(job: Any) -> JobLine:
    """A job of ``page_of_jobs`` as its page shows it."""
    return JobLine(
        job.pk, label_of(job.task_name), job.task_name, job.status, job.attempts,
        job.scheduled_at if job.status == "todo" else None, job.last,
        job.error or "", job.place or "", job.number or job.args.get(ARGUMENT, ""),
    )  # fmt: skip
