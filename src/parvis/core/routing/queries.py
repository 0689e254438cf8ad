"""Reads of the inbox « À traiter »."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.identity.access import request_mandates
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.tenancy import current_scope
from parvis.core.routing.desk import Load, in_order
from parvis.core.routing.models import Task


def inbox(account: Account, mandates: Iterable[Mandate]) -> QuerySet[Task]:
    """Open tasks that ``account`` may do under its mandates, in the order of the desk."""
    allowed = Q(pk__in=[])
    for mandate in mandates:
        allowed |= Q(organisation_id=mandate.organisation_id, permission__in=mandate.permissions)
    tasks = Task.objects.filter(
        allowed,
        Q(assignee__isnull=True) | Q(assignee=account),
        Q(barred__isnull=True) | ~Q(barred=account),
        state=Task.State.OPEN,
    )
    return in_order(tasks, clock.now())


def request_load(request: HttpRequest) -> Load:
    """What awaits the person of ``request`` in the organisations acted for, counted once per request."""
    if not hasattr(request, "_desk_load"):
        mandates = request_mandates(request)
        counted = bool(mandates and current_scope().organisations)
        load = Load.of(inbox(request.user, mandates), clock.now()) if counted else Load()  # type: ignore[arg-type]
        request._desk_load = load  # type: ignore[attr-defined]
    return request._desk_load  # type: ignore[attr-defined]
