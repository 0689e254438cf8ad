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


def certificate_pem(name, end=2040):
    """A self-signed certificate, in PEM."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2018, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(end, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="session")
def certificates():
    """Three of them; the last one ends first."""
    return certificate_pem("logiciel.test"), certificate_pem("autre.test"), certificate_pem("court.test", 2027)
