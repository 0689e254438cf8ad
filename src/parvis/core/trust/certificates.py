"""The certificate register: enrol a key, find who may sign, follow expiry and revocation."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from asn1crypto import pem, x509
from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.trust import identities
from parvis.core.trust import policy as policies
from parvis.core.trust.expiry import Expiry, expiry
from parvis.core.trust.models import Certificate

register_action("certificats.enregistre", "Certificat enregistré")
register_action("certificats.revoque", "Certificat révoqué")
register_subject("certificate", "Certificat")


class NoCertificate(DomainError):
    """The person has no certificate that may sign now."""


@transaction.atomic
def enrol_pkcs12(
    organisation: Organisation,
    content: bytes,
    passphrase: str,
    *,
    account: Account | None = None,
    usage: str = Certificate.Usage.SIGNATURE,
    actor: Actor | None = None,
) -> Certificate:
    """Register a PKCS#12 and keep it in the secret folder; registering it twice gives the same row.

    Raises IdentityUnusable when it does not open, DomainError when it belongs to another organisation.
    """
    identity = identities.from_pkcs12(content, passphrase)
    certificate = identity.certificate
    _check_organisation(certificate, organisation)
    sha256 = certificate.sha256.hex()
    key_ref = f"{_slug(organisation.slug)}/{_slug(identity.common_name)}-{sha256[:12]}"
    row, created = Certificate.objects.get_or_create(
        organisation=organisation,
        sha256=sha256,
        defaults={
            "holder": identity.common_name,
            "account": account,
            "usage": usage,
            "support": Certificate.Support.FILE,
            "subject": certificate.subject.human_friendly[:500],
            "issuer": certificate.issuer.human_friendly[:500],
            "serial": f"{certificate.serial_number:x}",
            "not_before": certificate.not_valid_before,
            "not_after": certificate.not_valid_after,
            "without_legal_value": policies.without_legal_value([certificate, *identity.chain]),
            "pem": pem.armor("CERTIFICATE", certificate.dump()).decode(),
            "key_ref": key_ref,
        },
    )
    identities.keep(row.key_ref, content, passphrase)
    if created:
        record(
            organisation,
            "certificats.enregistre",
            subject=("certificate", row.pk),
            actor=actor,
            sha256=sha256,
            details={"usage": row.usage, "expire": row.not_after.date().isoformat()},
        )
    return row


@transaction.atomic
def revoke(certificate: Certificate, *, at: datetime, actor: Actor) -> None:
    """Note a revocation announced by the issuer: the certificate signs no more here."""
    certificate.revoked_at = at
    certificate.save(update_fields=["revoked_at"])
    record(
        certificate.organisation,
        "certificats.revoque",
        subject=("certificate", certificate.pk),
        actor=actor,
        sha256=certificate.sha256,
    )


def signing_certificate_of(organisation: Organisation, account: Account) -> Certificate:
    """The certificate with which `account` signs for `organisation` now, the longest-lived first.

    Raises NoCertificate with what to do.
    """
    mine = Certificate.objects.for_signature().filter(organisation=organisation, account=account)
    found = mine.usable(clock.now()).exclude(key_ref="").order_by("-not_after").first()
    if found is None:
        raise NoCertificate(
            f"Aucun certificat de signature valable n’est enregistré pour {account} dans cette organisation. "
            "Demandez à l’administration de votre organisation d’en enregistrer un.",
            account=account.pk,
        )
    return found


def expiry_of(certificate: Certificate) -> Expiry:
    """Where the certificate stands today."""
    return expiry(certificate.not_before, certificate.not_after, clock.now(), certificate.revoked_at)


def _check_organisation(certificate: x509.Certificate, organisation: Organisation) -> None:
    """The organizationIdentifier NTRFR-<SIREN> (EN 319 412-1 §5.1.4), when present, is the organisation's."""
    identifier = certificate.subject.native.get("organization_identifier") or ""
    siren = str(identifier).removeprefix("NTRFR-")
    if siren and siren != organisation.siren:
        raise DomainError(
            f"Ce certificat appartient à une autre organisation (SIREN {siren}) que {organisation}.",
            sha256=certificate.sha256.hex(),
        )


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"
