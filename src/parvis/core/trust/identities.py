"""Signing identities: a private key with its certificate, read from PKCS#12 files of the secret folder.

The database only holds a reference (`key_ref`); `PARVIS_SECRETS_DIR/<key_ref>.p12` and its passphrase
`<key_ref>.pass`, sealed under the key of the installation, are files that only the service account reads.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import x509
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.keys.internal import (
    translate_pyca_cryptography_cert_to_asn1,
    translate_pyca_cryptography_key_to_asn1,
)
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator import CertificateValidator, ValidationContext, errors
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from parvis.core.authentication.secrets import decrypt, encrypt
from parvis.core.documents.workshop import InspectionFailed
from parvis.core.errors import DomainError
from parvis.core.secretfiles import write_secret
from parvis.core.trust.examiner import examiner
from parvis.core.trust.outgoing import BoundedFetchers
from parvis.core.trust.policy import TrustPolicy
from parvis.core.trust.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from parvis.core.trust.models import Certificate

KEY_REF = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
MAX_PKCS12 = 256 * 1024
TOO_BIG = "Le fichier de certificat est trop gros pour un fichier PKCS#12 (.p12 ou .pfx) : 256 Kio au plus."
OPENING_SECONDS = 20.0


class IdentityUnusable(DomainError):
    """The key or its certificate cannot serve to sign."""


class CertificateRefused(IdentityUnusable):
    """The certificate must not sign now; `code` is the sub-indication that EN 319 102-1 would give."""

    def __init__(self, sentence: str, code: str, **data: object) -> None:
        super().__init__(sentence, code=code, **data)
        self.code = code


class HeldKeySigner(SimpleSigner):
    """Signs with a key that was checked when its file was opened.

    pyHanko reads the key anew at each signature, and checking an RSA key of 3072 bits takes a fifth of a second.
    """

    def __init__(self, key: PrivateKeyTypes, certificate: x509.Certificate, others: Iterable[x509.Certificate]) -> None:
        known = SimpleCertificateStore()
        known.register_multiple(others)
        super().__init__(certificate, translate_pyca_cryptography_key_to_asn1(key), known)
        self._key = key

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        mechanism = self.get_signature_mechanism_for_digest(digest_algorithm).signature_algo
        if mechanism != "rsassa_pkcs1v15" or not isinstance(self._key, RSAPrivateKey):
            return super().sign_raw(data, digest_algorithm)
        return self._key.sign(data, PKCS1v15(), get_pyca_cryptography_hash(digest_algorithm))


@dataclass(frozen=True)
class SigningIdentity:
    """A key ready to sign, in memory only."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    signer: SimpleSigner = field(repr=False)

    @property
    def common_name(self) -> str:
        return common_name(self.certificate)


def common_name(certificate: x509.Certificate) -> str:
    """CN of the subject, or the whole subject when it has none."""
    return str(certificate.subject.native.get("common_name") or certificate.subject.human_friendly)


def from_pkcs12(content: bytes, passphrase: str) -> SigningIdentity:
    """Open a PKCS#12. Raises IdentityUnusable on a wrong passphrase, a damaged file, or a missing key."""
    if len(content) > MAX_PKCS12:
        raise IdentityUnusable(TOO_BIG)
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise IdentityUnusable(
            "Le fichier de certificat ne s’ouvre pas : la phrase secrète est fausse, ou le fichier endommagé."
        ) from error
    if key is None or certificate is None:
        raise IdentityUnusable("Le fichier ne contient pas à la fois un certificat et sa clé privée.")
    if not hasattr(key, "sign"):
        raise IdentityUnusable("La clé de ce certificat n’est pas d’un type qui sait signer ici.")
    own, *rest = (translate_pyca_cryptography_cert_to_asn1(one) for one in (certificate, *others))
    chain = tuple(one for one in rest if one.issuer_serial != own.issuer_serial)
    return SigningIdentity(own, chain, HeldKeySigner(key, own, rest))


def check_opens(content: bytes, passphrase: str) -> None:
    """Refuse a PKCS#12 that does not open, tried in the examining process: one may ask for hours of computation.

    Raises IdentityUnusable with what is wrong.
    """
    if len(content) > MAX_PKCS12:
        raise IdentityUnusable(TOO_BIG)
    encoded = base64.b64encode(content).decode()
    try:
        answer = examiner.order(do="open", content=encoded, passphrase=passphrase, seconds=OPENING_SECONDS)
    except InspectionFailed as error:
        raise IdentityUnusable(
            "Le fichier de certificat demande trop de calcul pour s’ouvrir. Exportez-le de nouveau du logiciel qui "
            "l’a produit, avec ses réglages habituels."
        ) from error
    if problem := answer.get("problem", "Le fichier de certificat est illisible."):
        raise IdentityUnusable(problem)


