"""The order of locks around an act: the acts, their routes, a transaction, then the journal.

Every change of an act begins here, before its first ``record``: the end of the journal is one row per
organisation, which each writer holds until it commits. See « Locks » in docs/architecture.md.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from parvis.core.routing.services import lock_route
from parvis.edemat.actes.models import Acte


def lock_acte(pk: UUID | str) -> Acte:
    """The act and its route, locked until the transaction ends. Raises ``Acte.DoesNotExist``."""
    return _with_its_route(_acts_to_lock().get(pk=pk))


def lock_acte_of(transaction_id: UUID | str) -> Acte | None:
    """The act that a transaction is about, and its route, locked; None when it is about no act."""
    acte = _acts_to_lock().filter(transactions__pk=transaction_id).first()
    return _with_its_route(acte) if acte else None


def _acts_to_lock() -> QuerySet[Acte]:
    return Acte.objects.select_for_update(of=("self",)).select_related("organisation", "document")


def _with_its_route(acte: Acte) -> Acte:
    if acte.route_id:
        acte.route = lock_route(acte.route_id)
    if acte.document:
        acte.document.organisation = acte.organisation
    return acte


def lock_actes(pks: Iterable[UUID]) -> None:
    """Several acts, then their routes, each in the order of identifiers."""
    acts = Acte.objects.select_for_update().filter(pk__in=set(pks)).order_by("pk")
    for route in sorted(route for route in acts.values_list("route_id", flat=True) if route):
        lock_route(route)
