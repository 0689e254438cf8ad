"""Pages of open data: what everybody reads, what agents follow, and files checked by another program."""

import csv
import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from django.urls import reverse
from odf import table
from odf.opendocument import load

from parvis.core.organisations.tenancy import acting_for
from parvis.opendata import queries
from parvis.opendata.formats.scdl_deliberations import COLUMNS
from parvis.opendata.models import Dataset

VALIDATA = Path(__file__).resolve().parents[2] / ".venv-validators/bin/validata"
PAGE = "/p/juvignac/donnees/deliberations/"


@pytest.fixture
def three_rows(juvignac, open_row):
    with acting_for(juvignac):
        open_row(juvignac)
        open_row(
            juvignac,
            numero="18.12.10.02",
            date="2018-12-10",
            objet="Budget <primitif>",
            matiere="7.1.1",
            matiere_label="Finances locales/Décisions budgétaires",
        )
        open_row(juvignac, numero="19.07.01.06", objet="Rapport annuel")
    return juvignac


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def numbers(response) -> list[str]:
    return [row.delib_id for row in response.context["page"].rows]


def test_the_table_shows_the_newest_first_and_escapes_titles(client, three_rows):
    response = client.get(PAGE)
    assert response.status_code == 200
    assert numbers(response) == ["19.07.01.06", "19.07.01.05", "18.12.10.02"]
    text = response.content.decode()
    assert "Budget &lt;primitif&gt;" in text
    assert "Licence Ouverte 2.0" in text
    assert "à l’unanimité (26 pour)" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=convention", ["19.07.01.05"]),
        ("q=18.12", ["18.12.10.02"]),
        ("matiere=7", ["18.12.10.02"]),
        ("annee=2019", ["19.07.01.06", "19.07.01.05"]),
        ("tri=date", ["18.12.10.02", "19.07.01.05", "19.07.01.06"]),
        ("tri=numero", ["18.12.10.02", "19.07.01.05", "19.07.01.06"]),
        ("q=rien+de+tel", []),
        ("matiere=99&annee=abcd&tri=%00&apres=xx&q=%00", ["19.07.01.06", "19.07.01.05", "18.12.10.02"]),
        ("annee=0000", []),
    ],
)
def test_filters_and_sorts(client, three_rows, query, expected):
    assert numbers(client.get(f"{PAGE}?{query}")) == expected


@pytest.mark.parametrize("order", ["-date", "date", "numero", "-numero"])
def test_paging_forward_then_back_meets_each_row_once(client, juvignac, open_row, order):
    with acting_for(juvignac):
        for day in range(1, 8):
            open_row(juvignac, numero=f"19.07.{day:02}.01", date=f"2019-07-{(day + 1) // 2:02}")
        dataset = Dataset.objects.get()
        whole = [r.delib_id for r in queries.page_of(dataset, queries.Selection(tri=order), 50).rows]
        pages = [queries.page_of(dataset, queries.Selection(tri=order), 3)]
        assert pages[0].previous == ""
        while pages[-1].next:
            pages.append(queries.page_of(dataset, queries.Selection(tri=order, apres=pages[-1].next), 3))
        assert [row.delib_id for page in pages for row in page.rows] == whole
        assert [len(page.rows) for page in pages] == [3, 3, 1]
        back = queries.page_of(dataset, queries.Selection(tri=order, avant=pages[-1].previous), 3)
        assert back == pages[1]
        first = queries.page_of(dataset, queries.Selection(tri=order, avant=back.previous), 3)
        assert (first.rows, first.previous) == (pages[0].rows, "")


def test_the_links_between_pages_keep_the_filters(client, juvignac, open_row, monkeypatch):
    monkeypatch.setattr(queries.page_of, "__defaults__", (2,))
    with acting_for(juvignac):
        for day in range(1, 6):
            open_row(juvignac, numero=f"19.07.{day:02}.01", date=f"2019-07-{day:02}")
    first = client.get(f"{PAGE}?annee=2019&tri=date")
    second = client.get(PAGE + first.context["next"])
    assert numbers(second) == ["19.07.03.01", "19.07.04.01"]
    assert numbers(client.get(PAGE + second.context["previous"])) == numbers(first)


