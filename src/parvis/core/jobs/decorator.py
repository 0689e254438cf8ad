"""The ``job`` decorator: a procrastinate task that acts for one organisation.

A job may run more than once (a worker may die between the work and its acknowledgement), so its body must be
idempotent under a natural key.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, Union

from django.db import close_old_connections, connection
from procrastinate import BaseRetryStrategy, RetryStrategy
from procrastinate.contrib.django import app

if TYPE_CHECKING:
    from parvis.core.organisations.models import Organisation

PATIENT = RetryStrategy(max_attempts=12, exponential_wait=2)


class Job(Protocol):
    """What ``@job`` gives back: the function itself, and a way to enqueue it."""

    def __call__(self, organisation_id: int, **arguments: Any) -> None: ...

    def enqueue(self, organisation: Union["Organisation", int], **arguments: Any) -> int: ...


def job(
    *,
    queue: str,
    retry: BaseRetryStrategy | int | bool = PATIENT,
    in_transaction: bool = True,
    name: str = "",
    label: str = "",
) -> Callable[[Callable[..., None]], Job]:
    """Make ``function(organisation_id, **arguments)`` a background job.

    With ``in_transaction`` the body runs inside ``acting_for(organisation)``; without it the body opens its
    own transactions, as work that talks to the outside must. ``enqueue(organisation, **arguments)`` inserts
    the job in the caller's transaction and returns its number; arguments must be JSON values. ``label``
    is what the page of jobs calls it.
    """

    def decorate(function: Callable[..., None]) -> Job:
        @wraps(function)
        def run(organisation_id: int, **arguments: Any) -> None:
            from parvis.core.organisations.tenancy import acting_for  # the models are loaded by now

            if not connection.in_atomic_block:
                close_old_connections()  # a worker lives for days
            if not in_transaction:
                function(organisation_id, **arguments)
                return
            with acting_for(organisation_id):
                function(organisation_id, **arguments)

        name_of_task = name or f"{function.__module__}.{function.__name__}"
        task = app.task(name=name_of_task, queue=queue, retry=retry)(run)

        def enqueue(organisation: Union["Organisation", int], **arguments: Any) -> int:
            identifier = organisation if isinstance(organisation, int) else organisation.pk
            return task.defer(organisation_id=identifier, **arguments)

        run.enqueue = enqueue  # type: ignore[attr-defined]
        run.task = task  # type: ignore[attr-defined]
        run.label = label  # type: ignore[attr-defined]
        return run  # type: ignore[return-value]

    return decorate
