"""What a site is answered while the session of an agent is in doubt, or lacks its second factor."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.messages import get_messages

from parvis.core.authentication import stepup
from parvis.core.authentication.jumps import DOUBT
from tests.core.authentication.test_jumps import PAGE, WINDOWS, later, prove, stolen
from tests.core.provider.party import answered

pytestmark = pytest.mark.django_db
PROOF, RESUME = "/mon-compte/securite/confirmer/", "/identite/o/suite"


@pytest.fixture
def agent(agent_client, juvignac):
    client = agent_client(juvignac, "secretaire")
    assert client.get(PAGE, HTTP_USER_AGENT=WINDOWS).status_code == 200
    return client


@pytest.fixture
def unproved(agent):
    """The same, whose session proved a password alone."""
    session = agent.session
    del session["account_authentication_methods"][1]
    session.save()
    return agent


def next_of(answer):
    address = urlsplit(answer["Location"])
    assert address.path == PROOF
    return parse_qs(address.query)["next"][0]


def test_the_proof_of_a_session_in_doubt_comes_back_to_a_page_and_not_to_the_site(site, agent, monkeypatch):
    other = stolen(agent)
    asked = site.ask(other)
    assert next_of(asked).startswith(f"{RESUME}?")
    later(monkeypatch)
    assert prove(other, agent.account, asked["Location"])["Location"].startswith(f"{RESUME}?")
    assert "code" in answered(site.ask(other))


def test_a_silent_request_of_a_session_in_doubt_is_refused_without_a_word(site, agent):
    other = stolen(agent)
    answer = site.ask(other, prompt="none")
    assert answered(answer)["error"] == "login_required"
    assert not list(get_messages(answer.wsgi_request))
    assert other.session[DOUBT]["told"] == []


def test_the_proof_of_a_second_factor_comes_back_to_a_page_and_not_to_the_site(site, unproved):
    assert next_of(site.ask(unproved)).startswith(f"{RESUME}?")


@pytest.mark.parametrize("silent", [True, False])
def test_only_a_visible_request_waits_for_a_second_factor_to_be_chosen(site, agent_client, juvignac, silent):
    client = agent_client(juvignac, "administrateur")
    client.account.authenticator_set.all().delete()
    session = client.session
    del session["account_authentication_methods"][1], session["identity.second_factor"]
    session.save()
    answer = site.ask(client, **({"prompt": "none"} if silent else {}))
    if silent:
        assert answered(answer)["error"] == "login_required"
        assert stepup.AWAITED not in client.session
    else:
        assert client.session[stepup.AWAITED]["address"].startswith(f"{RESUME}?")
