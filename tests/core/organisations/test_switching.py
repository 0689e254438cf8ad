"""Several organisations for one person: the quality in each, and the last one found again at the next login."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture
def mayor(juvignac, fabregues, agent_client, account_for):
    client = agent_client(juvignac, "maire", title="Maire de Juvignac", email="deux@mairies.test")
    account_for(fabregues, "lecteur", email="deux@mairies.test")
    return client


def test_the_switch_says_in_what_quality(mayor):
    page = mayor.get("/o/juvignac/journal/").content.decode()
    assert "Maire de Juvignac" in page
    assert "Consultation" in page


def test_the_last_organisation_is_found_again_in_a_new_session(mayor, agent_client, juvignac):
    mayor.get("/o/fabregues/journal/")
    mayor.get("/o/juvignac/journal/")
    for last in ("fabregues", "juvignac"):
        mayor.get(f"/o/{last}/journal/")
        fresh = agent_client(juvignac, "maire", email="deux@mairies.test")
        page = fresh.get("/bureau/").content.decode()
        chosen = page.partition('aria-current="true"')[0].rpartition("href=")[2]
        assert last in chosen


def test_an_organisation_that_is_not_mine_cannot_be_chosen(agent_client, juvignac, fabregues):
    client = agent_client(juvignac, "maire")
    assert client.get("/o/fabregues/").status_code == 404
