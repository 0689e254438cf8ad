"""How the desk « À traiter » is laid out: tasks in groups by deadline, in the order of a working day.

What has no deadline waits for somebody all the same: it comes after this week, before what is for later.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from parvis.core.clock import PARIS
from parvis.core.routing.models import Task

LATE: Final = "late"
TODAY: Final = "today"
WEEK: Final = "week"
UNDATED: Final = "undated"
LATER: Final = "later"
LABELS: Final = {
    LATE: "En retard",
    TODAY: "Aujourd’hui",
    WEEK: "Cette semaine",
    UNDATED: "Sans échéance",
    LATER: "Plus tard",
}


class Dated(Protocol):
    deadline: datetime | None


T = TypeVar("T", bound=Dated)


@dataclass
class Group(Generic[T]):
    """One group of the desk, in the order its tasks came."""

    code: str
    tasks: list[T] = field(default_factory=list)

    @property
    def label(self) -> str:
        return LABELS[self.code]


def end_of_week(today: date) -> date:
    """The Sunday that closes the week of ``today``."""
    return today + timedelta(days=6 - today.weekday())


def next_monday(now: datetime) -> datetime:
    """The first instant after the week of ``now``."""
    return datetime.combine(end_of_week(now.astimezone(PARIS).date()) + timedelta(days=1), time(), PARIS)


def place_of_undated(now: datetime) -> datetime:
    """Where what has no deadline takes its place: after this week, before what is for Monday."""
    return next_monday(now) - timedelta(microseconds=1)


def in_order(tasks: QuerySet[Task], now: datetime) -> QuerySet[Task]:
    """``tasks`` in the order of the desk; ``place`` is the deadline of each, or the end of this week without one."""
    return tasks.annotate(place=Coalesce("deadline", Value(place_of_undated(now)))).order_by("place", "pk")


def group_of(deadline: datetime | None, now: datetime) -> str:
    """Group of a task: late once its instant is past, today until midnight in Paris, week until Sunday."""
    if deadline is None:
        return UNDATED
    local, today = deadline.astimezone(PARIS), now.astimezone(PARIS).date()
    # A deadline written at midnight is a day, not an hour: it lasts until that day ends.
    due = local if local.time() != time() else datetime.combine(local.date(), time.max, PARIS)
    if due < now:
        return LATE
    if local.date() == today:
        return TODAY
    return WEEK if local.date() <= end_of_week(today) else LATER


def in_group(now: datetime) -> Case:
    """The group of a task as an SQL expression: says the same as ``group_of``."""
    today = now.astimezone(PARIS).date()
    midnight, tomorrow = (datetime.combine(day, time(), PARIS) for day in (today, today + timedelta(days=1)))
    late = Q(deadline__lt=now) & ~Q(deadline=midnight)
    return Case(
        When(late, then=Value(LATE)),
        When(deadline__lt=tomorrow, then=Value(TODAY)),
        When(deadline__lt=next_monday(now), then=Value(WEEK)),
        When(deadline__isnull=True, then=Value(UNDATED)),
        default=Value(LATER),
        output_field=CharField(),
    )


@dataclass(frozen=True)
class Load:
    """How many tasks await a person: by verb, by group, and by (organisation, service)."""

    verbs: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    services: Counter[tuple[int, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, tasks: QuerySet[Task], now: datetime) -> "Load":
        """Counted by the database in one query, whatever their number."""
        load = cls()
        rows = tasks.order_by().values_list("verb", in_group(now), "organisation_id", "service")
        for verb, group, organisation, service, number in rows.annotate(number=Count("pk")):
            load.verbs[verb] += number
            load.groups[group] += number
            load.services[organisation, service] += number
        return load

    @property
    def total(self) -> int:
        return self.verbs.total()


def following(tasks: QuerySet[Task], key: str, now: datetime) -> QuerySet[Task]:
    """The tasks ``in_order`` after the one that ``key`` names; all of them for a key out of form."""
    at, _, pk = key.rpartition(".")
    try:
        last = UUID(pk)
        place = datetime.fromisoformat(at) if at else place_of_undated(now)
    except ValueError:
        return tasks
    if place.tzinfo is None:
        return tasks
    return tasks.filter(Q(place__gt=place) | Q(place=place, pk__gt=last))


def key_of(task: Task) -> str:
    """Place of a task in the order of the desk, for an address."""
    at = task.deadline.astimezone(UTC).isoformat().replace("+00:00", "Z") if task.deadline else ""
    return f"{at}.{task.pk.hex}"


def grouped(tasks: Iterable[T], now: datetime) -> list[Group[T]]:
    """The groups that hold something, late first."""
    groups: dict[str, Group[T]] = {code: Group(code) for code in LABELS}
    for task in tasks:
        groups[group_of(task.deadline, now)].tasks.append(task)
    return [group for group in groups.values() if group.tasks]
