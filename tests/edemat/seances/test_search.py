"""Meetings in the search: found by body, day and agenda, by whoever reads the meetings of that organisation."""

import pytest

from parvis.core.organisations.tenancy import acting_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def meeting(make_council, juvignac):
    with acting_for(juvignac):
        return make_council(juvignac, size=2).seance


def found(client, terms, code="seances"):
    answer = client.get("/bureau/recherche/", {"q": terms})
    return [item for group in answer.context["groups"] if group.code == code for item in group.items]


@pytest.mark.parametrize(
    "terms",
    [
        "conseil municipal",
        "Affaire 2",
        "01/07/2019",
        "1/7/2019",
        "2019-07-01",
        "1er Juillet 2019",
        "séance du 1er juillet",
    ],
)
def test_a_meeting_is_found_by_its_body_its_day_and_its_items(meeting, juvignac, agent_client, terms):
    (item,) = found(agent_client(juvignac, "secretaire"), terms)
    assert item.title == str(meeting)
    assert item.url == f"/o/juvignac/seances/{meeting.pk}/"


@pytest.mark.parametrize(
    "terms", ["affaire 9999", "02/07/2019", "août", "31/02/2019", "2018", "0000-00-00", "99/99/9999"]
)
def test_other_days_and_items_find_nothing(meeting, juvignac, agent_client, terms):
    assert found(agent_client(juvignac, "secretaire"), terms) == []


def test_who_does_not_read_meetings_finds_none(meeting, juvignac, agent_client):
    assert found(agent_client(juvignac, "elu"), "affaire")
    assert found(agent_client(juvignac, "archiviste"), "affaire") == []


def test_the_meetings_of_a_neighbour_are_not_found(meeting, juvignac, fabregues, agent_client, account_for):
    assert found(agent_client(fabregues, "secretaire"), "affaire") == []
    # Reading meetings in one organisation gives nothing in another where one keeps the archives only.
    both = agent_client(fabregues, "secretaire", email="deux@essai.test")
    account_for(juvignac, "archiviste", email="deux@essai.test")
    assert found(both, "affaire") == []


def test_without_subscription_no_meeting_is_found(meeting, juvignac, agent_client):
    juvignac.subscriptions.filter(application="edemat").delete()
    assert found(agent_client(juvignac, "secretaire"), "affaire") == []


def test_the_search_for_meetings_is_bounded(make_council, juvignac, agent_client, rf):
    from parvis.edemat.seances.models import Seance
    from parvis.edemat.seances.searching import find_seances

    with acting_for(juvignac):
        first = make_council(juvignac, size=2).seance
        for day in (2, 3):
            Seance.objects.create(
                organisation=juvignac, organe=first.organe, place="Mairie", starts_at=first.starts_at.replace(day=day)
            )
        request = rf.get("/")
        request.user = agent_client(juvignac, "secretaire").account
        assert [item.title.split()[3] for item in find_seances(request, "conseil", 2)] == ["3", "2"]
