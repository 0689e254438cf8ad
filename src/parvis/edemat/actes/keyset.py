"""Pages of a list by key instead of by number: the last page costs what the first does, at a million rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import DateTimeField, Model, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

M = TypeVar("M", bound=Model)

PAGE_SIZE = 50


@dataclass(frozen=True)
class Key:
    """Place of a row in a list sorted by a date or an instant, then by identifier, both descending."""

    at: date | datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat().replace('+00:00', 'Z')}.{self.pk.hex}"

    @classmethod
    def parse(cls, text: str, *, instant: bool) -> "Key | None":
        """The key written in an address; None for anything else (the list then begins at its start)."""
        at, _, pk = text.rpartition(".")
        try:
            moment = datetime.fromisoformat(at) if instant else date.fromisoformat(at)
            if isinstance(moment, datetime) and moment.tzinfo is None:
                return None
            return cls(moment, UUID(pk))
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

    ``field`` is the date or instant the list is sorted by. One query, one row more than shown.
    """
    instant = isinstance(rows.model._meta.get_field(field), DateTimeField)
    after = Key.parse(query.get("apres", ""), instant=instant)
    before = Key.parse(query.get("avant", ""), instant=instant)
    if before:
        newer = rows.filter(TupleGreaterThan((field, "pk"), (before.at, before.pk))).order_by(field, "pk")
        found = list(newer[: size + 1])
        shown = found[:size][::-1]
        return _page(shown, field, previous=len(found) > size, following=bool(shown))
    if after:
        rows = rows.filter(TupleLessThan((field, "pk"), (after.at, after.pk)))
    found = list(rows.order_by(f"-{field}", "-pk")[: size + 1])
    return _page(found[:size], field, previous=bool(after and found), following=len(found) > size)


def _page(shown: list[M], field: str, *, previous: bool, following: bool) -> Page[M]:
    def key(row: M) -> str:
        return str(Key(getattr(row, field), row.pk))

    return Page(
        shown,
        previous=key(shown[0]) if previous and shown else "",
        next=key(shown[-1]) if following and shown else "",
    )
