"""Logout goes on to the provider used in the session, and every step that fails is shown."""

import pytest
import requests
from django.test import Client

from tests.core.federation.conftest import parameters

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(franceconnect, browser):
    franceconnect.log_in(browser, "test")
    browser.post("/federation/nouveau-compte/", {"email": ""})
    return browser


def leave(client):
    answer = client.post("/compte/logout/")
    assert answer.status_code == 302
    return answer["Location"]


def test_local_logout_then_the_providers(member, franceconnect):
    before = len(franceconnect.ended)
    assert leave(member) == "/federation/deconnexion/"
    assert "_auth_user_id" not in member.session, "here first"
    page = member.get("/federation/deconnexion/")
    address = page["Refresh"].removeprefix("0; url=")
    assert address.startswith(f"{franceconnect.issuer}/session/end?")
    assert parameters(address)["post_logout_redirect_uri"].endswith("/federation/franceconnect/sortie/")
    back = requests.get(address, allow_redirects=False, timeout=5)
    assert back.status_code == 303, back.text
    assert len(franceconnect.ended) == before + 1
    assert "pourriez être encore connecté" in member.get("/federation/deconnexion/").content.decode(), "not back yet"
    franceconnect.come_back(member, back.headers["Location"])
    page = member.get("/federation/deconnexion/")
    assert "Refresh" not in page
    assert "FranceConnect : vous êtes déconnecté." in page.content.decode()


def test_identity_token_is_never_in_clear_in_the_session(member):
    leave(member)
    assert "id_token_hint" in member.get("/federation/deconnexion/")["Refresh"]
    assert isinstance(member.session["authentication.departures"], str)
    assert "id_token_hint" not in str(dict(member.session))


def test_return_with_another_state_confirms_nothing(member):
    leave(member)
    member.get("/federation/franceconnect/sortie/?state=inventé")
    assert "Refresh" in member.get("/federation/deconnexion/")


def test_lost_identity_token_is_told(member):
    session = member.session
    session["federation.tokens"] = {"franceconnect": "gAAAA-illisible"}
    session.save()
    leave(member)
    page = member.get("/federation/deconnexion/")
    assert "Refresh" not in page
    assert "Vous pourriez être encore connecté à FranceConnect" in page.content.decode()


def test_provider_down_does_not_prevent_the_local_logout(member, franceconnect):
    from django.core.cache import cache

    cache.clear()
    franceconnect.fault(down=True)
    leave(member)
    assert "_auth_user_id" not in member.session
    assert "Vous pourriez être encore connecté" in member.get("/federation/deconnexion/").content.decode()


def test_session_without_a_provider_logs_out_as_before(citizen, logged_in, db):
    assert leave(logged_in(citizen())) == "/"
    assert Client().get("/federation/deconnexion/")["Location"] == "/"
