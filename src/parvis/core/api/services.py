"""The life of an API account: created, its secret rotated, revoked; each in one transaction, journalled."""

import ipaddress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from parvis.core import clock
from parvis.core.api.credentials import digest_of, new_secret
from parvis.core.api.models import ApiAccount, ApiSecret
from parvis.core.api.registry import Scope, label_of, scopes
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation

LONGEST: Final = timedelta(days=2 * 366)
OVERLAP: Final = timedelta(days=30)


class ApiAccountRefused(DomainError):
    """The account cannot be made or changed as asked; ``data["field"]`` names the field, when one is at fault."""


@dataclass(frozen=True)
class Certificate:
    """The TLS certificate of a caller, by its SHA-256."""

    sha256: str
    subject: str
    until: datetime


def read_certificate(pem: str) -> Certificate:
    """The certificate written in PEM. Raises ``ApiAccountRefused``, also when its time is over."""
    try:
        found = x509.load_pem_x509_certificate(pem.strip().encode())
        subject, until = found.subject.rfc4514_string(), found.not_valid_after_utc
    except ValueError as error:
        raise ApiAccountRefused(
            "Ce certificat est illisible : collez-le au format PEM, de « -----BEGIN CERTIFICATE----- » à "
            "« -----END CERTIFICATE----- ».",
            field="certificate",
        ) from error
    if until <= clock.now():
        raise ApiAccountRefused(
            f"Ce certificat a expiré le {clock.paris(until):%d/%m/%Y} : collez celui qui l’a remplacé.",
            field="certificate",
        )
    return Certificate(found.fingerprint(hashes.SHA256()).hex(), subject[:300], until)


