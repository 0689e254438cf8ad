"""The « Délibérations » table of the SCDL: rows, refusals, and what an independent validator says of them."""

import csv
import io
import json
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.opendata.formats import scdl_deliberations as scdl

PROJECT = Path(__file__).resolve().parents[2]
VALIDATA = PROJECT / ".venv-validators/bin/validata"

JUVIGNAC = scdl.Deliberation(
    collectivite="Commune de Juvignac",
    siret="21340123500014",
    numero="19.07.01.05",
    seance=date(2019, 7, 1),
    matiere="5.7",
    matiere_label="Institutions et vie politique/Intercommunalité",
    objet="Convention de gestion de services numériques communs - autorisation de signature",
    prefecture="PREF034",
    recue_le=date(2019, 7, 3),
    vote=scdl.Vote(en_exercice=29, votants=26, pour=26, contre=0, abstention=0),
    url="https://parvis.example/p/juvignac/actes/19_07_01_05/",
)


def codes(cells: dict[str, str]) -> set[tuple[str, str]]:
    return {(finding.code, finding.column) for finding in scdl.check_row(cells)}


def row(**changes: str) -> dict[str, str]:
    return scdl.row_of(JUVIGNAC) | changes


def as_bytes(*rows: dict[str, str]) -> bytes:
    return "".join(scdl.csv_lines(tuple(r.values()) for r in rows)).encode()


def validata(path: Path, shared_dir: Path) -> dict:
    """Report of the Validata command on ``path``; it exits 0 whatever it finds, so only its JSON counts."""
    if not VALIDATA.exists():
        pytest.skip(f"the validator is not installed ({VALIDATA})")
    schema = shared_dir / "schemas/seances/scdl/deliberations-2.1.5.schema.json"
    result = subprocess.run(
        [VALIDATA, "--schema", schema, path], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(result.stdout)


def test_row_has_the_seventeen_cells_in_order():
    cells = scdl.row_of(JUVIGNAC)
    assert tuple(cells) == scdl.COLUMNS
    assert list(cells.values()) == [
        "Commune de Juvignac", "21340123500014", "19.07.01.05", "2019-07-01", "5.7",
        "institutions et vie politique/intercommunalité",
        "Convention de gestion de services numériques communs - autorisation de signature",
        "", "", "PREF034", "2019-07-03", "29", "26", "26", "0", "0",
        "https://parvis.example/p/juvignac/actes/19_07_01_05/",
    ]  # fmt: skip
    assert scdl.check_row(cells) == []


def test_a_deliberation_without_vote_leaves_the_five_counts_empty():
    cells = scdl.row_of(replace(JUVIGNAC, vote=None))
    assert [cells[column] for column in scdl.VOTES] == [""] * 5
    assert scdl.check_row(cells) == []


def test_blank_and_void_ballots_are_counted_with_abstentions():
    vote = scdl.Vote(en_exercice=29, votants=26, pour=20, contre=2, abstention=1, blancs=2, nuls=1)
    cells = scdl.row_of(replace(JUVIGNAC, vote=vote))
    assert cells["VOTE_ABSTENTION"] == "4"
    assert scdl.check_row(cells) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [("5.7", "5.7"), ("5.7.2", "5.7"), ("7.10.1.1", "7.10"), ("5", "5"), (" 1.4 ", "1.4")],
)
def test_matiere_code_stops_at_the_second_level(code, expected):
    assert scdl.matiere_code(code) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Institutions et vie politique / Conseil", "institutions et vie politique/conseil"),
        ("Commande Publique/Transactions /protocole", "commande publique/transactions protocole"),
        ("Finances locales/Emprunts (court, long terme)", "finances locales/emprunts court long terme"),
        ("Urbanisme", "urbanisme"),
    ],
)
def test_matiere_name_is_written_as_the_schema_asks(label, expected):
    assert scdl.matiere_name(label) == expected


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"DELIB_OBJET": "  "}, "constraint-error", "DELIB_OBJET"),
        ({"COLL_SIRET": "2134012350001"}, "constraint-error", "COLL_SIRET"),
        ({"COLL_SIRET": "21340123500099"}, "french-siret-value", "COLL_SIRET"),
        ({"DELIB_DATE": "2019-02-30"}, "type-error", "DELIB_DATE"),
        ({"PREF_DATE": "20190703"}, "type-error", "PREF_DATE"),
        ({"DELIB_MATIERE_CODE": "5.9"}, "nomenclature-actes-value", "DELIB_MATIERE_CODE"),
        ({"DELIB_MATIERE_CODE": "0.1"}, "nomenclature-actes-value", "DELIB_MATIERE_CODE"),
        ({"DELIB_MATIERE_NOM": "urbanisme/"}, "nomenclature-actes-value", "DELIB_MATIERE_NOM"),
        ({"BUDGET_ANNEE": "2019/2018", "BUDGET_NOM": "Principal"}, "year-interval-value", "BUDGET_ANNEE"),
        ({"BUDGET_ANNEE": "19", "BUDGET_NOM": "Principal"}, "constraint-error", "BUDGET_ANNEE"),
        ({"BUDGET_NOM": "Principal"}, "cohesive-columns-value", "BUDGET_ANNEE"),
        ({"PREF_ID": "PREF34"}, "constraint-error", "PREF_ID"),
        ({"PREF_ID": "SPREF034"}, "constraint-error", "PREF_ID"),
        ({"VOTE_POUR": "vingt"}, "type-error", "VOTE_POUR"),
        ({"VOTE_POUR": "27"}, "compare-columns-value", "VOTE_REEL"),
        ({"DELIB_URL": "https://exemple .fr/acte"}, "type-error", "DELIB_URL"),
        ({"DELIB_URL": "javascript:alert(1)"}, "type-error", "DELIB_URL"),
    ],
)
def test_a_wrong_cell_gets_a_french_sentence_that_names_it(changes, code, column):
    findings = scdl.check_row(row(**changes), line=4)
    assert (code, column) in {(finding.code, finding.column) for finding in findings}
    assert all(finding.sentence.endswith(".") and finding.line == 4 for finding in findings)


