"""Reading the metadata of a service provider (SAML 2.0 Metadata, OASIS saml-metadata-2.0-os), trusting nothing.

Pure Python: what is read says where answers may go, whether requests must be signed and with which certificate.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from parvis.core.errors import DomainError

MAX_SIZE = 256 * 1024
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)
"""What may stand for a host: it goes as it is into the content policy of the page that posts the answer."""
LOOPBACK = {"localhost", "127.0.0.1"}


class MetadataRefused(DomainError):
    """The file does not describe a service provider that can be answered safely."""


@dataclass(frozen=True)
class Description:
    """What the metadata say. ``acs`` are the addresses that answers may be posted to; ``logout`` takes requests of
    logout, ``logout_answer`` the answers to those of the site; both are empty when it takes none by redirect.
    """

    entity_id: str
    acs: tuple[str, ...]
    logout: str
    logout_answer: str
    signs_requests: bool
    certificates: tuple[x509.Certificate, ...]


def parse(content: bytes) -> etree._Element:
    """The root of an XML message without DTD nor entities; raises MetadataRefused."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MetadataRefused("Le fichier n’est pas un document XML bien formé : exportez-le de nouveau.") from error
    if cast(Any, root.getroottree().docinfo).doctype:
        raise MetadataRefused("Le fichier contient une déclaration DOCTYPE, interdite ici : retirez-la.")
    return root


def _address(url: str, what: str, *, local: bool) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no address
        parts = urlsplit("")
    secure = parts.scheme == "https" or (local and parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not secure or not HOST.fullmatch(parts.netloc) or parts.fragment:
        raise MetadataRefused(
            f"{what} « {url[:120]} » doit commencer par https:// et un nom d’hôte, sans identifiant ni « # »."
        )
    return url


def _certificate(text: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = certificate.public_key()
        certificate.subject.rfc4514_string()  # read only now: the pages that show it must not fail
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise MetadataRefused(
            "Un certificat du fichier est illisible : exportez de nouveau les métadonnées."
        ) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        raise MetadataRefused("La clé de signature du service doit être une clé RSA de 2 048 bits au moins.")
    return certificate


def read(content: bytes, *, now: datetime, local: bool = False) -> Description:
    """What the metadata of one service provider say; ``local`` admits http:// on this machine (demo, tests).

    Raises MetadataRefused with what to correct.
    """
    if len(content) > MAX_SIZE:
        raise MetadataRefused("Le fichier dépasse 256 Kio : déposez les métadonnées d’un seul service.")
    root = parse(content)
    if root.tag != MD + "EntityDescriptor":
        raise MetadataRefused("Le fichier doit décrire un seul service : sa racine doit être EntityDescriptor.")
    entity_id = root.get("entityID", "").strip()
    if not entity_id or len(entity_id) > 255:
        raise MetadataRefused("L’attribut entityID manque ou dépasse 255 caractères.")
    until = root.get("validUntil")
    if until and _instant(until) <= now:
        raise MetadataRefused("Les métadonnées ne sont plus valables (validUntil) : demandez-en de nouvelles.")
    role = root.find(MD + "SPSSODescriptor")
    if role is None or "urn:oasis:names:tc:SAML:2.0:protocol" not in role.get("protocolSupportEnumeration", ""):
        raise MetadataRefused("Le fichier ne décrit pas un fournisseur de service SAML 2.0 (SPSSODescriptor).")
    acs = tuple(
        _address(e.get("Location") or "", "L’adresse de retour", local=local)
        for e in role.findall(MD + "AssertionConsumerService")
        if e.get("Binding") == POST
    )
    if not acs:
        raise MetadataRefused("Aucune adresse de retour (AssertionConsumerService) n’accepte le mode HTTP-POST.")
    leaving = next((e for e in role.findall(MD + "SingleLogoutService") if e.get("Binding") == REDIRECT), None)
    logout = logout_answer = ""
    if leaving is not None:
        logout = _address(leaving.get("Location") or "", "L’adresse de déconnexion", local=local)
        answers = leaving.get("ResponseLocation")
        logout_answer = _address(answers, "L’adresse de déconnexion", local=local) if answers else logout
    certificates = tuple(
        _certificate(e.text or "")
        for k in role.findall(MD + "KeyDescriptor")
        if k.get("use", "signing") == "signing"
        for e in k.iter(DS + "X509Certificate")
    )
    signs = role.get("AuthnRequestsSigned", "false") in ("true", "1")
    if signs and not certificates:
        raise MetadataRefused("Le service annonce des demandes signées mais ne donne pas de certificat de signature.")
    return Description(entity_id, acs, logout, logout_answer, signs, certificates)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MetadataRefused("La date de fin de validité (validUntil) est illisible.") from error
    if moment.tzinfo is None:
        raise MetadataRefused("La date de fin de validité (validUntil) doit porter un fuseau horaire.")
    return moment
