"""Public pages of acts: only what is published, with the data of R2131-1, readable without a script."""

import csv
import io
from datetime import date
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for, public_view_of
from parvis.edemat.actes.models import Publication
from parvis.edemat.actes.publication import Author, publish, withdraw
from tests.edemat.actes.making import make_acte

REGISTER = "/p/juvignac/actes/"
MAYOR, AGENT = Author("Jean-Luc SAVY", "Maire"), Actor("account", "1")
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def eleventh_of_july(frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")


@pytest.fixture
def visitor():
    return Client()


@pytest.fixture
def published(juvignac):
    """``published("A", …)`` puts an act of Juvignac online and returns its publication."""

    def put(numero="19.07.01.05", organisation=juvignac, on=None, **fields) -> Publication:
        with acting_for(organisation):
            acte = make_acte(organisation, numero, **fields)
            return publish(acte, author=MAYOR, actor=AGENT, on=on, personal_data_reviewed=True)

    return put


def shown(response) -> set[str]:
    return {p.numero for p in response.context["page"].rows}


def test_an_empty_register_says_so(visitor, juvignac):
    page = visitor.get(REGISTER)
    assert page.status_code == 200
    assert "Aucun acte publié pour le moment" in page.content.decode()


def test_the_register_shows_published_acts_only(visitor, published, juvignac, fabregues):
    published("A")
    published("B", organisation=fabregues)
    with acting_for(juvignac):
        make_acte(juvignac, "C")
        gone = publish(make_acte(juvignac, "D"), author=MAYOR, actor=AGENT)
        withdraw(gone, reason="erreur", actor=AGENT, despite_duty=True)
    assert shown(visitor.get(REGISTER)) == {"A"}
    with public_view_of(juvignac):  # even a query that forgets every filter
        assert [p.numero for p in Publication.objects.all()] == ["A"]
    assert shown(visitor.get("/p/fabregues/actes/")) == {"B"}


def test_the_register_says_what_the_law_wants(visitor, published):
    published()
    page = visitor.get(REGISTER).content.decode()
    for expected in (
        "Convention de gestion",
        "11\u00a0juillet 2019",
        "Jean-Luc SAVY, Maire",
        "exécutoire le 11/07/2019",
    ):
        assert expected in page, expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("nature=2", {"B"}),
        ("matiere=7", {"B"}),
        ("seance=2019-07-01", {"A"}),
        ("q=cantines", {"B"}),  # another form of the word
        ("q=mutualisation", {"A"}),  # a word of the text, not of the object
        ("q=%22gestion+mutualisation%22", set()),
        ("q=19_07_01_05", set()),
        ("q=A", {"A"}),
        ("du=2019-07-11", {"A"}),
        ("au=2019-07-10", {"B"}),
        ("q='; DROP TABLE", set()),
        ("q=%00&nature=x&seance=demain", {"A", "B"}),
    ],
)
def test_search_and_facets(visitor, published, run_jobs, query, expected):
    published("A", words="Mutualisation des serveurs informatiques")
    published(
        "B",
        objet="Tarif de la cantine",
        nature="2",
        matiere="7.10",
        decision_date=date(2019, 6, 3),
        on=date(2019, 7, 10),
    )
    run_jobs(queue="actes")
    page = visitor.get(f"{REGISTER}?{query}")
    assert page.status_code == 200
    assert shown(page) == expected


def test_facets_count_and_lead_back(visitor, published):
    published("A")
    published("B", nature="2", matiere="7.10")
    context = visitor.get(f"{REGISTER}?nature=2").context
    assert [(c.label, c.count, c.chosen) for c in context["natures"]] == [
        ("Délibérations", 1, False),
        ("Actes réglementaires", 1, True),
    ]
    assert context["natures"][1].url == "?", "choosing it again removes it"
    assert {(c.label, c.count) for c in context["matieres"]} == {
        ("Institutions et vie politique", 1),
        ("Finances locales", 1),
    }
    assert [(c.label, c.count) for c in context["seances"]] == [(date(2019, 7, 1), 1)]


def test_facets_count_the_acts_that_hold_the_words_looked_for(visitor, published):
    published("A")
    published("B", nature="2", matiere="7.10", objet="Tarif de la cantine")
    context = visitor.get(f"{REGISTER}?q=cantine").context
    assert [(c.label, c.count) for c in context["natures"]] == [("Actes réglementaires", 1)]
    assert [(c.label, c.count) for c in context["matieres"]] == [("Finances locales", 1)]


def test_a_search_too_long_finds_nothing_says_why_and_shows_no_facet(visitor, published):
    published("A")
    page = visitor.get(REGISTER, {"q": "a" * 2000})
    assert "La recherche tient en 200 caractères" in page.content.decode()
    assert (page.context["total"], page.context["natures"]) == (0, [])


def test_pages_follow_one_another(visitor, published):
    for number in range(23):
        published(f"A{number}")
    first = visitor.get(REGISTER)
    second = visitor.get(f"{REGISTER}?apres={first.context['page'].next}")
    assert len(first.context["page"].rows) == 20
    assert len(second.context["page"].rows) == 3
    assert not shown(first) & shown(second)
    back = visitor.get(f"{REGISTER}?avant={second.context['page'].previous}")
    assert shown(back) == shown(first)