def read_network(text: str) -> str:
    """A network or an address in its canonical form ("192.0.2.0/24"). Raises ``ApiAccountRefused``."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise ApiAccountRefused(
            f"« {text[:50]} » n’est ni une adresse ni un réseau : écrivez par exemple 192.0.2.10 ou 192.0.2.0/24.",
            field="networks",
        ) from error


def create_account(
    organisation: Organisation,
    *,
    name: str,
    contact: str,
    scopes: list[str],
    actor: Actor,
    permissions: frozenset[str] = frozenset(),
    expires_on: date | None = None,
    networks: list[str] | None = None,
    certificate: str = "",
) -> tuple[ApiAccount, str]:
    """The new account and its secret, told this once ("" when ``certificate``, in PEM, is the proof).

    ``permissions`` are those of who makes it: a scope that writes is given only by who holds its permission.
    Raises ``ApiAccountRefused``.
    """
    today = clock.today()
    _check_scopes(organisation, scopes, permissions)
    if expires_on is not None and not today <= expires_on <= today + LONGEST:
        raise ApiAccountRefused("Le dernier jour doit être à venir, dans deux ans au plus.", field="expires_on")
    if ApiAccount.objects.live().filter(organisation=organisation, name=name).exists():
        raise ApiAccountRefused(
            f"Un compte s’appelle déjà « {name} » : donnez un autre nom, ou renouvelez le secret de ce compte.",
            field="name",
        )
    pinned = read_certificate(certificate) if certificate.strip() else None
    account = ApiAccount.objects.create(
        organisation=organisation,
        name=name,
        contact=contact,
        scopes=sorted(set(scopes)),
        networks=[read_network(network) for network in networks or []],
        certificate_sha256=pinned.sha256 if pinned else "",
        certificate_subject=pinned.subject if pinned else "",
        certificate_until=pinned.until if pinned else None,
        expires_on=expires_on,
        created_at=clock.now(),
    )
    secret = "" if pinned else _new_secret_of(account)
    record(
        organisation,
        "compte_api.cree",
        subject=("compte_api", account.pk),
        actor=actor,
        sha256=account.certificate_sha256,
        details={"scopes": account.scopes, "proof": "certificate" if pinned else "secret"},
    )
    return account, secret


def givable(scope: Scope, permissions: frozenset[str]) -> bool:
    """True when somebody with ``permissions`` may hand the scope to a machine whose secret they then know."""
    return not scope.permission or scope.permission in permissions


def _check_scopes(organisation: Organisation, chosen: list[str], permissions: frozenset[str]) -> None:
    """Only registered scopes, of applications that the organisation has taken, that who gives them may give."""
    today = clock.today()
    known = {s.code: s for s in scopes()}
    for code in chosen:
        if code not in known:
            raise ApiAccountRefused("L’un des droits demandés n’existe pas : choisissez dans la liste.", field="scopes")
        application = known[code].application
        if application and not organisation.subscribes_to(application, today):
            raise ApiAccountRefused(
                f"« {known[code].label} » demande une application à laquelle l’organisation n’a pas adhéré : "
                "retirez ce droit.",
                field="scopes",
            )
        if not givable(known[code], permissions):
            raise ApiAccountRefused(
                f"« {known[code].label} » est donné seulement par une personne qui détient elle-même ce droit.",
                field="scopes",
            )


def _new_secret_of(account: ApiAccount) -> str:
    secret = new_secret()
    ApiSecret.objects.create(
        organisation=account.organisation,
        account=account,
        digest=digest_of(secret),
        hint=secret[-4:],
        created_at=clock.now(),
    )
    return secret


def rotate_secret(
    account: ApiAccount, *, overlap: timedelta, actor: Actor, permissions: frozenset[str] = frozenset()
) -> str:
    """A new secret, told this once; the one it replaces is valid for ``overlap`` more, older ones no longer.

    Who learns the secret can do what the account does: the rule of ``create_account`` holds for its scopes. Raises
    ``ApiAccountRefused``.
    """
    account = ApiAccount.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=account.pk)
    if account.revoked_at is not None:
        raise ApiAccountRefused("Ce compte est révoqué : créez-en un autre.")
    if account.certificate_sha256:
        raise ApiAccountRefused("Ce compte se prouve par un certificat : il n’a pas de secret à renouveler.")
    if not timedelta(0) <= overlap <= OVERLAP:
        raise ApiAccountRefused("L’ancien secret ne peut rester valable plus de trente jours.")
    _check_reach(account, permissions, "renouvellera son secret")
    now = clock.now()
    account.secrets.filter(ends_at__gt=now).update(ends_at=now)
    account.secrets.filter(ends_at__isnull=True).update(ends_at=now + overlap)
    secret = _new_secret_of(account)
    record(
        account.organisation,
        "compte_api.secret_renouvele",
        subject=("compte_api", account.pk),
        actor=actor,
        details={"overlap_hours": int(overlap.total_seconds() // 3600)},
    )
    return secret


def rotate_certificate(
    account: ApiAccount,
    *,
    certificate: str,
    overlap: timedelta,
    actor: Actor,
    permissions: frozenset[str] = frozenset(),
) -> None:
    """Pin ``certificate`` (PEM); the one it replaces is accepted for ``overlap`` more, an older one no longer.

    Who holds the new certificate can do what the account does: the rule of ``create_account`` holds for its scopes.
    Raises ``ApiAccountRefused``.
    """
    account = ApiAccount.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=account.pk)
    if account.revoked_at is not None:
        raise ApiAccountRefused("Ce compte est révoqué : créez-en un autre.")
    if account.certificate_until is None:
        raise ApiAccountRefused("Ce compte se prouve par un secret : il n’a pas de certificat à renouveler.")
    if not timedelta(0) <= overlap <= OVERLAP:
        raise ApiAccountRefused(
            "L’ancien certificat ne peut rester accepté plus de trente jours.", field="overlap_days"
        )
    _check_reach(account, permissions, "renouvellera son certificat")
    pinned = read_certificate(certificate)
    if pinned.sha256 == account.certificate_sha256:
        raise ApiAccountRefused(
            "Ce certificat est déjà celui du compte : collez celui qui le remplace.", field="certificate"
        )
    ends_at = min(clock.now() + overlap, account.certificate_until)
    kept = ends_at > clock.now()
    account.former_sha256 = account.certificate_sha256 if kept else ""
    account.former_until = ends_at if kept else None
    account.certificate_sha256, account.certificate_subject = pinned.sha256, pinned.subject
    account.certificate_until = pinned.until
    account.save(
        update_fields=[
            "former_sha256", "former_until", "certificate_sha256", "certificate_subject", "certificate_until"
        ]
    )  # fmt: skip
    record(
        account.organisation,
        "compte_api.certificat_renouvele",
        subject=("compte_api", account.pk),
        actor=actor,
        sha256=pinned.sha256,
        details={"overlap_hours": int(overlap.total_seconds() // 3600), "former": account.former_sha256},
    )


def _check_reach(account: ApiAccount, permissions: frozenset[str], remedy: str) -> None:
    """Nobody gives a new proof of an account that can do more than they may give."""
    beyond = [s.code for s in scopes() if s.code in account.scopes and not givable(s, permissions)]
    if beyond:
        raise ApiAccountRefused(
            f"Ce compte a le droit « {label_of(beyond[0])} », que vous ne détenez pas : une personne qui le détient "
            f"{remedy}. Vous pouvez révoquer le compte."
        )


def revoke_account(account: ApiAccount, *, actor: Actor) -> None:
    """Stop the account for ever, from the next call on; doing it twice changes nothing."""
    account = ApiAccount.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=account.pk)
    if account.revoked_at is not None:
        return
    account.revoked_at = clock.now()
    account.save(update_fields=["revoked_at"])
    record(account.organisation, "compte_api.revoque", subject=("compte_api", account.pk), actor=actor)
