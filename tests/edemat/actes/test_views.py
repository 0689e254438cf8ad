"""Agents' pages: who sees what, filters, pages by key, exports, publication in two steps."""

import csv
import io
import zipfile
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.models import Acte, Publication
from tests.edemat.actes.making import make_acte

LIST = "/o/juvignac/actes/"


@pytest.fixture(autouse=True)
def eleventh_of_july(frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")


@pytest.fixture
def secretary(agent_client, juvignac):
    return agent_client(juvignac, "secretaire")


def many(organisation, count: int, **fields) -> list[Acte]:
    """``count`` acknowledged acts over a few days, sharing one document, made at once."""
    first = make_acte(organisation, "A_0", **fields)
    acts = [
        Acte(
            organisation=organisation,
            numero=f"A_{i}",
            numero_actes=f"A_{i}",
            nature="1",
            objet=f"Objet {i}",
            decision_date=date(2019, 7, 1) - timedelta(days=i // 7),
            matiere="7.1",
            document=first.document,
            type_piece="99_DE",
            posted_filename="a.pdf",
            status=Status.ACQUITTE,
            created_at=first.created_at,
        )
        for i in range(1, count)
    ]
    return [first, *Acte.objects.bulk_create(acts)]


# --- the board ---
def test_an_empty_board_says_so(secretary):
    page = secretary.get(LIST)
    assert page.status_code == 200
    assert "Aucun acte pour le moment" in page.content.decode()


def test_the_board_lists_the_acts_with_their_state(secretary, juvignac):
    with acting_for(juvignac):
        make_acte(juvignac)
        make_acte(juvignac, "19.07.01.06", objet="Tarifs de la cantine", status=Status.ERREUR)
    page = secretary.get(LIST).content.decode()
    assert "Convention de gestion de services numériques communs" in page
    assert "À publier" in page
    assert "En erreur" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("etat=erreur", {"B"}),
        ("etat=a_transmettre", {"C"}),
        ("etat=a_publier", {"A"}),
        ("etat=publies", {"D"}),
        ("etat=acquittes", {"A", "D"}),
        ("nature=2", {"C"}),
        ("matiere=7", {"B"}),
        ("du=2019-06-01", {"A", "B", "C"}),
        ("au=2019-06-01", {"D"}),
        ("du=2019-06-30&au=2019-07-01", {"A", "B", "C"}),
        ("q=cantine", {"B"}),
        ("q=CANTINE", {"B"}),
        ("q=A", {"A", "B", "C", "D"}),
        ("q=%25", set()),
        ("etat=nimporte&nature=9&du=hier&q=", {"A", "B", "C", "D"}),
        ("q=%00", {"A", "B", "C", "D"}),
        ("apres=n-importe-quoi", {"A", "B", "C", "D"}),
    ],
)
def test_filters(secretary, juvignac, query, expected):
    with acting_for(juvignac):
        make_acte(juvignac, "A")
        make_acte(juvignac, "B", objet="Tarifs de la cantine", status=Status.ERREUR, matiere="7.10")
        make_acte(juvignac, "C", objet="Arrêté de police", status=Status.A_POSTER, nature="2", matiere="6.1")
        make_acte(
            juvignac, "D", objet="Ancienne délibération", decision_date=date(2019, 5, 20),
            published_on=date(2019, 5, 27),
            executoire_on=date(2019, 5, 27),
        )  # fmt: skip
    page = secretary.get(f"{LIST}?{query}")
    assert page.status_code == 200
    assert {a.numero for a in page.context["page"].rows} == expected


def test_the_export_says_the_state_as_the_board_does(secretary, juvignac):
    with acting_for(juvignac):
        make_acte(juvignac, "A", published_on=date(2019, 7, 4), executoire_on=date(2019, 7, 4))
    lines = b"".join(secretary.get(f"{LIST}actes.csv").streaming_content).decode("utf-8-sig")
    assert "Publié;" in lines
    assert "Acquittement reçu" not in lines


def test_a_search_too_long_is_refused_with_its_limit(secretary, juvignac):
    page = secretary.get(LIST, {"q": "a" * 2000}).content.decode()
    assert "La recherche tient en 200 caractères, la vôtre en compte 2\u202f000" in page


