"""The dossiers that the desk counts are listed, each with the way to its page, for who may read them."""

import pytest

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.services import open_route

pytestmark = pytest.mark.django_db
LIST = "/bureau/dossiers/"


@pytest.fixture
def stopped(juvignac, fabregues):
    """One dossier of each organisation that stopped at its transmission, for want of a document."""
    for organisation in (juvignac, fabregues):
        with acting_for(organisation):
            open_route(
                organisation,
                kind="deliberation",
                title=f"Délibération de {organisation.slug}",
                reference="19.07.01.05",
                facts={},
                step_codes=["actes.transmission", "actes.publication"],
                actor=Actor("system", "essai"),
            )
    return juvignac


def test_the_desk_leads_to_the_dossiers_that_it_counts(agent_client, stopped):
    client = agent_client(stopped, "secretaire")
    assert f'<a href="{LIST}?etat=echec">1' in client.get("/bureau/").content.decode()
    page = client.get(f"{LIST}?etat=echec").content.decode()
    assert "Délibération de juvignac" in page
    assert "/o/juvignac/cheminements/" in page, "the page of the step that stopped"
    assert "Délibération de fabregues" not in page
    assert "Délibération de juvignac" not in client.get(LIST).content.decode()


def test_who_may_read_no_service_sees_no_dossier(agent_client, stopped):
    client = agent_client(stopped, "dpo")
    assert "Délibération de juvignac" not in client.get(f"{LIST}?etat=echec").content.decode()
    assert f"{LIST}?etat=echec" not in client.get("/bureau/").content.decode(), "nor how many there are"


def test_a_longer_list_asks_no_more_of_the_database(agent_client, stopped, django_assert_max_num_queries):
    client = agent_client(stopped, "secretaire")
    client.get(f"{LIST}?etat=echec")
    with acting_for(stopped):
        for number in range(20):
            open_route(
                stopped, kind="deliberation", title=f"Dossier {number}", reference=f"19.07.02.{number}", facts={},
                step_codes=["actes.transmission"], actor=Actor("system", "essai"),
            )  # fmt: skip
    with django_assert_max_num_queries(25):
        assert client.get(f"{LIST}?etat=echec").content.decode().count("Dossier ") == 20
