"""A service provider to talk to: pysaml2's client side, with keys of its own."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.metadata import entity_descriptor


@lru_cache
def _key(rank, bits):
    """Keys take long to make: the same few serve for all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_pair(folder, *, bits=2048, rank=0):
    key = _key(rank, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Service d’essai")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30)).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "sp.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "sp.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    return str(folder / "sp.key"), str(folder / "sp.crt")


@dataclass
class Party:
    """A site as the platform knows it, and the software behind it."""

    site: object
    client: Saml2Client
    host: str

    def request(self, binding=BINDING_HTTP_REDIRECT, **options):
        """Parameters of a request of authentication, and its identifier."""
        sign = options.pop("sign", None)
        request_id, prepared = self.client.prepare_for_authenticate(
            relay_state="la page demandée", binding=binding, sign=sign, **options
        )
        if binding == BINDING_HTTP_POST:
            raise NotImplementedError
        address = dict(prepared["headers"])["Location"]
        return {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}, request_id

    def read(self, text, request_id):
        """The answer as this site understands it; raises when it does not trust it."""
        return self.client.parse_authn_request_response(text, BINDING_HTTP_POST, outstanding={request_id: "/"})


@pytest.fixture(scope="session")
def _own_keys(tmp_path_factory):
    """The identity provider's own key, made once."""
    from django.test import override_settings

    from parvis.core.saml import messages

    folder = tmp_path_factory.mktemp("secrets")
    with override_settings(PARVIS_SECRETS_DIR=folder):
        messages.key_files()
    return folder


@pytest.fixture
def secrets_dir(settings, tmp_path, _own_keys):
    settings.PARVIS_SECRETS_DIR = tmp_path / "secrets"
    shutil.copytree(_own_keys, settings.PARVIS_SECRETS_DIR)
    settings.BASE_URL = "http://testserver"
    return settings.PARVIS_SECRETS_DIR


def proved(client):
    """The same browser, whose holder proved their address."""
    from parvis.core import clock

    client.account.email_verified_at = clock.now()
    client.account.save(update_fields=["email_verified_at"])
    return client


@pytest.fixture
def agent_client(agent_client):
    """The same, for people who proved their address."""
    return lambda *args, **fields: proved(agent_client(*args, **fields))


@pytest.fixture
def party(secrets_dir, tmp_path):
    """``party(organisation, host, signed=…)`` -> a site in service."""
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.saml import messages, services

    def make(organisation, host="ancien.exemple.fr", *, signed=True, live=True, **values):
        folder = tmp_path / host
        folder.mkdir()
        key, certificate = key_pair(folder, rank=len(host))
        own = messages.own_metadata().decode()
        configuration = SPConfig().load({
            "entityid": f"https://{host}/saml/metadata",
            "service": {"sp": {
                "endpoints": {
                    "assertion_consumer_service": [(f"https://{host}/saml/retour", BINDING_HTTP_POST)],
                    "single_logout_service": [(f"https://{host}/saml/fin", BINDING_HTTP_REDIRECT)],
                },
                "authn_requests_signed": signed,
                "want_assertions_signed": True,
                "want_response_signed": True,
                "allow_unknown_attributes": True,
            }},
            "key_file": key, "cert_file": certificate, "metadata": {"inline": [own]},
        })  # fmt: skip
        described = str(entity_descriptor(configuration)).encode()
        values = {
            "name": "Courrier ancien", "contact": "dsi@exemple.fr", "name_id": "persistent",
            "attributes": ["mail", "sn"], "populations": ["agent", "usager"], **values,
        }  # fmt: skip
        actor = Actor("system", "essai")
        with acting_for(organisation):
            site = services.register(organisation, described, values, actor=actor)
        if live:
            services.approve(site, seen=site.fingerprint, by=None, actor=actor)
        return Party(site, Saml2Client(config=configuration), host)

    return make


def expire(site):
    """The description of ``site`` is past its validUntil."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.saml.models import SamlSite

    with acting_for(site.organisation_id):
        expired = site.metadata.replace("entityID=", 'validUntil="2020-01-01T00:00:00Z" entityID=', 1)
        assert expired != site.metadata, "the description has changed its form"
        SamlSite.objects.filter(pk=site.pk).update(metadata=expired)
