"""Our OpenDocument spreadsheets, read back by another library."""

import io
import zipfile
from datetime import date

import pytest
from odf import table, teletype
from odf.opendocument import load

from parvis.core.exports import ods
from tests.names import NAMES


def written(rows) -> io.BytesIO:
    target = io.BytesIO()
    ods.write_ods(target, 'Séances & "votes"', ("NOM", "DATE", "VOIX"), rows)
    target.seek(0)
    return target


def test_cells_keep_their_text_dates_and_numbers():
    document = load(written([("Tarifs <cantine> & étude\x0b", date(2019, 7, 1), 26), ("=1+1", None, 0)]))
    (sheet,) = document.getElementsByType(table.Table)
    assert sheet.getAttribute("name") == 'Séances & "votes"'
    cells = [
        [(c.getAttribute("valuetype"), teletype.extractText(c)) for c in r.getElementsByType(table.TableCell)]
        for r in sheet.getElementsByType(table.TableRow)
    ]
    assert cells == [
        [("string", "NOM"), ("string", "DATE"), ("string", "VOIX")],
        [("string", "Tarifs <cantine> & étude"), ("date", "01/07/2019"), ("float", "26")],
        [("string", "=1+1"), (None, ""), ("float", "0")],
    ]


def test_a_date_keeps_its_value_beside_the_text_that_people_read():
    with zipfile.ZipFile(written([("", date(2019, 7, 1), 0)])) as package:
        assert b'office:date-value="2019-07-01"' in package.read("content.xml")


def test_media_type_stands_first_and_plain():
    content = written([])
    assert content.getvalue()[30:38] == b"mimetype"
    assert content.getvalue()[38:].startswith(ods.MEDIA_TYPE.encode())
    assert zipfile.ZipFile(content).testzip() is None


def test_more_rows_than_a_sheet_holds_is_refused(monkeypatch):
    monkeypatch.setattr(ods, "MAX_ROWS", 3)
    written([("a", None, 1)] * 2)
    with pytest.raises(ods.SheetFull, match="CSV"):
        written([("a", None, 1)] * 3)


def test_names_come_out_of_a_sheet_as_they_went_in():
    (sheet,) = load(written([(*name, 1) for name in NAMES])).getElementsByType(table.Table)
    rows = sheet.getElementsByType(table.TableRow)[1:]
    read = [tuple(teletype.extractText(c) for c in row.getElementsByType(table.TableCell)) for row in rows]
    assert [row[:2] for row in read] == list(NAMES)