def test_pages_go_both_ways_without_losing_or_repeating_a_row(secretary, juvignac):
    with acting_for(juvignac):
        expected = sorted(many(juvignac, 127), key=lambda a: (a.decision_date, a.pk), reverse=True)
    seen, address, trail = [], LIST, []
    while address:
        page = secretary.get(address).context
        trail.append([a.pk for a in page["page"].rows])
        seen += trail[-1]
        address = LIST + page["next"] if page["next"] else ""
    assert seen == [a.pk for a in expected]
    assert [len(rows) for rows in trail] == [50, 50, 27]
    back = [trail[-1]]
    while page["previous"]:
        page = secretary.get(LIST + page["previous"]).context
        back.append([a.pk for a in page["page"].rows])
    assert back == trail[::-1]


def test_a_full_board_costs_at_most_twelve_queries(secretary, juvignac):
    with acting_for(juvignac):
        many(juvignac, 60)
    secretary.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        secretary.get(LIST)
    said = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "SELECT set_config"))]
    assert len(said) <= 12, "\n".join(said)


def test_another_organisation_sees_nothing(agent_client, juvignac, fabregues):
    with acting_for(fabregues):
        foreign = make_acte(fabregues)
    client = agent_client(juvignac, "secretaire")
    assert client.get(LIST).context["page"].rows == []
    for address in (
        f"{LIST}{foreign.pk}/",
        f"{LIST}{foreign.pk}/publier/",
        f"/o/fabregues/actes/{foreign.pk}/",
    ):
        assert client.get(address).status_code == 404
    assert client.post(f"{LIST}{foreign.pk}/publier/", {"author_name": "A B", "author_quality": "C"}).status_code == 404


def test_nobody_reads_the_board_without_an_account(juvignac):
    assert Client().get(LIST).status_code == 302


def test_an_elected_member_without_the_right_is_told_so(agent_client, juvignac):
    assert agent_client(juvignac, "elu").get(LIST).status_code == 403


# --- exports ---
def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_the_csv_holds_the_filtered_acts_and_runs_no_formula(secretary, juvignac):
    with acting_for(juvignac):
        make_acte(juvignac, "A", objet='=HYPERLINK("http://ailleurs") ; « été »')
        make_acte(juvignac, "B", status=Status.ERREUR)
    response = secretary.get(f"{LIST}actes.csv?etat=a_publier")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="actes-juvignac-20190711.csv"' in response["Content-Disposition"]
    content = body(response)
    assert content.startswith("\ufeff".encode()), "spreadsheets need the mark to read accents"
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [(r["Numéro"], r["Date de la décision"], r["Reçu en préfecture le"]) for r in rows] == [
        ("A", "2019-07-01", "2019-07-03")
    ]
    assert rows[0]["Objet"] == '\'=HYPERLINK("http://ailleurs") ; « été »'


def test_the_ods_is_a_spreadsheet_with_real_dates(secretary, juvignac):
    with acting_for(juvignac):
        make_acte(juvignac, objet="Une <balise> & « été »")
    with zipfile.ZipFile(io.BytesIO(body(secretary.get(f"{LIST}actes.ods")))) as package:
        assert package.namelist()[0] == "mimetype"
        assert package.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert package.read("mimetype") == b"application/vnd.oasis.opendocument.spreadsheet"
        ElementTree.fromstring(package.read("META-INF/manifest.xml"))
        sheet = ElementTree.fromstring(package.read("content.xml"))
    office, table = (f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("office", "table"))
    rows = sheet.findall(f".//{table}table-row")
    assert len(rows) == 2
    assert "Une <balise> & « été »" in "".join(rows[1].itertext())
    assert "2019-07-01" in [c.get(f"{office}date-value") for c in rows[1]]


def test_an_export_of_another_kind_is_missing(secretary):
    assert secretary.get(f"{LIST}actes.xlsx").status_code == 404


