"""Reads that the pages of the archives need."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

from parvis.core.organisations.models import Organisation
from parvis.edemat.archives.enums import DEAD, State
from parvis.edemat.archives.models import ArchiveObject, ArchiveUnit, RegisterLine, Transfer

PAGE_SIZE = 50
TREE_SIZE = 500

# Filters of the list: label and the states they keep.
FILTERS: dict[str, tuple[str, tuple[State, ...]]] = {
    "en-cours": (
        "En cours",
        (State.DEPOSE, State.EN_CONTROLE, State.CONFORME, State.ACCEPTE, State.EN_STOCKAGE),
    ),
    "a-traiter": ("À traiter", (State.A_VALIDER, State.ERREUR_TECHNIQUE)),
    "archives": ("Archivés", (State.ARCHIVE,)),
    "refuses": ("Refusés", DEAD),
}


@dataclass(frozen=True)
class Page:
    """A page of transfers, newest first, with the keys of its neighbours (empty at an end)."""

    rows: list[Transfer]
    previous: str = ""
    next: str = ""


def transfers(organisation: Organisation, state: str = "") -> QuerySet[Transfer]:
    """Transfers of the organisation, of one filter when it is known."""
    found = Transfer.objects.filter(organisation=organisation)
    return found.filter(state__in=FILTERS[state][1]) if state in FILTERS else found


def page_of(rows: QuerySet[Transfer], query: Mapping[str, str], *, size: int = PAGE_SIZE) -> Page:
    """The page that ``query`` asks for (``apres`` or ``avant`` a key): by key, all pages cost the same."""
    rows = rows.select_related("organisation")
    after, before = _parse(query.get("apres", "")), _parse(query.get("avant", ""))
    if before:
        found = rows.filter(TupleGreaterThan(("deposited_at", "id"), before)).order_by("deposited_at", "id")
        shown = list(found[: size + 1])
        more = len(shown) > size
        shown = shown[:size][::-1]
        return Page(shown, _key(shown[0]) if more else "", _key(shown[-1]) if shown else "")
    if after:
        rows = rows.filter(TupleLessThan(("deposited_at", "id"), after))
    shown = list(rows.order_by("-deposited_at", "-id")[: size + 1])
    following = len(shown) > size
    shown = shown[:size]
    return Page(shown, _key(shown[0]) if after and shown else "", _key(shown[-1]) if following else "")


def _key(transfer: Transfer) -> str:
    return f"{transfer.deposited_at.timestamp():.6f}.{transfer.pk.hex}"


def _parse(text: str) -> tuple[datetime, UUID] | None:
    seconds, _, identifier = text.rpartition(".")
    try:
        return datetime.fromtimestamp(float(seconds), tz=UTC), UUID(identifier)
    except (ValueError, OverflowError, OSError):
        return None


def tree(archive: ArchiveObject) -> tuple[list[ArchiveUnit], bool]:
    """The first units of an archive with their files, in order, and whether more follow."""
    units = list(archive.tree.prefetch_related("files").order_by("rank")[: TREE_SIZE + 1])
    return units[:TREE_SIZE], len(units) > TREE_SIZE


def register_lines(organisation: Organisation, *, before: int | None = None) -> QuerySet[RegisterLine]:
    """Lines of the registre des entrées, newest first, from before a number."""
    lines = RegisterLine.objects.filter(organisation=organisation).select_related("archive")
    if before is not None:
        lines = lines.filter(number__lt=before)
    return lines.order_by("-number")
