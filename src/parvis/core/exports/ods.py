"""OpenDocument spreadsheets (ODF 1.3, ISO/IEC 26300) of one sheet, written row by row in constant memory."""

import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from parvis.core.errors import DomainError

MEDIA_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
MAX_ROWS = 1_048_576

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0"
_NUMBER = "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
_MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
_DATES = (
    '<office:automatic-styles><number:date-style style:name="jour"><number:day number:style="long"/>'
    '<number:text>/</number:text><number:month number:style="long"/><number:text>/</number:text>'
    '<number:year number:style="long"/></number:date-style><style:style style:name="date"'
    ' style:family="table-cell" style:data-style-name="jour"/></office:automatic-styles>'
)


class SheetFull(DomainError):
    """There are more rows than a spreadsheet can hold."""


def _cell(value: object) -> str:
    if value is None or value == "":
        return "<table:table-cell/>"
    text = str(value)
    if isinstance(value, date):
        text = f"{value:%d/%m/%Y}"
        kind = f'table:style-name="date" office:value-type="date" office:date-value="{value.isoformat()}"'
    elif isinstance(value, int):
        kind = f'office:value-type="float" office:value="{value}"'
    else:
        kind = 'office:value-type="string"'
    text = escape(text.translate(_NOT_XML))
    return f"<table:table-cell {kind}><text:p>{text}</text:p></table:table-cell>"


def _line(values: Sequence[object]) -> bytes:
    return f"<table:table-row>{''.join(map(_cell, values))}</table:table-row>\n".encode()


def write_ods(target: BinaryIO, sheet: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a spreadsheet to ``target`` (seekable): dates and integers keep their type, the rest is text.

    Text is never read as a formula. Raises ``SheetFull`` beyond ``MAX_ROWS`` lines, header included.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        # The media type comes first and uncompressed, so that the file is recognised by its first bytes.
        archive.writestr("mimetype", MEDIA_TYPE, zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            f'{_DECLARATION}<manifest:manifest xmlns:manifest="{_MANIFEST}" manifest:version="1.3">'
            '<manifest:file-entry manifest:full-path="/" manifest:version="1.3"'
            f' manifest:media-type="{MEDIA_TYPE}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
            "</manifest:manifest>",
        )
        with archive.open("content.xml", "w", force_zip64=True) as content:
            content.write(
                f'{_DECLARATION}<office:document-content xmlns:office="{_OFFICE}" xmlns:table="{_TABLE}"'
                f' xmlns:text="{_TEXT}" xmlns:style="{_STYLE}" xmlns:number="{_NUMBER}" office:version="1.3">'
                f"{_DATES}<office:body><office:spreadsheet>"
                f"<table:table table:name={quoteattr(sheet)}>"
                f'<table:table-column table:number-columns-repeated="{len(header)}"/>'
                "<table:table-header-rows>".encode()
            )
            content.write(_line(header))
            content.write(b"</table:table-header-rows>")
            for number, row in enumerate(rows, start=2):
                if number > MAX_ROWS:
                    raise SheetFull(
                        "Ce tableau a plus de lignes qu’une feuille de calcul n’en peut contenir : "
                        "choisissez le format CSV, ou réduisez la sélection.",
                        limit=MAX_ROWS,
                    )
                content.write(_line(row))
            content.write(b"</table:table></office:spreadsheet></office:body></office:document-content>")
