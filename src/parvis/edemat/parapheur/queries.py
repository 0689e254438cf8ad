"""Reads of the parapheur's pages."""

from __future__ import annotations

from dataclasses import dataclass

import pypdfium2 as pdfium
from django.db.models import OuterRef, QuerySet, Subquery

from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes
from parvis.edemat.parapheur.models import Dossier, Etape

PAGE_SIZE = 50
TEXT_PAGES = 60
MAX_READ = 30 * 1024 * 1024

FILTERS = {
    "attente": ("En cours", Dossier.PENDING),
    "signes": ("Signés", (Dossier.State.SIGNED,)),
    "refuses": ("Refusés", (Dossier.State.REFUSED,)),
}


@dataclass(frozen=True)
class PageText:
    """Text of one page, for those who cannot see its image."""

    number: int
    text: str


def dossiers(state: str) -> QuerySet[Dossier]:
    """Dossiers of a filter of the list ("" for all), the latest first; ``due`` is the deadline of the open step."""
    current = Etape.objects.filter(dossier=OuterRef("pk"), state=Etape.State.CURRENT)
    found = Dossier.objects.recent().annotate(due=Subquery(current.values("deadline")[:1]))
    return found.filter(state__in=FILTERS[state][1]) if state in FILTERS else found


def counts() -> dict[str, int]:
    """Number of dossiers under each filter of the list."""
    return {code: Dossier.objects.filter(state__in=states).count() for code, (_, states) in FILTERS.items()}


def text_of(document: Document) -> list[PageText]:
    """Text of a PDF's first pages; empty when it is too large or unreadable."""
    if document.size > MAX_READ:
        return []
    try:
        pdf = pdfium.PdfDocument(read_bytes(document, limit=MAX_READ))
    except pdfium.PdfiumError:
        return []
    try:
        shown = range(min(len(pdf), TEXT_PAGES))
        return [PageText(number + 1, pdf[number].get_textpage().get_text_bounded().strip()) for number in shown]
    finally:
        pdf.close()
