"""Pages of a list by key instead of by number: the last page costs what the first does, at a million rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

M = TypeVar("M", bound=Model)

PAGE_SIZE = 50


@dataclass(frozen=True)
class Key:
    """Place of a row in a list sorted by a date then by identifier, both descending."""

    day: date
    pk: UUID

    def __str__(self) -> str:
        return f"{self.day:%Y%m%d}.{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> "Key | None":
        """The key written in an address; None for anything else (the list then begins at its start)."""
        day, _, pk = text.partition(".")
        try:
            return cls(date.fromisoformat(day), UUID(pk))
        except ValueError:
            return None


@dataclass(frozen=True)
class Page(Generic[M]):
    """One page of rows, with the keys to ask for its neighbours (empty at an end)."""

    rows: list[M]
    previous: str = ""
    next: str = ""


def page_of(rows: QuerySet[M], field: str, query: Mapping[str, Any], *, size: int = PAGE_SIZE) -> Page[M]:
    """The page of ``rows`` that ``query`` asks for (``apres`` or ``avant`` a key), newest first.

    ``field`` is the date the list is sorted by. One query, one row more than shown.
    """
    order = (f"-{field}", "-pk")
    after, before = Key.parse(query.get("apres", "")), Key.parse(query.get("avant", ""))
    if before:
        found = list(
            rows.filter(TupleGreaterThan((field, "pk"), (before.day, before.pk))).order_by(field, "pk")[
                : size + 1
            ]
        )
        more = len(found) > size
        shown = found[:size][::-1]
        return _page(shown, field, previous=more, following=bool(shown))
    if after:
        rows = rows.filter(TupleLessThan((field, "pk"), (after.day, after.pk)))
    found = list(rows.order_by(*order)[: size + 1])
    return _page(found[:size], field, previous=bool(after and found), following=len(found) > size)


def _page(shown: list[M], field: str, *, previous: bool, following: bool) -> Page[M]:
    def key(row: M) -> str:
        return str(Key(getattr(row, field), row.pk))

    return Page(
        shown,
        previous=key(shown[0]) if previous and shown else "",
        next=key(shown[-1]) if following and shown else "",
    )
