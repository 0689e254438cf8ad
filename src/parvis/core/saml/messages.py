"""SAML messages received and sent: limits before parsing, then pysaml2 for signatures and forms.

Requests are bounded, inflated under a limit, refused with a DTD, checked by signature when the metadata announce
one or when one is present, and accepted for five minutes once (SAML 2.0 Core, 3.4; Bindings, 3.4 and 3.5).
"""

import base64
import binascii
import hashlib
import secrets
import shutil
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import fasteners
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.core.cache import cache
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml, samlp, sigver
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor, sign_entity_descriptor
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_EMAILADDRESS, NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from parvis.core.errors import DomainError
from parvis.core.saml import metadata
from parvis.core.saml.models import SamlSite
from parvis.core.secretfiles import write_secret

MAX_MESSAGE = 64 * 1024
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
LIFETIME = 300
SKEW = 60
BINDINGS = {"GET": BINDING_HTTP_REDIRECT, "POST": BINDING_HTTP_POST}
NAME_IDS = {
    SamlSite.NameId.PERSISTENT: NAMEID_FORMAT_PERSISTENT,
    SamlSite.NameId.TRANSIENT: NAMEID_FORMAT_TRANSIENT,
    SamlSite.NameId.EMAIL: NAMEID_FORMAT_EMAILADDRESS,
}
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105  a class name
TWO_FACTORS = "https://refeds.org/profile/mfa"


class MessageRefused(DomainError):
    """The message cannot be answered; nothing is sent to any site."""


@dataclass(frozen=True)
class Asked:
    """A request of authentication that passed every check."""

    request_id: str
    acs: str
    relay_state: str
    force: bool
    passive: bool
    classes: tuple[str, ...]


# --- the identity provider's own keys and description ---------------------------------------------------------
def key_files() -> tuple[str, str]:
    """Paths of the private key and of its self-signed certificate, made the first time that they are needed."""
    folder = settings.PARVIS_SECRETS_DIR / "saml"
    key_path, certificate_path = folder / "idp.key", folder / "idp.crt"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with fasteners.InterProcessLock(str(folder / ".lock")):  # two processes would make a key and another's certificate
        if not certificate_path.exists():
            _make_keys(key_path, certificate_path)
    return str(key_path), str(certificate_path)


@lru_cache(maxsize=2)
def _private_key(content: bytes) -> PrivateKeyTypes:
    return load_pem_private_key(content, None)


# pysaml2 reads the key for each message, and checking an RSA key of 3072 bits takes a fifth of a second.
sigver.import_rsa_key_from_file = lambda path: _private_key(Path(path).read_bytes())


