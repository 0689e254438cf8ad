"""Answers that carry a picture that branding cleaned."""

from typing import Final

from django.http import Http404, HttpResponse

from parvis.core.branding import images
from parvis.core.documents.errors import DocumentMissing
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes

ONE_YEAR: Final = 31_536_000
MEDIA_TYPES: Final = {"svg": "image/svg+xml", "png": "image/png", "webp": "image/webp"}


def picture_response(document: Document | None, extension: str, lasting: str) -> HttpResponse:
    """A picture in a sandbox of its own: opened by itself, an SVG can do nothing, and is never taken for a page.

    ``lasting`` is public or private: its digest is in its address, so that it may be kept for ever.
    """
    if document is None or not document.filename.endswith(f".{extension}") or extension not in MEDIA_TYPES:
        raise Http404
    try:
        content = read_bytes(document, limit=images.MAX_LOGO)
    except DocumentMissing as error:
        raise Http404 from error
    response = HttpResponse(content, content_type=MEDIA_TYPES[extension])
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = f"{lasting}, max-age={ONE_YEAR}, immutable"
    return response
