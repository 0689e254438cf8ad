"""A browser, a provider of the sandbox and the way between them."""

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.cache import cache
from django.test import Client


class Provider:
    """One simulated provider, driven as its control address allows."""

    def __init__(self, code: str, facts: dict) -> None:
        self.code, self.issuer, self.control = code, facts["issuer"], facts["control_url"]

    def tell(self, **told) -> dict:
        return requests.post(self.control, json=told, timeout=5).json()

    def fault(self, **faults) -> None:
        self.tell(faults=faults)

    @property
    def counts(self) -> dict:
        return requests.get(self.control, timeout=5).json()["counts"]

    @property
    def ended(self) -> list:
        return requests.get(self.control, timeout=5).json()["ended"]

    def people(self) -> list[str]:
        return requests.get(self.control, timeout=5).json()["people"]

    # --- what a person does ---------------------------------------------------------------------------------
    def leave(self, client: Client, **query) -> str:
        """Press the button; returns the address of the provider."""
        answer = client.get(f"/federation/{self.code}/", query)
        assert answer.status_code == 302, answer.content.decode()
        return answer["Location"]

    def choose(self, address: str, login: str | None) -> str:
        """Choose an identity on the provider's page (None refuses); returns the address to come back to."""
        page = requests.get(address, timeout=5)
        action = re.search(r'action="([^"]+)/choisir"', page.text)
        assert action, page.text
        base = "http://" + urlsplit(page.url).netloc + action.group(1)
        verb, form = ("refuser", {}) if login is None else ("choisir", {"login": login})
        return requests.post(f"{base}/{verb}", form, allow_redirects=False, timeout=5).headers["Location"]

    def come_back(self, client: Client, address: str):
        parts = urlsplit(address)
        return client.get(f"{parts.path}?{parts.query}")

    def log_in(self, client: Client, login: str | None, **query):
        """The whole way; returns our answer to the return."""
        return self.come_back(client, self.choose(self.leave(client, **query), login))


def parameters(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}


def _provider(code, name, sandbox):
    cache.clear()
    running = Provider(code, sandbox.identity[name])
    running.fault()
    return running


@pytest.fixture
def franceconnect(db, sandbox, settings):
    running = _provider("franceconnect", "franceconnect", sandbox)
    settings.BASE_URL = "http://localhost:8000"
    yield running
    running.fault()


@pytest.fixture
def proconnect(db, sandbox, settings):
    running = _provider("proconnect", "proconnect", sandbox)
    settings.BASE_URL = "http://localhost:8000"
    yield running
    running.fault()


@pytest.fixture
def refusals(caplog):
    """``refusals()`` -> the reason of each login refused since the last call, with what was logged of it."""
    from parvis.core.federation.views.login import logger

    caplog.set_level(logging.WARNING, logger=logger.name)

    def since():
        found = [record.args[1:] for record in caplog.records if record.name == logger.name]
        caplog.clear()
        return found

    return since


@pytest.fixture
def browser():
    return Client()


@pytest.fixture
def citizen(db):
    """``citizen(email=…)`` -> an invented usager with a password."""
    from parvis.core.identity.models import Account
    from tests.conftest import PASSWORD

    def make(email="camille@courriel.test", **fields):
        values = {"given_name": "Camille", "family_name": "Essai", "population": "usager", **fields}
        return Account.objects.create_user(email, PASSWORD, **values)

    return make


@pytest.fixture
def logged_in():
    """``logged_in(account)`` -> a browser where this account has just given its password."""
    import time

    def make(account):
        client = Client()
        client.force_login(account)
        session = client.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "email": account.email}]
        session["_account_authentication_methods_user"] = str(account.pk)
        session["account_authentication_methods_user"] = str(account.pk)
        session.save()
        return client

    return make


@pytest.fixture
def directory_server(db, sandbox, settings):
    """The directory of a commune, before anybody proposed it here."""
    running = _provider("annuaire", "annuaire", sandbox)
    settings.BASE_URL = "http://localhost:8000"
    running.secret = sandbox.identity["annuaire"]["secret"]
    yield running
    running.fault()


@pytest.fixture
def proposal(directory_server):
    """``proposal(**changed)`` -> what the form of a directory sends."""

    def make(**changed):
        return {
            "issuer": directory_server.issuer, "client_id": "parvis", "secret": directory_server.secret,
            "algorithm": "RS256", "domains": "juvignac-essai.fr", "id_claim": "oid", "given_name_claim": "given_name",
            "family_name_claim": "family_name", "email_claim": "email", "factor_claim": "", "factor_value": "",
            **changed,
        }  # fmt: skip

    return make
