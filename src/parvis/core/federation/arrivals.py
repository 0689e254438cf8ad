"""Agents who come by the directory of their organisation: the account that its identifier names, or a new one.

An account is known by the directory and the identifier that never changes there, never by an address. Whoever comes for
the first time gets an account without any right, which the administration of the organisation sees in its list; an
account that has this address already is linked by its holder alone, once logged in.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.federation.client import Identity
from parvis.core.federation.models import Directory, DirectoryAgent
from parvis.core.identity import addresses
from parvis.core.identity.access import mandates_of
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.naming import of_it, with_article
from parvis.core.organisations.tenancy import acting_for, identity_of

METHOD: Final = "annuaire"
register_action("federation.annuaire_agent_cree", "Compte ouvert par l’annuaire, sans aucun droit")
register_action("federation.annuaire_agent_relie", "Agent relié à son identité de l’annuaire")


class ArrivalRefused(DomainError):
    """What the directory says of this person opens no account here."""


def address_of(identity: Identity, directory: Directory) -> str:
    """The address that the directory gives, in one of the domains approved for it. Raises ArrivalRefused."""
    try:
        email = addresses.canonical(identity.email)
    except addresses.AddressRefused as refused:
        raise ArrivalRefused(
            "L’annuaire n’a transmis aucune adresse électronique vérifiée : demandez à son administrateur de l’ajouter"
            " au jeton d’identité.",
            reason="address",
        ) from refused
    if email.rpartition("@")[2] not in directory.domains:
        raise ArrivalRefused(
            f"L’adresse {email} n’est pas dans un domaine {of_it(directory.organisation.name)} : l’annuaire n’ouvre pas"
            " ce compte."
        )
    return email


def account_of(identity: Identity, directory: Directory) -> Account | None:
    """The account that the identifier of the directory names."""
    with acting_for(directory.organisation_id):
        rows = DirectoryAgent.objects.filter(directory=directory, subject=identity.subject)
        row = rows.select_related("account").first()
        return row.account if row is not None else None


def proved_here(account: Account, identity: Identity, directory: Directory) -> Identity:
    """``identity`` without a second factor for who acts elsewhere too: a directory answers for one in its own
    organisation alone."""
    elsewhere = any(mandate.organisation_id != directory.organisation_id for mandate in mandates_of(account))
    return replace(identity, acr="") if elsewhere else identity


def has_holder(email: str) -> bool:
    """Whether an account has this address already: only its holder may link it."""
    return Account.objects.filter(email=email).exists()


def refusal_for(account: Account, identity: Identity, directory: Directory) -> str:
    """Why this identity may not be linked to this account, "" when it may."""
    label = directory.label
    if account.population != Account.Population.AGENT:
        return f"L’{label} ouvre les comptes de ses agents, et non un compte d’usager ou d’exploitation."
    same = account.proved_address == address_of(identity, directory)
    if not same and not any(m.organisation_id == directory.organisation_id for m in mandates_of(account)):
        return f"Votre compte n’a ni cette adresse ni de mandat pour {with_article(directory.organisation.name)}."
    owner = account_of(identity, directory)
    if owner is not None and owner.pk != account.pk:
        return "Cette identité de l’annuaire est déjà reliée à un autre compte : adressez-vous à votre administration."
    with acting_for(directory.organisation_id):
        mine = DirectoryAgent.objects.filter(directory=directory, account=account).exclude(subject=identity.subject)
        if mine.exists():
            return (
                "Votre compte est déjà relié à une autre identité de l’annuaire : adressez-vous à votre administration."
            )
    return ""


def link(account: Account, identity: Identity, directory: Directory, *, request: HttpRequest | None) -> None:
    """Give this identity to ``account``, whose holder confirmed it. Raises ArrivalRefused."""
    if sentence := refusal_for(account, identity, directory):
        raise ArrivalRefused(sentence)
    with transaction.atomic():
        _write(account, identity, directory)
        _record(directory, "federation.annuaire_agent_relie", account)
        audit("user.directory.link", account=account, request=request, method=METHOD, client=directory.issuer)


def open_account(identity: Identity, directory: Directory, email: str, *, request: HttpRequest | None) -> Account:
    """A new agent's account without any right, that the directory opens. Raises ArrivalRefused."""
    given, family = (identity.text(name)[:80] for name in ("given_name", "family_name"))
    if not (given and family):
        raise ArrivalRefused(
            "L’annuaire n’a transmis ni prénom ni nom, ou un seul des deux : demandez à son administrateur de les"
            " ajouter au jeton d’identité.",
            reason="name",
        )
    try:
        with transaction.atomic():
            account = Account.objects.create_user(
                email,
                given_name=given,
                family_name=family,
                population=Account.Population.AGENT,
                email_verified_at=clock.now(),
            )
            _write(account, identity, directory)
            _record(directory, "federation.annuaire_agent_cree", account)
            audit(
                "user.registration",
                account=account,
                request=request,
                organisation=directory.organisation,
                method=METHOD,
                client=directory.issuer,
            )
    except IntegrityError as error:
        raise ArrivalRefused("Ce compte vient d’être ouvert par une autre page. Recommencez la connexion.") from error
    return account


