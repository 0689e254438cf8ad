"""The ``job`` decorator, a procrastinate task that acts for one organisation, and ``platform_job``, one of nobody's.

A job may run more than once (a worker may die between the work and its acknowledgement), so its body must be
idempotent under a natural key.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union

from django.db import close_old_connections, connection
from procrastinate import BaseRetryStrategy, JobContext, RetryStrategy
from procrastinate.contrib.django import app

from parvis.core import correlation

if TYPE_CHECKING:
    from parvis.core.organisations.models import Organisation

PATIENT = RetryStrategy(max_attempts=12, exponential_wait=2)


class Job(Protocol):
    """What ``@job`` gives back: the function itself, its task in the queue, and a way to enqueue it."""

    task: Any

    def __call__(self, organisation_id: int, **arguments: Any) -> None: ...

    def enqueue(self, organisation: Union["Organisation", int], **arguments: Any) -> int: ...


class PlatformJob(Protocol):
    """What ``@platform_job`` gives back: the function itself, its task in the queue, and a way to enqueue it."""

    task: Any

    def __call__(self, **arguments: Any) -> None: ...

    def defer(self, **arguments: Any) -> int: ...


Function = TypeVar("Function", bound=Callable[..., Any])


def labelled(label: str) -> Callable[[Function], Function]:
    """Say what the pages of jobs call the task made of this function."""

    def decorate(function: Function) -> Function:
        function.label = label  # type: ignore[attr-defined]
        return function

    return decorate


def _begin() -> None:
    """A worker lives for days: its connections may be too old, or dead."""
    if not connection.in_atomic_block:
        close_old_connections()


def platform_job(*, name: str, queue: str, label: str) -> Callable[[Callable[..., None]], PlatformJob]:
    """Make ``function(**arguments)`` a background job that acts for no organisation.

    ``defer(**arguments)`` inserts it in the caller's transaction; arguments must be JSON values.
    """

    def decorate(function: Callable[..., None]) -> PlatformJob:
        @labelled(label)
        @wraps(function)
        def run(**arguments: Any) -> None:
            arguments.pop(correlation.ARGUMENT, None)
            _begin()
            function(**arguments)

        task = app.task(name=name, queue=queue, retry=PATIENT, pass_context=False)(run)
        run.defer = lambda **arguments: task.defer(**correlation.carried(arguments))  # type: ignore[attr-defined]
        run.task = task  # type: ignore[attr-defined]
        return run  # type: ignore[return-value]

    return decorate


def job(
    *,
    queue: str,
    retry: BaseRetryStrategy | int | bool = PATIENT,
    in_transaction: bool = True,
    name: str = "",
    label: str = "",
    exhausted: Callable[..., None] | None = None,
) -> Callable[[Callable[..., None]], Job]:
    """Make ``function(organisation_id, **arguments)`` a background job.

    With ``in_transaction`` the body runs inside ``acting_for(organisation)``; without it the body opens its
    own transactions, as work that talks to the outside must. ``enqueue(organisation, **arguments)`` inserts
    the job in the caller's transaction and returns its number; arguments must be JSON values. ``label``
    is what the page of jobs calls it. ``exhausted(organisation_id, error, **arguments)`` runs, in transactions
    of its own, when the job raised and will not be tried again: what waited for it must learn so.
    """

    def decorate(function: Callable[..., None]) -> Job:
        @wraps(function)
        def run(organisation_id: int, **arguments: Any) -> None:
            from parvis.core.organisations.tenancy import acting_for  # the models are loaded by now

            _begin()
            if not in_transaction:
                function(organisation_id, **arguments)
                return
            with acting_for(organisation_id):
                function(organisation_id, **arguments)

        @labelled(label)
        @wraps(run)
        def attempt(context: JobContext | None = None, **arguments: Any) -> None:
            arguments.pop(correlation.ARGUMENT, None)
            try:
                run(**arguments)
            except Exception as error:
                if exhausted and context and task.get_retry_exception(exception=error, job=context.job) is None:
                    exhausted(arguments.pop("organisation_id"), error, **arguments)
                raise

        name_of_task = name or f"{function.__module__}.{function.__name__}"
        task = app.task(name=name_of_task, queue=queue, retry=retry, pass_context=True)(attempt)

        def enqueue(organisation: Union["Organisation", int], **arguments: Any) -> int:
            identifier = organisation if isinstance(organisation, int) else organisation.pk
            return task.defer(organisation_id=identifier, **correlation.carried(arguments))

        run.enqueue = enqueue  # type: ignore[attr-defined]
        run.task = task  # type: ignore[attr-defined]
        return run  # type: ignore[return-value]

    return decorate
