"""Tables as files: what a spreadsheet would run is made inert, what a sheet cannot hold is said."""

import csv
import io
from datetime import date

from parvis.core.exports import ods
from parvis.core.exports.download import download_table, write_csv
from tests.names import NAMES


def test_a_csv_runs_no_formula_and_keeps_numbers_and_dates():
    target = io.BytesIO()
    write_csv(target, ["Objet", "Nombre", "Date"], [("=1+1", -3, date(2019, 7, 1)), ("@a", None, None)])
    assert target.getvalue().decode("utf-8-sig").splitlines() == [
        "Objet;Nombre;Date",
        "'=1+1;-3;2019-07-01",
        "'@a;;",
    ]


def test_a_sheet_that_is_too_long_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(ods, "MAX_ROWS", 2)
    answer = download_table(["A"], [["1"], ["2"]], name="actes", extension="ods", sheet="Actes")
    assert answer.status_code == 422
    assert "CSV" in answer.content.decode()


def test_names_come_out_of_a_csv_as_they_went_in():
    target = io.BytesIO()
    write_csv(target, ["Prénom", "Nom"], NAMES)
    read = csv.reader(io.StringIO(target.getvalue().decode("utf-8-sig"), newline=""), delimiter=";")
    assert [tuple(row) for row in read][1:] == list(NAMES)


def test_a_file_may_bear_any_name():
    answer = download_table(["A"], [["1"]], name="élus de 李", extension="csv", sheet="Élus")
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9lus%20de%20%E6%9D%8E.csv"