@pytest.mark.parametrize("prefecture", ["PREF034", "SPREF0342", "SGAR034", "PREF02A", "PREF974"])
def test_pref_id_forms_that_exist_are_accepted(prefecture):
    assert scdl.check_row(row(PREF_ID=prefecture)) == []


def test_a_number_given_twice_in_a_file_is_found():
    findings = scdl.check_file(as_bytes(row(), row()))
    assert [(f.code, f.line) for f in findings] == [("unique-error", 3)]


def test_a_latin1_file_is_refused_with_the_way_out():
    (finding,) = scdl.check_file(as_bytes(row()).decode().encode("latin-1"))
    assert finding.code == "encoding-error"
    assert "UTF-8" in finding.sentence


def test_lower_case_headers_are_refused_column_by_column():
    content = as_bytes(row()).replace(b"COLL_", b"coll_").replace(b"DELIB_", b"delib_")
    findings = scdl.check_file(content)
    assert [f.column for f in findings] == list(scdl.REQUIRED)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)


@given(objets=st.lists(TEXT, max_size=5))
def test_any_text_written_is_read_back_unchanged(objets):
    rows = [row(DELIB_OBJET=objet, DELIB_ID=str(n)) for n, objet in enumerate(objets)]
    text = as_bytes(*rows).decode()
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == rows


SAMPLES = PROJECT.parent / "shared/samples/seances/scdl"
EXPECTED = json.loads((SAMPLES / "attendus.json").read_text()) if SAMPLES.is_dir() else {}


@pytest.mark.reference
@pytest.mark.skipif(not EXPECTED, reason=f"no reference files at {SAMPLES}")
@pytest.mark.parametrize("name", sorted(EXPECTED) or ["absent"])
def test_each_bad_reference_file_gets_the_error_it_was_made_for(name):
    findings = scdl.check_file((SAMPLES / name).read_bytes())
    assert EXPECTED[name] in {finding.code for finding in findings}


@pytest.mark.reference
@pytest.mark.skipif(not EXPECTED, reason=f"no reference files at {SAMPLES}")
@pytest.mark.parametrize("name", ["deliberations_ok.csv", "deliberations_ok_point-virgule.csv"])
def test_good_reference_files_pass(name):
    assert scdl.check_file((SAMPLES / name).read_bytes()) == []
    assert scdl.check_file(b"\xef\xbb\xbf" + (SAMPLES / name).read_bytes()) == []


@pytest.mark.reference
def test_validata_accepts_the_file_we_write(shared_dir, tmp_path):
    tricky = row(
        DELIB_ID="19.07.01.07", DELIB_OBJET='Tarifs "cantine", garderie ; étude', DELIB_MATIERE_CODE="7.10",
        DELIB_MATIERE_NOM="finances locales/divers", BUDGET_ANNEE="2019/2020", BUDGET_NOM="Budget principal",
    )  # fmt: skip
    unvoted = row(DELIB_ID="19.07.01.06") | dict.fromkeys(scdl.VOTES, "")
    path = tmp_path / "deliberations.csv"
    path.write_bytes(as_bytes(row(), tricky, unvoted))
    report = validata(path, shared_dir)
    assert report["tasks"][0]["errors"] == []
    assert report["valid"] is True


@pytest.mark.reference
def test_validata_refuses_what_we_refuse(shared_dir, tmp_path):
    path = tmp_path / "deliberations.csv"
    path.write_bytes(as_bytes(row(VOTE_POUR="25")))
    report = validata(path, shared_dir)
    assert report["valid"] is False
    assert [error["code"] for error in report["tasks"][0]["errors"]] == ["sum-columns-value"]
    assert codes(row(VOTE_POUR="25")) == {("sum-columns-value", "VOTE_REEL")}
