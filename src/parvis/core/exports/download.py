"""Tables to download, as CSV (RFC 4180, made for French spreadsheets) or ODS, written row by row.

Rows go to a spool that leaves memory for the disk beyond a few megabytes: a million rows cost no more than a
hundred, and a slow reader holds no database transaction.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import BinaryIO, cast

from django.http import FileResponse, HttpResponse, HttpResponseBase

from parvis.core.exports import ods

CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
IN_MEMORY = 4 * 1024 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_download(write: Callable[[BinaryIO], None], name: str, media_type: str) -> HttpResponseBase:
    """The file ``name`` that ``write`` fills; a table too long for a sheet is answered by a sentence."""
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    try:
        write(cast(BinaryIO, spool))
    except ods.SheetFull as refusal:
        spool.close()
        return HttpResponse(refusal.sentence, status=422, content_type="text/plain; charset=utf-8")
    spool.seek(0)
    return FileResponse(spool, as_attachment=True, filename=name, content_type=media_type)


def download_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, name: str, extension: str, sheet: str
) -> HttpResponseBase:
    """A table as ``name.extension``, ``csv`` or ``ods``; ``sheet`` is the name of the sheet in an ODS."""

    def write(target: BinaryIO) -> None:
        if extension == "ods":
            ods.write_ods(target, sheet, header, rows)
        else:
            write_csv(target, header, rows)

    return as_download(write, f"{name}.{extension}", ods.MEDIA_TYPE if extension == "ods" else CSV_MEDIA_TYPE)


def write_csv(target: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Semicolons, CRLF, a byte order mark; a text that a spreadsheet would run as a formula is made inert."""
    text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_inert(value) for value in row] for row in rows)
    text.flush()
    text.detach()


def _inert(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
