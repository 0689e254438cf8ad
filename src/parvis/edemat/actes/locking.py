"""The order of locks around an act: the acts, their routes, a transaction, then the journal, then a number.

Every change of an act begins here, before its first ``record``: the end of the journal is one row per
organisation, which each writer holds until it commits. See « Locks » in docs/architecture.md.
"""

from collections.abc import Iterable
from uuid import UUID

from parvis.core.journal.services import ChainEnd, locked_head
from parvis.core.organisations.models import Organisation
from parvis.core.routing.models import Route
from parvis.core.routing.services import lock_route
from parvis.edemat.actes.models import Acte, Transaction


def lock_acte(known: Acte | UUID | str) -> Acte:
    """The act and its route, read afresh and locked until the transaction ends. Raises ``Acte.DoesNotExist``.

    The organisation of an act that was read already is not read again.
    """
    acts = Acte.objects.select_for_update(of=("self",), no_key=True).select_related("document")
    if isinstance(known, Acte):
        acte = acts.get(pk=known.pk)
        acte.organisation = known.organisation
    else:
        acte = acts.select_related("organisation").get(pk=known)
    return _complete(acte, lock_route(acte.route_id) if acte.route_id else None)


def lock_transaction(pk: UUID | str) -> Transaction:
    """The transaction, locked after its act and the act's route. Raises ``Transaction.DoesNotExist``."""
    acts = Acte.objects.select_for_update(of=("self",), no_key=True).filter(transactions__pk=pk)
    routes = [lock_route(route) if route else None for route in acts.values_list("route_id", flat=True)]
    locking = Transaction.objects.select_for_update(of=("self",), no_key=True).select_related(
        "organisation", "acte__document"
    )
    subject = locking.get(pk=pk)
    if subject.acte:
        subject.acte.organisation = subject.organisation
        _complete(subject.acte, *routes)
    return subject


def _complete(acte: Acte, route: Route | None) -> Acte:
    """``acte`` with what was read beside it."""
    acte.route = route
    if acte.document:
        acte.document.organisation = acte.organisation
    return acte


def lock_actes(pks: Iterable[UUID]) -> None:
    """Several acts, then their routes, each in the order of identifiers."""
    acts = Acte.objects.select_for_update(no_key=True).filter(pk__in=set(pks)).order_by("pk")
    for route in sorted(route for route in acts.values_list("route_id", flat=True) if route):
        lock_route(route)


def lock_numbers(organisation: Organisation) -> ChainEnd:
    """To be called before a number of the organisation's acts is given, or given back to an act in error.

    The database makes two that take the same number wait for one another. A route prepares its act once it has
    written in the journal; whoever else takes a number therefore holds the end of the journal first.
    """
    return locked_head(organisation)
