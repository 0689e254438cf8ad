"""Who may open a document: its file follows the permission of the service that holds it.

A service declares, from ``AppConfig.ready``, which of its columns hold documents and the permission that opens
them. A document that no service holds follows the document it was made from; a published one is everybody's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet

from parvis.core.documents.models import Document

MAX_DERIVATIONS = 5


@dataclass(frozen=True)
class Holding:
    """One column that holds documents, on the rows that meet ``conditions``."""

    model: str
    column: str
    permission: str
    conditions: dict[str, Any] = field(default_factory=dict)

    def exists(self) -> Exists:
        rows = apps.get_model(self.model)._default_manager.filter(**self.conditions)
        return Exists(rows.filter(**{self.column: OuterRef("pk")}))


_holdings: list[Holding] = []


def hold(model: str, *columns: str, permission: str, **conditions: Any) -> None:
    """Say that ``columns`` of ``model`` ("seances.Annexe") hold documents which ``permission`` opens."""
    for column in columns:
        holding = Holding(model, column, permission, conditions)
        if holding not in _holdings:
            _holdings.append(holding)


def _any(holdings: Iterable[Holding]) -> Q:
    held = Q(pk__in=[])
    for holding in holdings:
        held |= Q(holding.exists())
    return held


def readable(rows: QuerySet[Document], permissions: frozenset[str]) -> QuerySet[Document]:
    """Those of ``rows`` that somebody with ``permissions`` may open by what holds them or makes them public."""
    return rows.filter(_any(h for h in _holdings if h.permission in permissions) | Q(public_since__isnull=False))


def may_open(document: Document, permissions: frozenset[str]) -> bool:
    """Whether ``permissions`` open ``document``, by itself or, held by nobody, by the one it was made from."""
    here: Document | None = document
    for _ in range(MAX_DERIVATIONS):
        if here is None:
            return False
        row = Document.objects.filter(pk=here.pk)
        if readable(row, permissions).exists():
            return True
        if row.filter(_any(_holdings)).exists():
            return False
        here = here.source
    return False
