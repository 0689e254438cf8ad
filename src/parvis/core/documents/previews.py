"""Page images of PDF documents, rendered once per width in the inspection process and then kept."""

import tempfile
from pathlib import Path

from parvis.core.documents import storage
from parvis.core.documents.models import Document
from parvis.core.documents.workshop import InspectionFailed, workshop

WIDTHS = (160, 480, 800, 1200, 1600)


class NoPreview(Exception):
    """This document, or this page of it, cannot be shown as an image."""


def nearest_width(asked: int) -> int:
    """Smallest served width that is not under ``asked``."""
    return next((width for width in WIDTHS if width >= asked), WIDTHS[-1])


def page_image(document: Document, page: int, width: int = 800) -> bytes:
    """PNG of ``page`` (from 1) at one of WIDTHS; raises NoPreview."""
    if document.media_type != "application/pdf" or not document.pages or not 1 <= page <= document.pages:
        raise NoPreview
    width = nearest_width(width)
    name = f"page-{page}-{width}.png"
    if cached := storage.read_derived(document.organisation, document.sha256, name):
        return cached
    with (
        storage.local_copy(document.organisation, document.sha256) as path,
        tempfile.TemporaryDirectory() as folder,
    ):
        target = Path(folder) / name
        try:
            result = workshop.order(do="render", path=str(path), page=page, width=width, target=str(target))
        except InspectionFailed as error:
            raise NoPreview from error
        if "error" in result:
            raise NoPreview(result["error"])
        image = target.read_bytes()
    storage.write_derived(document.organisation, document.sha256, name, image)
    return image