def test_a_register_costs_at_most_twelve_queries(visitor, published):
    for number in range(5):
        published(f"A{number}")
    visitor.get(REGISTER)
    with CaptureQueriesContext(connection) as queries:
        visitor.get(REGISTER)
    said = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "SELECT set_config"))]
    assert len(said) <= 12, "\n".join(said)


# --- one act ---
def test_the_page_of_an_act_gives_text_author_dates_and_appeal(visitor, published, run_jobs):
    publication = published(annexes=("Convention.pdf",))
    run_jobs(queue="actes")
    page = visitor.get(f"{REGISTER}{publication.pk}/")
    words = page.content.decode()
    for expected in (
        "Jean-Luc SAVY, Maire",
        "jeudi 11\u00a0juillet 2019",
        "jeudi 12\u00a0septembre 2019",
        "Convention.pdf",
        publication.document.sha256,
        "034-213401235-20190701-19_07_01_05-DE",
    ):
        assert expected in words, expected
    assert page.context["full_text"].derivation == "tampon_publie_20190711"
    content = visitor.get(f"/p/juvignac/documents/{page.context['full_text'].pk}")
    assert content.status_code == 200
    assert b"".join(content.streaming_content).startswith(b"%PDF-")


def test_an_act_that_is_not_online_is_missing(visitor, juvignac, fabregues, published):
    with acting_for(juvignac):
        acte = make_acte(juvignac, "Z")
    other = published("A", organisation=fabregues)
    for pk in (acte.pk, other.pk):
        assert visitor.get(f"{REGISTER}{pk}/").status_code == 404
    assert visitor.get(f"/p/juvignac/documents/{acte.document_id}").status_code == 404


def test_nothing_on_these_pages_needs_a_script_or_runs_inline(visitor, published):
    publication = published()
    for address in (REGISTER, f"{REGISTER}{publication.pk}/"):
        page = visitor.get(address).content.decode()
        assert "style=" not in page
        assert "onclick" not in page
        assert 'method="post"' not in page


# --- verification, feed, file ---
def test_verification_tells_nothing_about_what_is_not_public(visitor, juvignac, published):
    published("19.07.01.05")
    with acting_for(juvignac):
        make_acte(juvignac, "19.07.01.06")
    known = visitor.get(f"{REGISTER}verification/034-213401235-20190701-19_07_01_05-DE/").content.decode()
    assert "Cet acte est publié" in known
    kept = visitor.get(f"{REGISTER}verification/034-213401235-20190701-19_07_01_06-DE/").content.decode()
    unknown = visitor.get(f"{REGISTER}verification/034-213401235-20190701-19_07_01_77-DE/").content.decode()
    assert "Aucun acte publié sous cet identifiant" in kept
    assert kept.replace("01_06", "") == unknown.replace("01_77", "")


def test_the_feed_is_atom(visitor, published):
    publication = published(objet="Été & <œuf> d’or")
    response = visitor.get(f"{REGISTER}flux.atom")
    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(response.content)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Été & <œuf> d’or"
    assert entry.findtext(f"{ATOM}id") == f"urn:uuid:{publication.pk}"
    assert entry.findtext(f"{ATOM}updated").startswith("2019-07-11T07:00:00")
    links = {link.get("rel"): link.get("href") for link in entry.findall(f"{ATOM}link")}
    assert links["alternate"] == f"http://localhost:8000/p/juvignac/actes/{publication.pk}/"
    assert links["enclosure"].endswith(str(publication.document_id))


def test_the_register_downloads_as_csv(visitor, published):
    published()
    content = b"".join(visitor.get(f"{REGISTER}actes.csv").streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content), delimiter=";")
    assert (row["Numéro"], row["Auteur"], row["Publié le"]) == ("19.07.01.05", "Jean-Luc SAVY", "2019-07-11")
    assert visitor.get(f"{REGISTER}actes.ods").status_code == 200
    assert visitor.get(f"{REGISTER}actes.exe").status_code == 404


def test_the_home_of_the_commune_shows_the_latest_acts(visitor, published, juvignac, fabregues):
    published("A", objet="Pont neuf")
    published("B", organisation=fabregues, objet="Port vieux")
    with acting_for(juvignac):
        make_acte(juvignac, "C", objet="Projet secret")
    page = visitor.get("/p/juvignac/").content.decode()
    assert "Derniers actes publiés" in page
    assert "Pont neuf" in page
    assert "Port vieux" not in page
    assert "Projet secret" not in page


def test_the_search_finds_the_acts_online_of_ones_own_communes(published, juvignac, fabregues, agent_client):
    published("A", objet="Convention du pont")
    published("B", organisation=fabregues, objet="Convention du port")
    client = agent_client(juvignac, "lecteur")
    groups = {
        g.code: [i.title for i in g.items] for g in client.get("/bureau/recherche/?q=convention").context["groups"]
    }
    assert groups["actes"] == ["Convention du pont"]
    client.account.commune = fabregues
    client.account.save()
    groups = {
        g.code: [i.title for i in g.items] for g in client.get("/bureau/recherche/?q=convention").context["groups"]
    }
    assert groups["actes"] == ["Convention du port", "Convention du pont"]