def _make_keys(key_path: Path, certificate_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Parvis, fournisseur d’identité SAML")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    write_secret(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_secret(certificate_path, certificate.public_bytes(Encoding.PEM))


def available() -> bool:
    """True when the program that signs and verifies XML (xmlsec1) is installed on this machine."""
    return shutil.which("xmlsec1") is not None


def _base() -> str:
    return str(settings.BASE_URL).rstrip("/") + "/saml/"


def server(site: SamlSite | None = None, *, signed: bool = False) -> Server:
    """The identity provider, knowing one site only; ``signed`` demands the signature of requests."""
    key, certificate = key_files()
    login, logout = _base() + "connexion/", _base() + "deconnexion/"
    configuration: dict[str, Any] = {
        "entityid": _base() + "metadata/",
        "service": {
            "idp": {
                "name": "Parvis",
                "endpoints": {
                    "single_sign_on_service": [(login, BINDING_HTTP_REDIRECT), (login, BINDING_HTTP_POST)],
                    "single_logout_service": [(logout, BINDING_HTTP_REDIRECT)],
                },
                "name_id_format": list(NAME_IDS.values()),
                "policy": {"default": {"lifetime": {"seconds": LIFETIME}, "name_form": NAME_FORMAT_URI}},
                "want_authn_requests_signed": signed,
                "sign_assertion": True,
                "sign_response": True,
            }
        },
        "key_file": key,
        "cert_file": certificate,
        "signing_algorithm": SIG_RSA_SHA256,
        "digest_algorithm": DIGEST_SHA256,
        "accepted_time_diff": SKEW,
        "delete_tmpfiles": True,
        "valid_for": 24 * 7,
    }
    if site is not None:
        configuration["metadata"] = {"inline": [site.metadata]}
    return Server(config=IdPConfig().load(configuration))


def own_metadata() -> bytes:
    """Signed description of the identity provider, valid for a week and made anew every hour."""
    _, certificate = key_files()
    known = f"saml:metadata:{hashlib.sha256(Path(certificate).read_bytes() + _base().encode()).hexdigest()}"
    described: bytes | None = cache.get_or_set(known, _describe_ourselves, 3600)
    return described or _describe_ourselves()


def _describe_ourselves() -> bytes:
    provider = server()
    described = entity_descriptor(provider.config)
    described.valid_until = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    _, signed = sign_entity_descriptor(
        described, "_" + secrets.token_hex(16), provider.sec, sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256
    )
    return signed.encode()


# --- what arrives -----------------------------------------------------------------------------------------------
def decoded(text: str, binding: str) -> bytes:
    """The XML of a message in its transport form; raises MessageRefused before anything large is made."""
    if not text or len(text) > MAX_MESSAGE:
        raise MessageRefused("La demande du site est vide ou trop volumineuse.")
    try:
        raw = base64.b64decode(text, validate=False)
        if binding == BINDING_HTTP_REDIRECT:
            inflating = zlib.decompressobj(-15)
            raw = inflating.decompress(raw, MAX_MESSAGE)
            if inflating.unconsumed_tail:
                raise MessageRefused("La demande du site est trop volumineuse.")
    except (binascii.Error, zlib.error, ValueError) as error:
        raise MessageRefused("La demande du site est illisible.") from error
    return raw


def issuer_of(xml: bytes) -> str:
    """Who says to send this message, before anything is checked; raises MessageRefused."""
    try:
        root = metadata.parse(xml)
    except metadata.MetadataRefused as error:
        raise MessageRefused("La demande du site n’est pas un message SAML acceptable.") from error
    found = root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer")
    if found is None or not (found.text or "").strip():
        raise MessageRefused("La demande du site ne dit pas de quel site elle vient.")
    return str(found.text).strip()


def _once(site: SamlSite, message_id: str, issued: str) -> None:
    """Refuse what is older than five minutes, dated in the future, or already seen."""
    try:
        at = datetime.fromisoformat(issued).timestamp()
    except ValueError as error:
        raise MessageRefused("La date de la demande du site est illisible.") from error
    if not -SKEW <= time.time() - at <= LIFETIME:
        raise MessageRefused("La demande du site a expiré : revenez sur le site et recommencez.")
    if not message_id or not cache.add(f"saml:{site.pk}:{message_id[:200]}", 1, LIFETIME + 2 * SKEW):
        raise MessageRefused("Cette demande a déjà servi : revenez sur le site et recommencez.")


def _signature(fields: dict[str, str]) -> dict[str, str | None]:
    return {
        "relay_state": fields.get("RelayState"),
        "sigalg": fields.get("SigAlg"),
        "signature": fields.get("Signature"),
    }


def read_request(site: SamlSite, fields: dict[str, str], binding: str) -> Asked:
    """Check a request of authentication from ``site``; raises MessageRefused.

    ``fields`` are the decoded parameters of the query string or of the form.
    """
    described = _described(site)
    signed = described.signs_requests or "Signature" in fields
    provider = server(site, signed=signed)
    try:
        parsed = provider.parse_authn_request(fields["SAMLRequest"], binding, **_signature(fields))
    except Exception as error:  # pysaml2 raises a great many kinds
        raise MessageRefused(
            "La demande du site est mal formée ou mal signée. Signalez-le à la personne qui administre le site."
        ) from error
    message = parsed.message
    if not message.destination and signed:
        raise MessageRefused("La demande signée du site ne dit pas à qui elle s’adresse.")
    _once(site, message.id, message.issue_instant)
    acs = message.assertion_consumer_service_url or described.acs[0]
    if acs not in described.acs:
        raise MessageRefused("Le site demande une réponse à une adresse qui n’est pas la sienne.")
    wanted = message.requested_authn_context
    classes = tuple(c.text.strip() for c in wanted.authn_context_class_ref) if wanted else ()
    return Asked(
        request_id=message.id,
        acs=acs,
        relay_state=fields.get("RelayState", "")[:1024],
        force=message.force_authn in ("true", "1"),
        passive=message.is_passive in ("true", "1"),
        classes=classes,
    )


# --- what leaves --------------------------------------------------------------------------------------------------
def answer(
    site: SamlSite, request_id: str, acs: str, *, subject: str, attributes: dict[str, Any], two_factors: bool, at: int
) -> str:
    """The signed answer, in base64, to be posted to ``acs``. ``at`` is when the person proved who they are."""
    provider = server(site)
    response = provider.create_authn_response(
        attributes,
        in_response_to=request_id,
        destination=acs,
        sp_entity_id=site.entity_id,
        name_id=_name_id(provider, site, subject),
        authn={
            "class_ref": TWO_FACTORS if two_factors else PASSWORD,
            "authn_instant": at,
            "authn_auth": provider.config.entityid,
        },
        sign_assertion=True,
        sign_response=True,
        sign_alg=SIG_RSA_SHA256,
        digest_alg=DIGEST_SHA256,
    )
    return base64.b64encode(str(response).encode()).decode()


def refusal(site: SamlSite, request_id: str, acs: str, status: str) -> str:
    """A signed refusal, in base64; ``status`` is the second-level code (``samlp.STATUS_…``)."""
    provider = server(site)
    response = provider.create_error_response(
        request_id, acs, (status, None), sign=True, sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256
    )
    return base64.b64encode(str(response).encode()).decode()


def read_logout(site: SamlSite, fields: dict[str, str]) -> tuple[str, str]:
    """Check a request of logout by redirect: its identifier and the subject that it names. Raises MessageRefused.

    It must be signed: anybody could write one otherwise. A description that expired vouches for no signature.
    """
    _described(site)
    provider = server(site, signed=True)
    try:
        parsed = provider.parse_logout_request(fields["SAMLRequest"], BINDING_HTTP_REDIRECT, **_signature(fields))
    except Exception as error:  # pysaml2 raises a great many kinds
        raise MessageRefused("La demande de déconnexion du site est mal formée ou mal signée.") from error
    message = parsed.message
    if not message.destination:  # a wrong one is refused above
        raise MessageRefused("La demande de déconnexion du site ne dit pas à qui elle s’adresse.")
    _once(site, message.id, message.issue_instant)
    return message.id, (message.name_id.text or "").strip() if message.name_id else ""


def logout_answer(site: SamlSite, request_id: str, relay_state: str) -> str:
    """Address, with its signed answer, to which the browser goes back after the logout; "" when there is none."""
    address = _described(site).logout_answer
    if not address:
        return ""
    provider = server(site)
    status = samlp.Status(status_code=samlp.StatusCode(value=samlp.STATUS_SUCCESS))
    response = samlp.LogoutResponse(
        **{
            **provider.message_args(),
            "in_response_to": request_id,
            "destination": address,
            "status": status,
        }
    )
    return _by_redirect(provider, str(response), address, relay_state=relay_state, response=True)


def logout_request(site: SamlSite, subject: str) -> tuple[str, str]:
    """Identifier of a signed request that ends the session of ``subject`` on ``site``, and its address for the
    browser; both are empty when the site takes none.
    """
    address = _described(site).logout
    if not address:
        return "", ""
    provider = server(site)
    message_id, message = provider.create_logout_request(
        address, site.entity_id, name_id=_name_id(provider, site, subject), sign=False
    )
    return str(message_id), _by_redirect(provider, str(message), address)


def read_logout_answer(xml: bytes) -> tuple[str, str, bool]:
    """Who answers, which request, and whether the session is over there. Raises MessageRefused.

    Its signature proves nothing more: the identifier of the request was told to this site alone, by this browser.
    """
    issuer = issuer_of(xml)
    root = metadata.parse(xml)
    if root.tag != SAMLP + "LogoutResponse":
        raise MessageRefused("Le message du site n’est pas une réponse à une déconnexion.")
    status = root.find(f"{SAMLP}Status/{SAMLP}StatusCode")
    done = status is not None and status.get("Value") == samlp.STATUS_SUCCESS
    return issuer, root.get("InResponseTo", ""), done


def takes(site: SamlSite, acs: str) -> bool:
    """Whether ``site`` takes answers at ``acs`` today: its metadata may have been replaced since its request."""
    try:
        return acs in _described(site).acs
    except metadata.MetadataRefused:
        return False


def _described(site: SamlSite) -> metadata.Description:
    return metadata.read(site.metadata.encode(), now=datetime.now(UTC), local=settings.DEMO)


def _name_id(provider: Server, site: SamlSite, subject: str) -> saml.NameID:
    return saml.NameID(
        format=NAME_IDS[SamlSite.NameId(site.name_id)],
        name_qualifier=provider.config.entityid,
        sp_name_qualifier=site.entity_id,
        text=subject,
    )


def _by_redirect(provider: Server, message: str, address: str, *, relay_state: str = "", response: bool = False) -> str:
    """Address that carries a signed message to ``address``."""
    sent = provider.apply_binding(
        BINDING_HTTP_REDIRECT, message, address, relay_state=relay_state, response=response,
        sign=True, sigalg=SIG_RSA_SHA256,
    )  # fmt: skip
    return str(dict(sent["headers"])["Location"])
