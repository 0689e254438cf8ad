"""Pages of a list by key instead of by number: the last page costs what the first does, at a million rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import DateField, DateTimeField, Field, Model, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

M = TypeVar("M", bound=Model)

PAGE_SIZE = 50


@dataclass(frozen=True)
class Key:
    """Place of a row in a list sorted by one column (a date, an instant, a text), then by identifier."""

    at: Any
    pk: UUID

    def __str__(self) -> str:
        at = self.at.isoformat().replace("+00:00", "Z") if isinstance(self.at, date) else self.at
        return f"{at}.{self.pk.hex}"

    @classmethod
    def parse(cls, text: str, column: "Field[Any, Any]") -> "Key | None":
        """The key written in an address; None for anything else (the list then begins at its start)."""
        at, _, pk = text.rpartition(".")
        try:
            return cls(_value(at, column), UUID(pk))
        except ValueError:
            return None


def _value(text: str, column: "Field[Any, Any]") -> Any:
    if isinstance(column, DateTimeField):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment
    return date.fromisoformat(text) if isinstance(column, DateField) else text.replace("\x00", "")


@dataclass(frozen=True)
class Page(Generic[M]):
    """One page of rows, with the keys to ask for its neighbours (empty at an end)."""

    rows: list[M]
    previous: str = ""
    next: str = ""


def page_of(
    rows: QuerySet[M], field: str, query: Mapping[str, Any], *, size: int = PAGE_SIZE, descending: bool = True
) -> Page[M]:
    """The page of ``rows`` that ``query`` asks for (``apres`` or ``avant`` a key), sorted by ``field``.

    One query, one row more than shown.
    """
    column = rows.model._meta.get_field(field)
    after = Key.parse(query.get("apres", ""), column)  # type: ignore[arg-type]
    before = Key.parse(query.get("avant", ""), column)  # type: ignore[arg-type]
    return page_by(
        rows,
        (field, "pk"),
        (after.at, after.pk) if after else None,
        (before.at, before.pk) if before else None,
        key=lambda row: str(Key(getattr(row, field), row.pk)),
        size=size,
        descending=descending,
    )


def page_by(
    rows: QuerySet[M],
    names: Sequence[str],
    after: Sequence[Any] | None,
    before: Sequence[Any] | None,
    *,
    key: Callable[[M], str],
    size: int = PAGE_SIZE,
    descending: bool = False,
) -> Page[M]:
    """The page of ``rows``, sorted by the columns ``names``, that follows or precedes their values in one row.

    ``key`` writes the place of a row for an address. One query, one row more than shown.
    """
    if before:
        found = list(_beyond(rows, names, before, falling=not descending)[: size + 1])
        shown = found[:size][::-1]
        return _page(shown, key, previous=len(found) > size, following=bool(shown))
    found = list(_beyond(rows, names, after, falling=descending)[: size + 1])
    return _page(found[:size], key, previous=bool(after and found), following=len(found) > size)


def _beyond(rows: QuerySet[M], names: Sequence[str], values: Sequence[Any] | None, *, falling: bool) -> QuerySet[M]:
    """The rows that come after ``values`` when the list is read in one direction, in that order."""
    if values:
        comparison = TupleLessThan if falling else TupleGreaterThan
        rows = rows.filter(comparison(tuple(names), tuple(values)))
    return rows.order_by(*(f"-{name}" if falling else name for name in names))


def _page(shown: list[M], key: Callable[[M], str], *, previous: bool, following: bool) -> Page[M]:
    return Page(
        shown,
        previous=key(shown[0]) if previous and shown else "",
        next=key(shown[-1]) if following and shown else "",
    )
