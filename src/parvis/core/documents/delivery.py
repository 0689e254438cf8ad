"""HTTP answers that carry a document: safe names (RFC 6266), ranges and validators (RFC 9110 §14, §8.8)."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from parvis.core.documents.models import Document
from parvis.core.documents.services import open_document
from parvis.core.web.integers import whole_number

BLOCK = 256 * 1024
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
# What a browser may show by itself; everything else, HTML and SVG first, is only ever saved.
SHOWN = {"application/pdf", "image/png", "image/jpeg", "text/plain"}


def deliver(request: HttpRequest, document: Document, *, inline: bool = False) -> HttpResponseBase:
    """The content of ``document``: whole, one range of it, or nothing if the client has it already."""
    etag = f'"{document.sha256}"'
    if etag in (value.strip() for value in request.headers.get("If-None-Match", "").split(",")):
        return _with_headers(HttpResponse(status=304), document, etag)
    span = _range(request, document.size, etag)
    if span is None:
        response: HttpResponseBase = FileResponse(open_document(document), content_type=_media_type(document))
        response["Content-Length"] = str(document.size)
    elif span[0] >= document.size or span[0] > span[1]:
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{document.size}"
        return _with_headers(response, document, etag)
    else:
        first, last = span
        response = StreamingHttpResponse(
            _slice(open_document(document), first, last), status=206, content_type=_media_type(document)
        )
        response["Content-Range"] = f"bytes {first}-{last}/{document.size}"
        response["Content-Length"] = str(last - first + 1)
    shown = inline and document.media_type in SHOWN
    response["Content-Disposition"] = content_disposition_header(not shown, document.filename) or "attachment"
    return _with_headers(response, document, etag)


def _media_type(document: Document) -> str:
    if document.media_type == "text/plain":
        return "text/plain; charset=utf-8"
    return document.media_type if document.media_type in SHOWN else "application/octet-stream"


def _with_headers(response: HttpResponseBase, document: Document, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    # A browser's own PDF reader does not start in a sandbox; every other content stays in one.
    guard = "object-src 'self'" if document.media_type == "application/pdf" else "sandbox"
    response["Content-Security-Policy"] = f"default-src 'none'; frame-ancestors 'none'; {guard}"
    response["Cache-Control"] = "private, max-age=3600" if document.public_since is None else "public, max-age=3600"
    return response


def _range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte asked for; None for the whole content (no range, several, or another version)."""
    found = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = (whole_number(group) for group in found.groups())
    if first is None and last is None:
        return None
    if first is None:
        return (max(0, size - last), size - 1) if last else (size, size)
    return first, size - 1 if last is None else min(last, size - 1)


def _slice(stream: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    with stream:
        stream.seek(first)
        left = last - first + 1
        while left and (block := stream.read(min(BLOCK, left))):
            left -= len(block)
            yield block
