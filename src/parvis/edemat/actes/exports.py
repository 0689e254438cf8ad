"""Lists of acts as CSV (RFC 4180, semicolons and BOM for French spreadsheets) and ODS (ODF 1.3), row by row.

Rows go to a spool that leaves memory for the disk beyond a few megabytes: a million rows cost no more than a
hundred, and a slow reader holds no database transaction.
"""

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import IO, Any
from xml.sax.saxutils import escape

from django.db.models import QuerySet
from django.http import FileResponse

from parvis.edemat.actes.models import Acte, Publication

IN_MEMORY = 4 * 1024 * 1024
MOST_ODS_ROWS = 1_048_575
CHUNK = 2000

ODS = "application/vnd.oasis.opendocument.spreadsheet"

Column = tuple[str, Callable[[Any], Any]]

ACT_COLUMNS: Sequence[Column] = (
    ("Numéro", lambda a: a.numero),
    ("Numéro transmis", lambda a: a.numero_actes),
    ("Identifiant unique", lambda a: a.unique_id),
    ("Nature", lambda a: a.get_nature_display()),
    ("Matière", lambda a: a.matiere),
    ("Intitulé de la matière", lambda a: a.matiere_label),
    ("Objet", lambda a: a.objet),
    ("Date de la décision", lambda a: a.decision_date),
    ("État", lambda a: a.get_status_display()),
    ("Reçu en préfecture le", lambda a: a.received_on),
    ("Publié le", lambda a: a.published_on),
    ("Exécutoire le", lambda a: a.executoire_on),
)

PUBLICATION_COLUMNS: Sequence[Column] = (
    ("Numéro", lambda p: p.numero),
    ("Identifiant unique", lambda p: p.unique_id),
    ("Nature", lambda p: p.get_nature_display()),
    ("Matière", lambda p: p.matiere),
    ("Intitulé de la matière", lambda p: p.matiere_label),
    ("Objet", lambda p: p.objet),
    ("Date de la décision", lambda p: p.decision_date),
    ("Vote", lambda p: p.vote),
    ("Auteur", lambda p: p.author_name),
    ("Qualité de l’auteur", lambda p: p.author_quality),
    ("Reçu en préfecture le", lambda p: p.received_on),
    ("Publié le", lambda p: p.published_on),
    ("Exécutoire le", lambda p: p.executoire_on),
)


def export(rows: QuerySet[Any], columns: Sequence[Column], extension: str, name: str) -> FileResponse:
    """``rows`` as a file to download; ``extension`` is ``csv`` or ``ods``."""
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    lines = ([value(row) for _, value in columns] for row in rows.iterator(chunk_size=CHUNK))
    header = [label for label, _ in columns]
    if extension == "ods":
        write_ods(spool, header, lines)
    else:
        write_csv(spool, header, lines)
    spool.seek(0)
    media_type = ODS if extension == "ods" else "text/csv; charset=utf-8"
    return FileResponse(spool, as_attachment=True, filename=f"{name}.{extension}", content_type=media_type)


def export_acts(rows: QuerySet[Acte], extension: str, name: str) -> FileResponse:
    """The tracking board's rows."""
    wanted = rows.defer("checks", "document_papier").order_by("-decision_date", "-pk")
    return export(wanted, ACT_COLUMNS, extension, name)


def export_publications(rows: QuerySet[Publication], extension: str, name: str) -> FileResponse:
    """The public register's rows."""
    return export(
        rows.defer("text", "search").order_by("-published_on", "-pk"), PUBLICATION_COLUMNS, extension, name
    )


def write_csv(target: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Semicolons, CRLF, a byte order mark; a text that a spreadsheet would run as a formula is made inert."""
    text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_inert(value) for value in row] for row in rows)
    text.flush()
    text.detach()


def _inert(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_ods(target: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One sheet written as it is read; dates are dates. Rows beyond what a sheet holds are not written."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", ODS, compress_type=zipfile.ZIP_STORED)
        package.writestr("META-INF/manifest.xml", _MANIFEST)
        with package.open("content.xml", "w", force_zip64=True) as content:
            for part in _sheet(header, rows):
                content.write(part.encode())


def _sheet(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield _HEAD
    yield _row(header)
    for number, row in enumerate(rows):
        if number >= MOST_ODS_ROWS:
            break
        yield _row(row)
    yield "</table:table></office:spreadsheet></office:body></office:document-content>"


def _row(values: Sequence[Any]) -> str:
    return f"<table:table-row>{''.join(map(_cell, values))}</table:table-row>"


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "<table:table-cell/>"
    if isinstance(value, date):
        return (
            '<table:table-cell table:style-name="d" office:value-type="date" '
            f'office:date-value="{value.isoformat()}"><text:p>'
            f"{value:%d/%m/%Y}</text:p></table:table-cell>"
        )
    text = escape("".join(c for c in str(value) if c.isprintable()))
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
_HEAD = (
    f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES} office:version="1.3">'
    '<office:automatic-styles><number:date-style style:name="jour"><number:day number:style="long"/>'
    '<number:text>/</number:text><number:month number:style="long"/><number:text>/</number:text>'
    '<number:year number:style="long"/></number:date-style>'
    '<style:style style:name="d" style:family="table-cell" style:data-style-name="jour"/>'
    "</office:automatic-styles>"
    '<office:body><office:spreadsheet><table:table table:name="Actes">'
)
_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
    'manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="{ODS}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
