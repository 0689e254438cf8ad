"""Datasets in the search: all for whoever reads the data of the organisation, those online for the others."""

import pytest

from parvis.core.identity.models import Account
from parvis.core.organisations.tenancy import acting_for
from parvis.opendata.models import Dataset
from parvis.opendata.services import deliberations_dataset

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(juvignac):
    with acting_for(juvignac):
        return deliberations_dataset(juvignac)


def found(client):
    answer = client.get("/bureau/recherche/", {"q": "délibérations"})
    return [item.url for group in answer.context["groups"] if group.code == "donnees" for item in group.items]


def withdraw(dataset):
    with acting_for(dataset.organisation):
        Dataset.objects.update(public=False)


def test_an_agent_finds_a_dataset_even_offline(dataset, juvignac, agent_client):
    withdraw(dataset)
    assert found(agent_client(juvignac, "secretaire")) == ["/o/juvignac/donnees/"]


def test_who_does_not_read_the_data_finds_what_is_online(dataset, juvignac, agent_client):
    client = agent_client(juvignac, "elu")
    assert found(client) == ["/p/juvignac/donnees/"]
    withdraw(dataset)
    assert found(client) == []


def test_a_citizen_finds_what_the_preferred_commune_has_online(dataset, juvignac, client):
    citizen = Account.objects.create_user("citoyenne@essai.test", given_name="Camille", family_name="Essai")
    client.force_login(citizen)
    assert found(client) == []
    citizen.commune = juvignac
    citizen.save()
    assert found(client) == ["/p/juvignac/donnees/"]


def test_the_datasets_of_a_neighbour_are_not_found(dataset, juvignac, fabregues, agent_client, account_for):
    withdraw(dataset)
    assert found(agent_client(fabregues, "secretaire")) == []
    # Reading the data of one organisation gives nothing offline in another where one only sits.
    both = agent_client(fabregues, "secretaire", email="deux@essai.test")
    account_for(juvignac, "elu", email="deux@essai.test")
    assert found(both) == []


def test_without_subscription_no_dataset_is_found(dataset, juvignac, agent_client):
    juvignac.subscriptions.filter(application="opendata").delete()
    assert found(agent_client(juvignac, "secretaire")) == []


def test_the_search_for_datasets_is_bounded(dataset, juvignac, agent_client, rf):
    from parvis.opendata.searching import find_datasets

    request = rf.get("/")
    request.user = agent_client(juvignac, "secretaire").account
    with acting_for(juvignac):
        dataset.pk = None
        dataset.slug = "deliberations-2018"
        dataset.save(force_insert=True)
        assert len(find_datasets(request, "délibérations", 2)) == 2
        assert len(find_datasets(request, "délibérations", 1)) == 1
