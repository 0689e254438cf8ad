"""A citizen's space, and where each population arrives after logging in."""

import pytest

from parvis.core import clock
from parvis.core.portal import space
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_other_package(monkeypatch):
    monkeypatch.setattr(space, "_requests", {})
    monkeypatch.setattr(space, "_documents", {})


def test_a_citizen_arrives_in_their_space(client, citizen):
    client.post("/compte/login/", {"login": citizen.email, "password": PASSWORD})
    answer = client.get("/bureau/")
    assert answer["Location"] == "/espace/"
    page = client.get("/espace/").content.decode()
    assert "<h1>Mon espace</h1>" in page
    assert "Ouvrir mon bureau" not in page


def test_an_agent_arrives_at_the_desk_and_finds_it_from_the_space(juvignac, agent_client):
    client = agent_client(juvignac, "lecteur")
    assert client.get("/bureau/").status_code == 200
    assert 'href="/bureau/">Ouvrir mon bureau' in client.get("/espace/").content.decode()


def test_nobody_is_asked_to_log_in(client, db):
    assert client.get("/espace/")["Location"] == "/compte/login/?next=/espace/"


def test_empty_is_said_plainly(citizen_client):
    page = citizen_client.get("/espace/").content.decode()
    assert "Vous n’avez fait aucune demande" in page
    assert "Aucun document ne vous a été remis" in page


def test_what_packages_register_is_shown_newest_first(citizen_client, juvignac, fabregues):
    def find(organisation, title, day):
        return lambda request: [space.Item(title, "/x", organisation, clock.now().replace(day=day), "en cours")]

    space.register_requests("a", find(juvignac, "Acte de naissance", 1))
    space.register_requests("b", find(fabregues, "Inscription à la cantine", 2))
    space.register_documents("a", find(juvignac, "Récépissé", 1))
    page = citizen_client.get("/espace/").content.decode()
    assert page.index("Inscription à la cantine") < page.index("Acte de naissance") < page.index("Récépissé")
    assert "Commune de Juvignac</a>" in page
    assert "Commune de Fabrègues</a>" in page


def test_the_commune_chosen_gives_its_colours(citizen_client, citizen, juvignac, metropole):
    answer = citizen_client.post("/espace/commune/", {"commune": juvignac.pk}, follow=True)
    citizen.refresh_from_db()
    assert citizen.commune == juvignac
    assert "/theme/juvignac-" in answer.content.decode()
    citizen_client.post("/espace/commune/", {"commune": ""})
    citizen.refresh_from_db()
    assert citizen.commune is None
    for refused in (metropole.pk, "0", "x", 10**30):
        assert (
            "n’est pas dans la liste"
            in citizen_client.post("/espace/commune/", {"commune": refused}, follow=True).content.decode()
        )


def test_the_public_header_offers_the_space_or_the_desk(citizen_client, juvignac, agent_client):
    assert "Mon espace" in citizen_client.get("/p/juvignac/").content.decode()
    assert "Mon bureau" in agent_client(juvignac, "lecteur").get("/p/juvignac/").content.decode()
