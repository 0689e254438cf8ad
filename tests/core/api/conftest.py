"""Fixtures of the API: accounts with their credentials, and callers that present them."""

import base64

import pytest
from django.test import Client


class Caller:
    """A test client that presents the credentials of one API account."""

    def __init__(self, account, secret, **headers):
        self.account, self.secret = account, secret
        token = base64.b64encode(f"{account.identifier}:{secret}".encode()).decode()
        self.client = Client(raise_request_exception=False, headers={"Authorization": f"Basic {token}", **headers})

    def get(self, path, *args, **kwargs):
        return self.client.get(f"/api/v1{path}", *args, **kwargs)

    def post(self, path, *args, **kwargs):
        return self.client.post(f"/api/v1{path}", *args, **kwargs)

    def patch(self, path, body):
        return self.client.patch(f"/api/v1{path}", body, content_type="application/json")


@pytest.fixture
def api_account(db):
    """``api_account(organisation, *scopes, **fields)`` -> the account and its secret."""
    from parvis.core.api.services import create_account
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.tenancy import acting_for

    def make(organisation, *scopes, name="Logiciel d’essai", **fields):
        with acting_for(organisation):
            return create_account(
                organisation,
                name=name,
                contact="editeur@logiciel.test",
                scopes=list(scopes),
                actor=Actor("system"),
                permissions=frozenset(scopes),
                **fields,
            )

    return make


@pytest.fixture
def caller(api_account):
    """``caller(organisation, *scopes)`` -> somebody who calls with the credentials of a new account."""

    def make(organisation, *scopes, headers=None, **fields):
        return Caller(*api_account(organisation, *scopes, **fields), **(headers or {}))

    return make