def test_the_number_of_queries_does_not_grow_with_rows(client, three_rows, django_assert_max_num_queries):
    client.get(PAGE)
    with django_assert_max_num_queries(14):
        client.get(PAGE)


def test_pages_carry_no_inline_style_or_script(client, three_rows):
    text = client.get(PAGE).content.decode()
    assert not re.search(r"<style|style=|<script(?![^>]*src=)| on[a-z]+=", text)


def test_csv_is_the_national_format_byte_for_byte(client, three_rows):
    response = client.get("/p/juvignac/donnees/deliberations.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="juvignac-deliberations.csv"'
    content = body(response).decode("utf-8")
    assert content.startswith("COLL_NOM,COLL_SIRET,DELIB_ID,")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["DELIB_ID"] for row in rows] == ["19.07.01.06", "19.07.01.05", "18.12.10.02"]


@pytest.mark.reference
def test_validata_accepts_the_downloaded_file(client, three_rows, shared_dir, tmp_path):
    if not VALIDATA.exists():
        pytest.skip(f"the validator is not installed ({VALIDATA})")
    path = tmp_path / "deliberations.csv"
    path.write_bytes(body(client.get("/p/juvignac/donnees/deliberations.csv")))
    schema = shared_dir / "schemas/seances/scdl/deliberations-2.1.5.schema.json"
    result = subprocess.run([VALIDATA, "--schema", schema, path], capture_output=True, text=True, check=True)
    report = json.loads(result.stdout)
    assert report["tasks"][0]["errors"] == []
    assert report["valid"] is True
    assert report["tasks"][0]["resource"]["stats"]["rows"] == 3


def test_ods_holds_the_same_rows(client, three_rows):
    content = body(client.get("/p/juvignac/donnees/deliberations.ods"))
    (sheet,) = load(io.BytesIO(content)).getElementsByType(table.Table)
    assert len(sheet.getElementsByType(table.TableRow)) == 4


def test_an_unknown_file_format_is_not_found(client, three_rows):
    assert client.get("/p/juvignac/donnees/deliberations.exe").status_code == 404


def test_a_dataset_taken_offline_disappears_for_the_public_only(client, three_rows, agent_client):
    agent = agent_client(three_rows, "secretaire")
    agent.post("/o/juvignac/donnees/deliberations/publication/", {"public": "non"})
    assert client.get(PAGE).status_code == 404
    assert client.get("/p/juvignac/donnees/deliberations.csv").status_code == 404
    assert "Aucun jeu de données" in client.get("/p/juvignac/donnees/").content.decode()
    assert agent.get("/o/juvignac/donnees/deliberations.csv").status_code == 200
    agent.post("/o/juvignac/donnees/deliberations/publication/", {"public": "oui"})
    assert client.get(PAGE).status_code == 200


def test_a_neighbour_has_nothing_to_show(client, three_rows, fabregues):
    assert client.get("/p/fabregues/donnees/").status_code == 200
    assert client.get("/p/fabregues/donnees/deliberations/").status_code == 404


def test_agents_see_what_was_opened_and_what_was_refused(juvignac, open_row, agent_client):
    with acting_for(juvignac):
        open_row(juvignac)
        open_row(juvignac, numero="19.07.01.07", matiere="5")
    text = agent_client(juvignac, "secretaire").get("/o/juvignac/donnees/").content.decode()
    assert "Relancer l’ouverture" in text
    assert "niveau 2 exactement" in text
    reader = agent_client(juvignac, "lecteur").get("/o/juvignac/donnees/").content.decode()
    assert "niveau 2 exactement" in reader
    assert "Relancer l’ouverture" not in reader


def test_a_reader_may_not_publish_and_a_stranger_sees_nothing(juvignac, fabregues, open_row, agent_client):
    with acting_for(juvignac):
        open_row(juvignac)
        slug = Dataset.objects.get().slug
    online = reverse("opendata:set_public", args=["juvignac", slug])
    assert agent_client(juvignac, "lecteur").post(online).status_code == 403
    assert agent_client(fabregues, "secretaire").get("/o/juvignac/donnees/").status_code == 404