def note_use(account: Account, directory: Directory) -> None:
    """Date the login; that of the directory, whose row its agents share, to the hour."""
    with acting_for(directory.organisation_id):
        now = clock.now()
        DirectoryAgent.objects.filter(directory=directory, account=account).update(used_at=now)
        long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(hours=1))
        Directory.objects.filter(long_ago, pk=directory.pk).update(last_used_at=now)


def awaits_rights(account: Account) -> bool:
    """True for an agent to whom no organisation gives anything to do today."""
    return not any(True for _ in mandates_of(account))


def _write(account: Account, identity: Identity, directory: Directory) -> None:
    now = clock.now()
    try:
        with acting_for(directory.organisation_id), transaction.atomic():
            DirectoryAgent.objects.update_or_create(
                directory=directory,
                subject=identity.subject,
                account=account,
                defaults={"used_at": now},
                create_defaults={"organisation": directory.organisation, "first_at": now, "used_at": now},
            )
    except IntegrityError as error:
        raise ArrivalRefused("Cette identité vient d’être reliée à un autre compte. Réessayez.") from error


def _record(directory: Directory, action: str, account: Account) -> None:
    organisation = directory.organisation
    with acting_for(organisation, account=account.pk):
        record(organisation, action, subject=("compte", account.pk), actor=Actor("account", str(account.pk)))


# --- what an account has here ------------------------------------------------------------------------------------


def directories_of(account: Account) -> list[DirectoryAgent]:
    """The directories that open ``account``."""
    with identity_of(account.pk):
        rows = DirectoryAgent.objects.filter(account=account)
        return list(rows.select_related("directory__organisation").order_by("first_at"))


def can_prove_again(account: Account) -> bool:
    """True when a directory in service may confirm who ``account`` is."""
    return directory_of(account) is not None


def directory_of(account: Account) -> Directory | None:
    """The directory in service that opened ``account`` last."""
    with identity_of(account.pk):
        rows = DirectoryAgent.objects.filter(account=account, directory__state=Directory.State.LIVE)
        row = rows.select_related("directory__organisation").order_by("-used_at").first()
        return row.directory if row is not None else None


def exported(account: Account) -> Iterator[dict[str, Any]]:
    """What this module holds of ``account``, for the export of its data."""
    with identity_of(account.pk):
        rows = list(DirectoryAgent.objects.filter(account=account).select_related("organisation"))
    for row in rows:
        yield {
            "organisation": row.organisation.name,
            "identifiant": row.subject,
            "première connexion": row.first_at.isoformat(),
            "dernière connexion": row.used_at.isoformat(),
        }


def forget(account: Account) -> int:
    """Erase what this module holds of ``account``; returns how many identities."""
    with identity_of(account.pk):
        owners = list(DirectoryAgent.objects.filter(account=account).values_list("organisation_id", flat=True))
    gone = 0
    for owner in owners:
        with acting_for(owner):
            gone += DirectoryAgent.objects.filter(account=account, organisation=owner).delete()[0]
    return gone