# --- one act ---
def test_the_page_of_an_act_shows_the_whole_of_it(secretary, juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac, annexes=("Convention.pdf",), checks=[
            {"code": "secretaire", "severity": "avertissement", "ok": False, "sentence": "Secrétaire absent"},
            {"code": "numero", "severity": "bloquant", "ok": True, "sentence": "Numéro conforme"},
        ])  # fmt: skip
    page = secretary.get(f"{LIST}{acte.pk}/").content.decode()
    for expected in (
        "Convention de gestion de services numériques communs",
        "034-213401235-20190701-19_07_01_05-DE",
        "Publier la délibération",
        "1\u00a0remarque",
        "Secrétaire absent",
        "Convention.pdf",
        "4\u00a0septembre 2019",
        "Acquittée",
    ):
        assert expected in page.replace("&#x27;", "'"), expected
    assert "style=" not in page
    assert "<script>" not in page


def test_those_who_may_only_read_get_no_button(agent_client, juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac)
    page = agent_client(juvignac, "lecteur").get(f"{LIST}{acte.pk}/").content.decode()
    assert "Publier sur le site de la commune" in page
    assert "publier/" not in page
    assert agent_client(juvignac, "lecteur").post(f"{LIST}{acte.pk}/publier/").status_code == 403


def test_an_act_about_people_is_to_be_notified_first(secretary, juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac, nature="3")
    page = secretary.get(f"{LIST}{acte.pk}/").content.decode()
    assert "Notifier aux intéressés" in page
    assert "Publier malgré tout" in page


# --- publication in two steps ---
def test_the_confirmation_says_what_will_happen_then_publishes(secretary, juvignac, account_for):
    account_for(juvignac, "maire", title="Maire", given_name="Jean-Luc", family_name="SAVY")
    with acting_for(juvignac):
        acte = make_acte(juvignac)
    asked = secretary.get(f"{LIST}{acte.pk}/publier/")
    page = asked.content.decode()
    assert "jeudi 11\u00a0juillet 2019" in page
    assert "jeudi 12\u00a0septembre 2019" in page
    assert asked.context["form"].initial["author_name"] == "Jean-Luc SAVY"
    with acting_for(juvignac):
        assert not Publication.objects.exists(), "looking changes nothing"
    answer = secretary.post(f"{LIST}{acte.pk}/publier/", {"author_name": "Jean-Luc SAVY", "author_quality": "Maire"})
    assert answer.status_code == 302
    with acting_for(juvignac):
        assert Publication.objects.get().acte_id == acte.pk
    page = secretary.get(f"{LIST}{acte.pk}/").content.decode()
    assert "En ligne sur le site de la commune" in page
    assert "Retirer du site" in page


def test_a_refusal_stands_in_the_form_and_keeps_what_was_typed(secretary, juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac, nature="3")
    answer = secretary.post(f"{LIST}{acte.pk}/publier/", {"author_name": "Jean-Luc SAVY", "author_quality": "Maire"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "données personnelles" in page
    assert 'value="Jean-Luc SAVY"' in page
    with acting_for(juvignac):
        assert not Publication.objects.exists()


def test_only_the_annexes_ticked_go_online(secretary, juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac, annexes=("Convention.pdf", "Noms.pdf"))
        wanted = acte.pieces.get(posted_filename="Convention.pdf")
    secretary.post(
        f"{LIST}{acte.pk}/publier/",
        {"author_name": "Jean-Luc SAVY", "author_quality": "Maire", "annexes": [str(wanted.pk)]},
    )
    with acting_for(juvignac):
        assert [a["name"] for a in Publication.objects.get().annexes] == ["Convention.pdf"]


def test_a_withdrawal_asks_for_its_reason(secretary, juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac)
    secretary.post(f"{LIST}{acte.pk}/publier/", {"author_name": "Jean-Luc SAVY", "author_quality": "Maire"})
    address = f"{LIST}{acte.pk}/retirer/"
    assert "deux mois" in secretary.get(address).content.decode()
    assert secretary.post(address, {"reason": "adresse en clair"}).status_code == 400
    assert secretary.post(address, {"reason": "adresse en clair", "despite_duty": "on"}).status_code == 302
    with acting_for(juvignac):
        assert not Publication.objects.online().exists()
