"""What is not subscribed to is unreachable for agents; what was produced before stays readable."""

from datetime import timedelta

import pytest

from parvis.core import clock
from parvis.core.organisations.models import Subscription

pytestmark = pytest.mark.django_db
READING, MAKING = "/o/juvignac/seances/", "/o/juvignac/seances/nouvelle/"


@pytest.fixture
def secretary(juvignac, agent_client):
    return agent_client(juvignac, "secretaire")


def statuses(client):
    return [client.get(READING).status_code, client.get(MAKING).status_code, client.post(MAKING).status_code]


def test_a_subscription_in_force_opens_everything(secretary):
    assert statuses(secretary)[:2] == [200, 200]
    assert statuses(secretary)[2] != 403


def test_an_ended_subscription_leaves_what_was_produced_readable_and_nothing_else(secretary, juvignac):
    Subscription.objects.filter(application="edemat").update(until=clock.today() - timedelta(days=1))
    assert statuses(secretary) == [200, 403, 403]
    assert READING in secretary.get(READING).content.decode()  # still in the rail


@pytest.mark.parametrize("since", [None, 1])
def test_what_was_never_subscribed_to_is_out_of_reach_and_of_sight(secretary, juvignac, since):
    """Neither before the day of the subscription, nor without any."""
    rows = Subscription.objects.filter(application="edemat")
    if since is None:
        rows.delete()
    else:
        rows.update(since=clock.today() + timedelta(days=since))
    assert statuses(secretary) == [403, 403, 403]
    assert f'href="{READING}"' not in secretary.get("/o/juvignac/journal/").content.decode()
