"""Transfers in the search: found by number and title, by whoever reads the archives of that organisation."""

import pytest

from parvis.core import clock
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.archives.models import Transfer

pytestmark = pytest.mark.django_db
NUMBER = "213401235-19.07.01.05"


@pytest.fixture
def make_transfer():
    from parvis.core.documents.services import store

    def make(organisation, title, identifier):
        with acting_for(organisation):
            package = store(organisation, b"paquet", "paquet.zip")
            return Transfer.objects.create(
                organisation=organisation,
                origin="depot",
                title=title,
                identifier=identifier,
                package=package,
                deposited_at=clock.now(),
            )

    return make


@pytest.fixture
def transfer(make_transfer, juvignac):
    return make_transfer(juvignac, "Convention de gestion", NUMBER)


def found(client, terms):
    answer = client.get("/bureau/recherche/", {"q": terms})
    return [item for group in answer.context["groups"] if group.code == "archives" for item in group.items]


@pytest.mark.parametrize("terms", ["convention", NUMBER, "gestion 19.07"])
def test_a_transfer_is_found_by_its_title_and_its_number(transfer, juvignac, agent_client, terms):
    (item,) = found(agent_client(juvignac, "archiviste"), terms)
    assert (item.title, item.url) == ("Convention de gestion", f"/o/juvignac/archives/{transfer.pk}/")


def test_who_does_not_read_the_archives_finds_none(transfer, juvignac, agent_client):
    assert found(agent_client(juvignac, "elu"), "convention") == []


def test_the_transfers_of_a_neighbour_are_not_found(transfer, juvignac, fabregues, agent_client, account_for):
    assert found(agent_client(fabregues, "archiviste"), "convention") == []
    # Reading the archives of one organisation gives nothing in another where one only sits.
    both = agent_client(fabregues, "archiviste", email="deux@essai.test")
    account_for(juvignac, "elu", email="deux@essai.test")
    assert found(both, "convention") == []


def test_without_subscription_no_transfer_is_found(transfer, juvignac, agent_client):
    juvignac.subscriptions.filter(application="edemat").delete()
    assert found(agent_client(juvignac, "archiviste"), "convention") == []


def test_the_search_for_transfers_is_bounded(make_transfer, juvignac, agent_client, rf):
    from parvis.edemat.archives.searching import find_transfers

    for number in range(3):
        make_transfer(juvignac, "Convention", f"{NUMBER}-{number}")
    request = rf.get("/")
    request.user = agent_client(juvignac, "archiviste").account
    with acting_for(juvignac):
        assert len(find_transfers(request, "convention", 2)) == 2
