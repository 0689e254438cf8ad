"""The certificate register: enrol a key, find who may sign, follow expiry and revocation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from asn1crypto import pem, x509
from django.db import transaction
from django.urls import reverse

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.values import folded
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.services import close_tasks, open_task
from parvis.core.trust import identities
from parvis.core.trust import policy as policies
from parvis.core.trust.expiry import Expiry, ExpiryState, expiry
from parvis.core.trust.models import Certificate

register_action("certificats.enregistre", "Certificat enregistré")
register_action("certificats.attribue", "Certificat attribué à une personne")
register_action("certificats.revoque", "Certificat révoqué")
register_subject("certificate", "Certificat", "certificates:detail")

REMINDER = timedelta(days=30)
RENEW, ASK_RENEWAL = "Renouveler", "Demander le renouvellement"


class CertificateNotTaken(DomainError):
    """The register cannot take the certificate, or change it, as asked."""


class NoCertificate(DomainError):
    """The person has no certificate that may sign now."""


def enrol(
    organisation: Organisation, content: bytes, passphrase: str, *, account: Account, actor: Actor
) -> Certificate:
    """Register a signing certificate for a person of the organisation, once it is proved able to sign.

    Raises IdentityUnusable or CertificateNotTaken with what is wrong: nothing is kept then.
    """
    identities.check_opens(content, passphrase)
    identity = identities.from_pkcs12(content, passphrase)
    # One that begins later is taken ahead of time. Its revocation is asked at each signature, not here.
    at = max(clock.now(), identity.certificate.not_valid_before)
    offline = replace(policies.from_settings(), online=False)
    identities.check_may_sign(identity, identities.validation_context(offline, at), at)
    known = Certificate.objects.filter(organisation=organisation, sha256=identity.certificate.sha256.hex()).first()
    if known:
        raise CertificateNotTaken(
            f"Le certificat de {known.holder} est déjà révoqué ici : commandez-en un autre."
            if known.revoked_at
            else f"Le certificat de {known.holder} est déjà enregistré : ouvrez-le dans la liste pour l’attribuer."
        )
    _check_mandate(organisation, account)
    try:
        with transaction.atomic():
            certificate = enrol_pkcs12(organisation, content, passphrase, account=account, actor=actor)
            _close_reminders(organisation, account)
    except OSError as error:
        raise CertificateNotTaken(
            "La clé n’a pas pu être gardée sur le serveur : le dossier des secrets refuse l’écriture. Prévenez "
            "l’administration de la plateforme.",
            cause=repr(error),
        ) from error
    return certificate


@transaction.atomic
def assign(certificate: Certificate, account: Account, *, actor: Actor) -> None:
    """Say whose certificate it is; it signs for that person from now on. Raises CertificateNotTaken."""
    if certificate.revoked_at:
        raise CertificateNotTaken("Ce certificat est révoqué : il ne signe plus pour personne.")
    _check_mandate(certificate.organisation, account)
    if certificate.account_id == account.pk:
        return
    close_tasks(certificate.organisation, subject=("certificate", certificate.pk))
    certificate.account = account
    certificate.save(update_fields=["account"])
    record(
        certificate.organisation,
        "certificats.attribue",
        subject=("certificate", certificate.pk),
        actor=actor,
        sha256=certificate.sha256,
    )


def _check_mandate(organisation: Organisation, account: Account) -> None:
    if not Mandate.objects.filter(organisation=organisation, account=account).in_force(clock.today()).exists():
        raise CertificateNotTaken(f"{account} n’a pas de mandat en cours ici : donnez-lui d’abord un mandat.")


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
def revoke(certificate: Certificate, *, at: datetime, actor: Actor, reason: str = "") -> None:
    """The certificate signs no more here and its key leaves the server; what it signed before stays valid.

    Raises CertificateNotTaken when that is done already.
    """
    if Certificate.objects.select_for_update(of=("self",), no_key=True).get(pk=certificate.pk).revoked_at:
        raise CertificateNotTaken("Ce certificat est déjà révoqué.")
    certificate.revoked_at, certificate.revocation_reason = at, reason[:300]
    certificate.save(update_fields=["revoked_at", "revocation_reason"])
    close_tasks(certificate.organisation, subject=("certificate", certificate.pk))
    if certificate.key_ref:
        transaction.on_commit(partial(identities.destroy, certificate.key_ref))
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


@dataclass(frozen=True)
class Check:
    """One point that the page of a certificate shows, for ``<c-checks>``."""

    ok: bool
    sentence: str
    severity: str = "bloquant"


def checks_of(certificate: Certificate) -> list[Check]:
    """What lets, or does not let, this certificate sign today; its revocation is asked of the issuer when it signs."""
    known = expiry_of(certificate)
    good = known.state not in (ExpiryState.REVOKED, ExpiryState.EXPIRED)
    soon = known.state in (ExpiryState.TO_RENEW, ExpiryState.URGENT, ExpiryState.TO_COME)
    usage = policies.parse_certificates(certificate.pem.encode())[0].key_usage_value
    signs = usage is not None and "non_repudiation" in usage.native
    kept = bool(certificate.key_ref) and identities.secret_path(certificate.key_ref).exists()
    found = [
        Check(good and not soon, known.sentence, "avertissement" if good else "bloquant"),
        Check(signs, "Destiné à la signature." if signs else "Destiné à l’authentification, pas à la signature."),
        Check(kept, "Sa clé est gardée sur le serveur." if kept else "Sa clé n’est plus sur le serveur."),
    ]
    if certificate.account is None:
        found.append(Check(False, "Attribué à personne : il ne signe pour personne."))
    elif _worded(certificate.account.family_name) not in _worded(certificate.holder):
        who = certificate.account.full_name
        found.append(Check(False, f"Au nom de {certificate.holder}, attribué à {who} : vérifiez.", "avertissement"))
    else:
        found.append(Check(True, "Au nom de la personne à qui il est attribué."))
    if certificate.without_legal_value:
        found.append(Check(False, "Émis par une autorité de bac à sable : sans valeur légale.", "avertissement"))
    return found


# -- reminders -----------------------------------------------------------------------------------------------


def remind(organisation: Organisation, now: datetime) -> int:
    """Open, one month before the end of each certificate that signs, a task for its holder and one for the
    administration; returns how many certificates end soon. Called every day, it says nothing twice."""
    signing = Certificate.objects.for_signature().filter(organisation=organisation, revoked_at__isnull=True)
    ending = signing.filter(account__isnull=False, not_after__range=(now, now + REMINDER)).select_related("account")
    found = 0
    for certificate in ending:
        if signing.filter(account=certificate.account_id, not_after__gt=certificate.not_after).exists():
            continue  # the next one is there already
        found += 1
        address = {"organisation_slug": organisation.slug}
        _remind(
            certificate,
            verb=RENEW,
            permission="administration.organisation",
            path=reverse("certificates:detail", kwargs={**address, "pk": certificate.pk}),
        )
        _remind(
            certificate,
            verb=ASK_RENEWAL,
            permission="parapheur.signer",
            path=reverse("certificates:mine", kwargs=address),
            assignee=certificate.account,
        )
    return found


def _remind(certificate: Certificate, **asked: Any) -> None:
    open_task(
        certificate.organisation,
        service="administration",
        title=f"Certificat de signature de {certificate.holder}",
        summary=f"Il prend fin le {clock.paris(certificate.not_after):%d/%m/%Y}",
        subject=("certificate", certificate.pk),
        deadline=certificate.not_after,
        deadline_rule="fin du certificat de signature",
        **asked,
    )


def _close_reminders(organisation: Organisation, account: Account) -> None:
    for certificate in Certificate.objects.filter(organisation=organisation, account=account):
        close_tasks(organisation, subject=("certificate", certificate.pk))


def _check_organisation(certificate: x509.Certificate, organisation: Organisation) -> None:
    """The organizationIdentifier NTRFR-<SIREN> (EN 319 412-1 §5.1.4), when present, is the organisation's."""
    identifier = certificate.subject.native.get("organization_identifier") or ""
    siren = str(identifier).removeprefix("NTRFR-")
    if siren and siren != organisation.siren:
        raise DomainError(
            f"Ce certificat appartient à une autre organisation (SIREN {siren}) que {organisation}.",
            sha256=certificate.sha256.hex(),
        )


def _worded(name: str) -> str:
    """A name as authorities write it in their certificates: an apostrophe may be a space there."""
    return folded(name).replace("'", " ")


def _slug(text: str) -> str:
    """Letters without accent, small, words joined by hyphens; « x » when the alphabet is another."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"
