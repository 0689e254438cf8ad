"""Reads of the inbox « À traiter »."""

from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from parvis.core.identity.models import Account, Mandate
from parvis.core.routing.models import Task


def inbox(account: Account, mandates: Iterable[Mandate]) -> QuerySet[Task]:
    """Open tasks that ``account`` may do under its mandates, by deadline (those without one come last)."""
    allowed = Q(pk__in=[])
    for mandate in mandates:
        allowed |= Q(organisation_id=mandate.organisation_id, permission__in=mandate.permissions)
    return (
        Task.objects.filter(
            allowed,
            Q(assignee__isnull=True) | Q(assignee=account),
            Q(barred__isnull=True) | ~Q(barred=account),
            state=Task.State.OPEN,
        )
        .select_related("organisation")
        .order_by(F("deadline").asc(nulls_last=True), "id")
    )
