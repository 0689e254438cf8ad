"""Reads of the open tables: pages by keyset, filters with their counts, whole tables for files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import ExtractYear, Left

from parvis.core.organisations.models import Organisation
from parvis.core.routing.models import RouteStep
from parvis.core.web import keyset
from parvis.core.web.integers import whole_number
from parvis.opendata.formats.scdl_deliberations import MATIERES
from parvis.opendata.models import FIELDS, Dataset, DeliberationRow

STEP = "opendata.deliberations"
PAGE_SIZE = 50

# What the reader may sort by; a minus before the name puts the greatest first.
SORTS = {"date": "delib_date", "numero": "delib_id"}
NEWEST_FIRST = "-date"


@dataclass(frozen=True)
class Selection:
    """What the reader asked for. ``apres`` and ``avant`` are places in the table, as ``Page`` gives them."""

    texte: str = ""
    matiere: str = ""
    annee: str = ""
    tri: str = NEWEST_FIRST
    apres: str = ""
    avant: str = ""

    @classmethod
    def read(cls, parameters: Any) -> "Selection":
        """From the query string; what makes no sense there is left out."""
        texte = parameters.get("q", "").replace("\x00", "").strip()[:200]
        matiere, annee = parameters.get("matiere", ""), parameters.get("annee", "")
        tri = parameters.get("tri", "")
        return cls(
            texte=texte,
            matiere=matiere if whole_number(matiere) in MATIERES else "",
            annee=annee if len(annee) == 4 and annee.isascii() and annee.isdecimal() else "",
            tri=tri if tri.removeprefix("-") in SORTS else NEWEST_FIRST,
            apres=parameters.get("apres", ""),
            avant=parameters.get("avant", ""),
        )

    @property
    def filters(self) -> dict[str, str]:
        """The query-string parameters that keep this selection from page to page."""
        given = {"q": self.texte, "matiere": self.matiere, "annee": self.annee}
        return {k: v for k, v in given.items() if v} | ({"tri": self.tri} if self.tri != NEWEST_FIRST else {})


def selected(dataset: Dataset, selection: Selection) -> QuerySet[DeliberationRow]:
    """Rows of ``dataset`` that the reader's filters keep, in no order."""
    rows = DeliberationRow.objects.filter(dataset=dataset)
    if selection.texte:
        rows = rows.filter(Q(delib_objet__icontains=selection.texte) | Q(delib_id__istartswith=selection.texte))
    if selection.matiere:
        rows = rows.filter(delib_matiere_code__startswith=f"{selection.matiere}.")
    if selection.annee:
        year = int(selection.annee)
        if not 1 <= year <= 9999:
            return rows.none()
        rows = rows.filter(delib_date__range=(date(year, 1, 1), date(year, 12, 31)))
    return rows


def page_of(dataset: Dataset, selection: Selection, size: int = PAGE_SIZE) -> keyset.Page[DeliberationRow]:
    """The page that follows ``apres`` or precedes ``avant``: as quick at the end as at the beginning."""
    return keyset.page_of(
        selected(dataset, selection),
        SORTS[selection.tri.removeprefix("-")],
        {"apres": selection.apres, "avant": selection.avant},
        size=size,
        descending=selection.tri.startswith("-"),
    )


def facets(dataset: Dataset) -> dict[str, list[tuple[str, str, int]]]:
    """Choices of the filters with their counts: first-level matières, then years, newest first."""
    rows = DeliberationRow.objects.filter(dataset=dataset)
    by_matiere = rows.values_list(Left("delib_matiere_code", 1)).annotate(n=Count("pk")).order_by("-n")
    by_year = rows.values_list(ExtractYear("delib_date")).annotate(n=Count("pk")).order_by("-delib_date__year")
    return {
        "matieres": [(code, MATIERES[int(code)][0].capitalize(), n) for code, n in by_matiere],
        "annees": [(str(year), str(year), n) for year, n in by_year],
    }


def table_of(dataset: Dataset) -> Iterator[tuple[Any, ...]]:
    """Every row as the schema's seventeen values, newest first, read by portions."""
    rows = DeliberationRow.objects.filter(dataset=dataset).order_by("-delib_date", "-pk")
    return rows.values_list(*FIELDS).iterator(chunk_size=2000)


def datasets_with_counts() -> QuerySet[Dataset]:
    """Datasets in sight of the present scope, with how many rows each holds."""
    in_table = Q(deliberations__withdrawn_at=None)
    return Dataset.objects.annotate(rows=Count("deliberations", filter=in_table)).order_by("title")


def latest(organisation: Organisation, number: int = 10) -> QuerySet[DeliberationRow]:
    """The rows opened last, in the order of their identifiers, which follow time."""
    return DeliberationRow.objects.filter(organisation=organisation).order_by("-pk")[:number]


def refused_steps(organisation: Organisation) -> QuerySet[RouteStep]:
    """Deliberations whose row could not be opened, the oldest first; ``summary`` says why."""
    return (
        RouteStep.objects.filter(organisation=organisation, code=STEP, state=RouteStep.State.FAILED)
        .select_related("route", "organisation")
        .order_by("id")
    )
