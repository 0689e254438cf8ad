"""Shapes that the operations of several packages share: texts, keys, pages of lists."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from ninja import Query, Schema
from pydantic import Field

from parvis.core.api.problems import FieldError, Problem
from parvis.core.web import keyset

T = TypeVar("T")
M = TypeVar("M", bound=Model)

# Neither null nor other control characters, which no screen shows and no text of PostgreSQL holds.
TEXT = r"^[^\u0000-\u001f\u007f]*$"
Search = Annotated[str, Field(max_length=200, pattern=TEXT)]
Cursor = Annotated[
    str, Query("", max_length=200, pattern=TEXT, description="Valeur de « suivant » de la page précédente.")
]
Limit = Annotated[int, Query(50, ge=1, le=200, description="Nombre d’éléments de la page.")]


class Page(Schema, Generic[T]):
    """One page of a list."""

    elements: list[T]
    suivant: str | None = Field(description="Curseur de la page suivante ; null à la fin.")


def page_of(rows: QuerySet[M], field: str, cursor: str, limit: int, *, descending: bool = True) -> Mapping[str, Any]:
    """The page of ``rows``, sorted by ``field``, that follows ``cursor``; a cursor that is none is refused."""
    column = rows.model._meta.get_field(field)
    if cursor and keyset.Key.parse(cursor, column) is None:  # type: ignore[arg-type]
        raise refused("adresse.curseur", "Ce curseur n’est pas de cette liste.", "Reprenez depuis la première page.")
    page = keyset.page_of(rows, field, {"apres": cursor}, size=limit, descending=descending)
    return {"elements": page.rows, "suivant": page.next or None}


def refused(
    champ: str, regle: str, solution: str, *, status: int = 422, existing: tuple[UUID, str] | None = None
) -> Problem:
    """A problem about one field; ``existing`` is what stands in its way: its identifier and its path in the API."""
    errors = (FieldError(champ, regle, solution),)
    return Problem(status, f"« {champ} » : {regle} {solution}", errors, existing=existing)
