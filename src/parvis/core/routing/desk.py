"""How the desk « À traiter » is laid out: tasks in four groups by deadline, in the order of a working day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Generic, Protocol, TypeVar

from parvis.core.clock import PARIS

LATE: Final = "late"
TODAY: Final = "today"
WEEK: Final = "week"
LATER: Final = "later"
LABELS: Final = {LATE: "En retard", TODAY: "Aujourd’hui", WEEK: "Cette semaine", LATER: "Plus tard"}


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


def group_of(deadline: datetime | None, now: datetime) -> str:
    """Group of a task: late once its instant is past, today until midnight in Paris, week until Sunday."""
    if deadline is None:
        return LATER
    local, today = deadline.astimezone(PARIS), now.astimezone(PARIS).date()
    # A deadline written at midnight is a day, not an hour: it lasts until that day ends.
    due = local if local.time() != time() else datetime.combine(local.date(), time.max, PARIS)
    if due < now:
        return LATE
    if local.date() == today:
        return TODAY
    return WEEK if local.date() <= end_of_week(today) else LATER


def grouped(tasks: Iterable[T], now: datetime) -> list[Group[T]]:
    """The groups that hold something, late first."""
    groups: dict[str, Group[T]] = {code: Group(code) for code in LABELS}
    for task in tasks:
        groups[group_of(task.deadline, now)].tasks.append(task)
    return [group for group in groups.values() if group.tasks]