def load(certificate: Certificate) -> SigningIdentity:
    """Identity of a certificate of the register. Raises IdentityUnusable."""
    path = secret_path(certificate.key_ref)
    try:
        content, passphrase = path.read_bytes(), decrypt(path.with_suffix(".pass").read_text())
    except (OSError, InvalidToken) as error:
        raise IdentityUnusable(
            f"La clé du certificat de {certificate.holder} est introuvable sur le serveur. "
            "L’administrateur de la plateforme doit la déposer à nouveau.",
            key_ref=certificate.key_ref,
        ) from error
    identity = from_pkcs12(content, passphrase)
    if identity.certificate.sha256.hex() != certificate.sha256:
        raise IdentityUnusable(
            f"La clé déposée pour {certificate.holder} ne correspond pas au certificat enregistré.",
            key_ref=certificate.key_ref,
        )
    return identity


def keep(key_ref: str, content: bytes, passphrase: str) -> None:
    """Put a PKCS#12 and its passphrase in the secret folder, readable by the service account only."""
    path = secret_path(key_ref)
    write_secret(path, content)
    write_secret(path.with_suffix(".pass"), encrypt(passphrase).encode())


def destroy(key_ref: str) -> None:
    """Remove a key and its passphrase from the secret folder; one that is gone already changes nothing."""
    path = secret_path(key_ref)
    path.unlink(missing_ok=True)
    path.with_suffix(".pass").unlink(missing_ok=True)


def secret_path(key_ref: str) -> Path:
    """File of a key reference, always inside the secret folder."""
    from django.conf import settings

    if not KEY_REF.fullmatch(key_ref):
        raise IdentityUnusable("La référence de clé du certificat est mal formée.", key_ref=key_ref)
    return Path(settings.PARVIS_SECRETS_DIR) / f"{key_ref}.p12"


# -- checks before signing -----------------------------------------------------------------------------------


def validation_context(
    policy: TrustPolicy, at: datetime, *, others: tuple[x509.Certificate, ...] = (), hard_fail: bool = True
) -> ValidationContext:
    """Context that judges certificates at `at`, asking revocation within the policy's bounds."""
    fetchers = BoundedFetchers(policy.reachable_hosts).get_fetchers() if policy.online else None
    return ValidationContext(
        trust_roots=list(policy.roots),
        other_certs=[*policy.intermediates, *others],
        moment=at,
        allow_fetching=policy.online,
        fetchers=fetchers,
        revocation_mode="hard-fail" if hard_fail and policy.online else "soft-fail",
    )


def check_may_sign(identity: SigningIdentity, context: ValidationContext, at: datetime) -> None:
    """Refuse to sign with a certificate that would make an invalid signature.

    Validity at `at`, nonRepudiation usage (EN 319 412-2 §4.3.2), path to an accepted root, revocation.
    Raises CertificateRefused with the French reason.
    """
    certificate = identity.certificate
    who = identity.common_name
    if at < certificate.not_valid_before:
        raise CertificateRefused(f"Le certificat de {who} n’est pas encore valable.", "NOT_YET_VALID")
    if at > certificate.not_valid_after:
        expired = certificate.not_valid_after
        raise CertificateRefused(
            f"Le certificat de {who} a expiré le {expired:%d/%m/%Y}. Renouvelez-le avant de signer.",
            "EXPIRED",
        )
    usage = certificate.key_usage_value
    if usage is None or "non_repudiation" not in usage.native:
        raise CertificateRefused(
            f"Le certificat de {who} sert à l’authentification, pas à la signature. "
            "Utilisez un certificat de signature.",
            "CHAIN_CONSTRAINTS_FAILURE",
        )
    validator = CertificateValidator(certificate, intermediate_certs=list(identity.chain), validation_context=context)
    try:
        wait_for(validator.async_validate_usage({"non_repudiation"}))
    except errors.RevokedError as error:
        raise CertificateRefused(
            f"Le certificat de {who} a été révoqué le {error.revocation_dt:%d/%m/%Y} : il ne signe plus.",
            "REVOKED",
        ) from error
    except errors.InsufficientRevinfoError as error:
        raise CertificateRefused(
            f"Impossible de vérifier que le certificat de {who} n’est pas révoqué : "
            "son autorité ne répond pas. Réessayez dans quelques minutes.",
            "TRY_LATER",
            cause=str(error),
        ) from error
    except errors.PathBuildingError as error:
        raise CertificateRefused(
            f"Le certificat de {who} ne provient pas d’une autorité reconnue par cette plateforme.",
            "NO_CERTIFICATE_CHAIN_FOUND",
        ) from error
    except errors.ValidationError as error:
        raise CertificateRefused(
            f"Le certificat de {who} n’est pas utilisable : sa chaîne de certification ne se vérifie pas.",
            "CERTIFICATE_CHAIN_GENERAL_FAILURE",
            cause=str(error),
        ) from error
