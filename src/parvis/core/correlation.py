"""The number that follows a request through the logs, the jobs that it enqueues and what these enqueue in turn."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
ARGUMENT: Final = "correlation_id"
"""Name under which the arguments of a job carry the number; the job itself never receives it."""


@dataclass(frozen=True)
class RunningJob:
    """The job that a worker runs in this context."""

    pk: int | None
    name: str
    organisation: int | None


_number: ContextVar[str] = ContextVar("parvis_correlation", default="")
_job: ContextVar[RunningJob | None] = ContextVar("parvis_running_job", default=None)


def new_number() -> str:
    return uuid.uuid4().hex


def current_number() -> str:
    """The number in force in this context, "" outside of a request and of a job."""
    return _number.get()


def current_job() -> RunningJob | None:
    """The job that runs in this context."""
    return _job.get()


@contextmanager
def following(number: str) -> Iterator[None]:
    """Give ``number`` to what is done here."""
    token = _number.set(number)
    try:
        yield
    finally:
        _number.reset(token)


def follow_job(job: RunningJob, number: str) -> None:
    """Give its number to the job that has this context for itself, for as long as the context lives."""
    _number.set(number or new_number())
    _job.set(job)


def carried(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a job to enqueue, with the number in force here, if there is one."""
    number = current_number()
    return {**arguments, ARGUMENT: number} if number else arguments
