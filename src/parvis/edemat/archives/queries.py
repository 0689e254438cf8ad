"""Reads that the pages of the archives need."""

from django.db.models import QuerySet

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


def transfers(organisation: Organisation, state: str = "") -> QuerySet[Transfer]:
    """Transfers of the organisation, of one filter when it is known."""
    found = Transfer.objects.filter(organisation=organisation).select_related("organisation")
    return found.filter(state__in=FILTERS[state][1]) if state in FILTERS else found


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
