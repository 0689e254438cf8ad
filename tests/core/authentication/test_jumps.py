"""An agent's session that changes browser: told, logged, and held until a new proof."""

import time

import pytest
from django.core import mail
from django.test import Client

from tests.conftest import PASSWORD
from tests.core.authentication.test_assurance import code_of
from tests.core.authentication.test_login import events_of, log_in
from tests.core.identity.life import browser_of, citizen

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
WINDOWS = FIREFOX.format(version=140)
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
PAGE, PROOF = "/bureau/", "/mon-compte/securite/confirmer/"


@pytest.fixture
def agent(agent_client, juvignac):
    """An agent logged in a minute ago with Firefox on Windows."""
    client = agent_client(juvignac, "secretaire")
    assert client.get(PAGE, HTTP_USER_AGENT=WINDOWS).status_code == 200
    return client


def stolen(client):
    """The same cookie, in another browser."""
    other = Client(HTTP_USER_AGENT=PHONE)
    other.cookies.load({"sessionid": client.cookies["sessionid"].value})
    return other


def prove(client, account, address):
    return client.post(address, {"password": PASSWORD, "code": code_of(account)})


def later(monkeypatch, seconds=2):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


def test_another_browser_is_asked_for_a_proof_however_recent_the_former_one(agent):
    other = stolen(agent)
    answer = other.get(PAGE)
    assert answer.status_code == 303
    assert answer["Location"].startswith(PROOF)


def test_both_browsers_are_told_why_once(agent):
    other = stolen(agent)
    for client, browser in ((other, PHONE), (agent, WINDOWS)):
        for told in (True, False):
            page = client.get(PAGE, HTTP_USER_AGENT=browser, follow=True).content.decode()
            assert ("change de navigateur" in page) is told


def test_the_holder_is_told_once_and_the_log_says_between_what(agent, run_jobs):
    other = stolen(agent)
    other.get(PAGE)
    other.get(PAGE)
    run_jobs()
    assert [m.subject for m in mail.outbox] == ["Votre session a changé de navigateur"]
    assert "« Firefox sur Windows »" in mail.outbox[0].body
    assert "« Chrome sur Android »" in mail.outbox[0].body
    assert events_of(agent.account) == ["user.session.jump"]


def test_the_session_goes_on_after_the_proof_with_what_was_being_sent(agent, monkeypatch):
    other = stolen(agent)
    answer = other.post("/o/juvignac/seances/nouvelle/", {"titre": "Séance d’été"})
    assert "suite=" in answer["Location"]
    later(monkeypatch)
    resumed = prove(other, agent.account, answer["Location"])
    assert "Séance d’été" in other.get(resumed["Location"]).content.decode()
    assert other.get(PAGE).status_code == 200


def test_the_proof_of_the_holder_puts_the_other_browser_out(agent, monkeypatch):
    other = stolen(agent)
    other.get(PAGE)
    held = agent.get(PAGE, HTTP_USER_AGENT=WINDOWS)
    assert held.status_code == 303
    later(monkeypatch)
    agent.post(held["Location"], {"password": PASSWORD, "code": code_of(agent.account)}, HTTP_USER_AGENT=WINDOWS)
    assert agent.get(PAGE, HTTP_USER_AGENT=WINDOWS).status_code == 200
    assert other.get(PAGE)["Location"].startswith("/compte/login/")


@pytest.mark.parametrize(
    "page",
    [
        "/compte/mfa/webauthn/add/",
        "/compte/password/change/",
        "/mon-compte/",
        "/saml/accord/0193e0a0-0000-7000-8000-000000000000/retirer/",
    ],
)
def test_a_session_in_doubt_does_not_open_the_account(agent, page):
    assert stolen(agent).get(page)["Location"].startswith(PROOF)


@pytest.mark.parametrize("page", ["/", "/p/juvignac/", "/compte/logout/"])
def test_a_session_in_doubt_still_opens_public_pages_and_the_way_out(agent, page):
    assert stolen(agent).get(page).status_code == 200


def test_an_update_of_the_browser_is_no_jump(agent):
    assert agent.get(PAGE, HTTP_USER_AGENT=FIREFOX.format(version=141)).status_code == 200


def test_the_browser_of_the_login_is_the_one_that_counts(agent_client, juvignac):
    account = agent_client(juvignac, "lecteur").account
    client = Client(HTTP_USER_AGENT=WINDOWS)
    log_in(client, account.email)
    client.post("/compte/mfa/authenticate/", {"code": code_of(account)})
    assert stolen(client).get(PAGE).status_code == 303


def test_a_citizen_is_not_concerned():
    client = browser_of(citizen())
    for browser in (WINDOWS, PHONE):
        assert client.get("/mon-compte/", HTTP_USER_AGENT=browser).status_code == 200
