"""One search across everything that the person may see, and nothing more."""

import pytest

from parvis.core import clock
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web import searching

pytestmark = pytest.mark.django_db


@pytest.fixture
def route():
    from parvis.core.routing.models import Route, RouteStep

    def make(organisation, title, code="actes.transmission"):
        with acting_for(organisation):
            made = Route.objects.create(
                organisation=organisation, kind="essai", title=title, reference="R-1", created_at=clock.now()
            )
            RouteStep.objects.create(organisation=organisation, route=made, rank=1, code=code)
        return made

    return make


def groups(client, terms, **query):
    answer = client.get("/bureau/recherche/", {"q": terms, **query})
    assert answer.status_code == 200
    return {group.code: [item.title for item in group.items] for group in answer.context["groups"]}


def test_results_are_grouped_by_kind(juvignac, agent_client, route):
    route(juvignac, "Second facteur de la mairie de Juvignac")
    found = groups(agent_client(juvignac, "administrateur"), "juvignac")
    assert found["dossiers"] == ["Second facteur de la mairie de Juvignac"]
    assert found["organisations"] == ["Commune de Juvignac"]
    assert found["personnes"] == ["Camille Essai"]


def test_nothing_of_another_organisation_is_found(juvignac, fabregues, agent_client, account_for, route):
    route(fabregues, "Pont de Fabrègues")
    account_for(fabregues, "dgs", family_name="Pontier")
    for role in ("administrateur", "secretaire", "maire"):
        found = groups(agent_client(juvignac, role), "pont")
        assert "dossiers" not in found
        assert "personnes" not in found


def test_who_acts_for_two_organisations_finds_in_both(juvignac, fabregues, agent_client, account_for, route):
    route(juvignac, "Pont de Juvignac")
    route(fabregues, "Pont de Fabrègues")
    client = agent_client(juvignac, "secretaire", email="deux@essai.test")
    account_for(fabregues, "secretaire", email="deux@essai.test")
    assert groups(client, "pont")["dossiers"] == ["Pont de Fabrègues", "Pont de Juvignac"]


def test_a_route_is_found_only_by_who_reads_one_of_its_services(juvignac, fabregues, agent_client, account_for, route):
    route(juvignac, "Pont secret", code="parapheur.signature")
    assert "dossiers" in groups(agent_client(juvignac, "secretaire"), "secret")
    for role in ("elu", "archiviste", "dpo"):
        assert "dossiers" not in groups(agent_client(juvignac, role), "secret"), role
    # Reading in one organisation gives nothing in another where one only sits.
    both = agent_client(fabregues, "secretaire", email="deux@essai.test")
    account_for(juvignac, "elu", email="deux@essai.test")
    assert "dossiers" not in groups(both, "secret")


def test_people_are_found_only_by_who_reads_their_rights(juvignac, agent_client, account_for):
    account_for(juvignac, "maire", family_name="Introuvable")
    for role, finds in (
        ("administrateur", True),
        ("dpo", True),
        ("secretaire", False),
        ("elu", False),
        ("lecteur", False),
    ):
        assert ("personnes" in groups(agent_client(juvignac, role), "introuvable")) is finds, role


def test_a_head_of_service_finds_the_people_of_that_service_only(juvignac, agent_client, account_for):
    from parvis.core.identity.models import Mandate
    from parvis.core.organisations.models import Department

    head = agent_client(juvignac, "chef_service")
    inside = account_for(juvignac, "secretaire", family_name="Pontier")
    account_for(juvignac, "maire", family_name="Pontet")
    with acting_for(juvignac):
        mine = Department.objects.create(organisation=juvignac, name="Voirie", head=head.account)
        Mandate.objects.filter(account=inside).update(department=mine)
    assert groups(head, "pont")["personnes"] == ["Camille Pontier"]


def test_a_citizen_finds_organisations_and_help_in_public_colours(citizen_client, juvignac, route, account_for):
    route(juvignac, "Connexion du pont de Juvignac")
    account_for(juvignac, "maire", family_name="Juvignac")
    assert set(groups(citizen_client, "juvignac")) == {"organisations"}
    assert "Me connecter" in groups(citizen_client, "connecter")["aide"]
    assert 'class="rail"' not in citizen_client.get("/bureau/recherche/?q=x").content.decode()


def test_each_kind_shows_a_few_and_leads_to_the_others(juvignac, agent_client, route):
    for number in range(searching.IN_ALL + 2):
        route(juvignac, f"Pont {number}")
    client = agent_client(juvignac, "secretaire")
    assert len(groups(client, "pont")["dossiers"]) == searching.IN_ALL
    assert "dans=dossiers" in client.get("/bureau/recherche/?q=pont").content.decode()
    assert len(groups(client, "pont", dans="dossiers")["dossiers"]) == searching.IN_ALL + 2


def test_an_unknown_kind_searches_everywhere(juvignac, agent_client):
    assert "organisations" in groups(agent_client(juvignac, "secretaire"), "juvignac", dans="nulle-part")


@pytest.mark.parametrize(
    "terms", ["%", "_", "' OR 1=1 --", "\x00", "🦊", "a" * 5000, "un deux trois quatre cinq six sept huit"]
)
def test_odd_words_find_nothing_and_break_nothing(juvignac, agent_client, route, terms):
    route(juvignac, "Pont")
    assert "dossiers" not in groups(agent_client(juvignac, "secretaire"), terms)


def test_search_is_a_page_of_few_queries(juvignac, agent_client, route, django_assert_max_num_queries):
    for number in range(5):
        route(juvignac, f"Pont {number}")
    client = agent_client(juvignac, "administrateur")
    client.get("/bureau/recherche/?q=pont")
    with django_assert_max_num_queries(26):
        client.get("/bureau/recherche/?q=pont")
