"""The services shown and reachable are those of the convention; what was produced stays readable once it is over."""

from datetime import timedelta

import pytest

from parvis.core import clock

pytestmark = pytest.mark.django_db


def rail(client):
    return client.get("/bureau/").content.decode().partition('<nav class="rail"')[2].partition("</nav>")[0]


def end(organisation, application):
    organisation.subscriptions.filter(application=application).update(until=clock.today() - timedelta(days=1))


def test_an_application_never_taken_is_neither_shown_nor_reachable(juvignac, agent_client, client):
    juvignac.subscriptions.filter(application="edemat").delete()
    agent = agent_client(juvignac, "secretaire")
    assert "/o/juvignac/actes/" not in rail(agent)
    assert "/o/juvignac/donnees/" in rail(agent)
    answer = agent.get("/o/juvignac/actes/")
    assert answer.status_code == 403
    assert "n’a pas adhéré" in answer.content.decode()
    assert "/p/juvignac/actes/" not in client.get("/p/juvignac/").content.decode()


def test_an_application_that_is_over_is_read_and_nothing_is_done_in_it(juvignac, agent_client, client):
    end(juvignac, "edemat")
    agent = agent_client(juvignac, "secretaire")
    assert "consultation" in rail(agent)
    assert agent.get("/o/juvignac/actes/").status_code == 200
    assert agent.get("/o/juvignac/seances/").status_code == 200
    refused = agent.get("/o/juvignac/seances/nouvelle/")
    assert refused.status_code == 403
    assert agent.post("/o/juvignac/seances/nouvelle/").status_code == 403
    assert client.get("/p/juvignac/actes/").status_code == 200


def test_an_application_to_come_is_not_shown_yet(juvignac, agent_client):
    juvignac.subscriptions.filter(application="edemat").update(since=clock.today() + timedelta(days=1))
    agent = agent_client(juvignac, "secretaire")
    assert "/o/juvignac/actes/" not in rail(agent)
    assert agent.get("/o/juvignac/actes/").status_code == 403


def test_the_subscription_of_a_neighbour_opens_nothing(juvignac, fabregues, agent_client):
    juvignac.subscriptions.filter(application="edemat").delete()
    assert fabregues.subscribes_to("edemat", clock.today())
    assert agent_client(juvignac, "secretaire").get("/o/juvignac/actes/").status_code == 403
