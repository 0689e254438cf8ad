"""Help: every page is there, found by its words, and answers the codes of FranceConnect."""

import pytest

from parvis.core.portal import help as helps

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slug", helps.PAGES)
def test_every_page_is_drawn_under_its_title(client, slug):
    page = client.get(f"/aide/{slug}/").content.decode()
    assert f"<h1>{helps.PAGES[slug].title}</h1>" in page


def test_index_sorts_by_audience(client):
    page = client.get("/aide/").content.decode()
    assert (
        page.index(helps.EVERYBODY)
        < page.index("Me connecter")
        < page.index(helps.AGENTS)
        < page.index("Viser et signer")
    )


@pytest.mark.parametrize("code", ["Y010004", "Y010006", "Y010007", "Y010008", "Y010015", "Y020023", "Y180001"])
def test_codes_of_franceconnect_are_explained_and_found(client, code):
    assert code in client.get("/aide/franceconnect/").content.decode()
    assert [p.slug for p in helps.pages_about(code.lower())] == ["franceconnect"]


@pytest.mark.parametrize(
    ("terms", "first"), [("signer", "signer"), ("second facteur", "second-facteur"), ("prefecture", "transmettre")]
)
def test_search_puts_the_page_of_that_title_first(terms, first):
    assert helps.pages_about(terms)[0].slug == first


def test_search_that_finds_nothing_says_whom_to_write_to(client):
    page = client.get("/aide/", {"q": "ornithorynque"}).content.decode()
    assert "Aucune page ne contient ces mots" in page
    assert "/aide/contact/" in page


def test_unknown_page_is_missing(client):
    assert client.get("/aide/inconnue/").status_code == 404


def test_contact_gives_the_address_of_the_organisation_chosen(client, juvignac, fabregues):
    page = client.get("/aide/contact/", {"organisation": "juvignac"}).content.decode()
    assert "mairie@juvignac.test" in page
    assert "mairie@fabregues.test" not in page
    assert client.get("/aide/contact/", {"organisation": "<x>"}).status_code == 200
