"""Suspension of an account, which its holder cannot open until it is reopened.

An agent's account is suspended by the administration of the only organisation that it acts for: where a person acts
for several organisations, each one suspends or ends its own mandates and the account stays open. A citizen's belongs
to no organisation: those who run the platform suspend it (death, guardianship, hijacking), without reading what
it holds.
"""

from dataclasses import replace
from datetime import datetime, time
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication import sessions
from parvis.core.errors import DomainError
from parvis.core.identity import addresses, closing
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.mandates import keep_an_administrator, lock
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import current_scope, identity_of, in_scope

register_action("compte.suspendu", "Compte d’un agent suspendu")
register_action("compte.rouvert", "Compte d’un agent rouvert")
register_subject("compte", "Compte d’un agent", "organisations:person")

SUSPENDING: Final = {
    "deces": "Décès signalé",
    "protection": "Mesure de protection (tutelle, curatelle, habilitation familiale)",
    "detournement": "Compte détourné, ou qui paraît l’être",
    "autre": "Autre motif",
}
REOPENING: Final = {
    "titulaire": "Le titulaire a prouvé son identité",
    "mesure_levee": "La mesure ou le risque a pris fin",
    "erreur": "Le compte a été suspendu par erreur",
    "autre": "Autre motif",
}
PLATFORM: Final = "L’exploitation de la plateforme"


class SuspensionRefused(DomainError):
    """The account cannot be suspended or reopened."""


# --- agents, by their only organisation -----------------------------------------------------------------------


def people_of(organisation: Organisation) -> "QuerySet[Account]":
    """Accounts that hold, or held, a mandate in ``organisation``; to be read while acting for it."""
    held = Mandate.objects.filter(organisation=organisation).values("account")
    return Account.objects.filter(pk__in=held, deleted_at=None).order_by("family_name", "given_name", "pk")


def only_organisation_of(account: Account) -> int | None:
    """Number of the organisation in which all the mandates of ``account`` are, None when there are several."""
    with identity_of(account.pk):
        mandates = Mandate.objects.filter(account=account).not_over(clock.today())
        found = set(mandates.values_list("organisation_id", flat=True))
    return found.pop() if len(found) == 1 else None


def check(account: Account, organisation: Organisation, *, by: Account) -> None:
    """Raise ``SuspensionRefused`` when ``by`` may not suspend or reopen ``account`` for ``organisation``."""
    if account.pk == by.pk:
        raise SuspensionRefused("Personne ne suspend ni ne rouvre son propre compte.")
    if account.is_platform_administrator or account.population != Account.Population.AGENT:
        raise SuspensionRefused("Ce compte ne relève pas de votre organisation.")
    if only_organisation_of(account) != organisation.pk:
        raise SuspensionRefused(
            "Cette personne agit aussi pour une autre organisation, ou n’agit plus pour la vôtre : mettez fin à ses"
            " mandats plutôt que de suspendre son compte."
        )


@transaction.atomic
def suspend(account: Account, organisation: Organisation, *, by: Account, request: HttpRequest | None = None) -> None:
    """Close the account until it is reopened: sessions end at once, its holder is told by mail.

    Raises ``SuspensionRefused``, and ``MandateRefused`` for whoever administers the organisation alone.
    """
    # Two administrators who suspend each other at once are heard one after the other; the organisation comes first,
    # as for whoever gives a mandate, which refers to the account.
    lock(organisation)
    account = Account.objects.select_for_update().get(pk=account.pk)
    check(account, organisation, by=by)
    _refuse_suspended(account)
    theirs = Mandate.objects.filter(organisation=organisation, account=account).select_related("own_role")
    keep_an_administrator(organisation, theirs, clock.today())
    _journal(organisation, "compte.suspendu", account, by)
    _suspend(account, {"by": organisation.name}, request)
    audit("manager.user.deactivation", account=account, request=request, organisation=organisation)


@transaction.atomic
def reactivate(
    account: Account, organisation: Organisation, *, by: Account, request: HttpRequest | None = None
) -> None:
    """Reopen a suspended account."""
    account = Account.objects.select_for_update().get(pk=account.pk)
    check(account, organisation, by=by)
    _journal(organisation, "compte.rouvert", account, by)
    _reopen(account, {"by": organisation.name})
    audit("manager.user.activation", account=account, request=request, organisation=organisation)


def _journal(organisation: Organisation, action: str, account: Account, by: Account) -> None:
    """In the organisation's own journal; before any ``audit``, which takes the end of the platform's."""
    record(organisation, action, subject=("compte", account.pk), actor=Actor("account", str(by.pk)))


# --- citizens, by the platform --------------------------------------------------------------------------------


def citizens() -> "QuerySet[Account]":
    """Accounts of citizens that are not deleted; pages never list them."""
    return Account.objects.filter(population=Account.Population.USAGER, deleted_at=None)


def find_citizen(typed: str, *, by: Account, request: HttpRequest | None = None) -> Account | None:
    """The citizen's account of exactly that address or number; a search that finds nobody is logged too."""
    text = typed.strip()
    found = None
    if text.isascii() and text.isdigit():
        found = citizens().filter(pk=int(text)).first() if len(text) < 19 else None
    elif "@" in text:
        try:
            found = citizens().filter(email=addresses.canonical(text)).first()
        except addresses.AddressRefused:
            found = None
    if found is None:
        audit("manager.user.consultation", request=request, actor=by, outcome="failure")
    return found


def consult_citizen(account: Account, *, by: Account, request: HttpRequest | None = None) -> SecurityEvent | None:
    """Log, once a day, that ``by`` looks at the account; gives the suspension in force, with who and why."""
    this_morning = datetime.combine(clock.today(), time(), tzinfo=clock.PARIS)
    with identity_of(account.pk):
        events = SecurityEvent.objects.filter(account=account)
        looked = events.filter(event="manager.user.consultation", actor=by, at__gte=this_morning)
        if not looked.exists():
            audit("manager.user.consultation", account=account, request=request, actor=by)
        if account.suspended_at is None:
            return None
        suspensions = events.filter(event="manager.user.deactivation").select_related("actor")
        return suspensions.order_by("-at").first()


@transaction.atomic
def suspend_citizen(
    account: Account, *, reason: str, reference: str, by: Account, request: HttpRequest | None = None
) -> None:
    """Close a citizen's account at once, everywhere: sessions and logins on sites end, its holder is told by mail.

    ``reason`` is a key of ``SUSPENDING``, ``reference`` names the file that proves it. Raises ``SuspensionRefused``.
    """
    account = citizens().select_for_update().get(pk=account.pk)
    _refuse_suspended(account)
    _suspend(account, {"by": PLATFORM, "reason": SUSPENDING[reason]}, request)
    data = {"reason": reason, "reference": reference}
    audit("manager.user.deactivation", account=account, request=request, actor=by, data=data)


@transaction.atomic
def reopen_citizen(
    account: Account, *, reason: str, reference: str, by: Account, request: HttpRequest | None = None
) -> None:
    """Reopen a citizen's account for a reason of ``REOPENING``. Raises ``SuspensionRefused``."""
    account = citizens().select_for_update().get(pk=account.pk)
    _reopen(account, {"by": PLATFORM})
    data = {"reason": reason, "reference": reference}
    audit("manager.user.activation", account=account, request=request, actor=by, data=data)


# --- both -----------------------------------------------------------------------------------------------------


def _refuse_suspended(account: Account) -> None:
    if account.suspended_at is not None:
        raise SuspensionRefused("Ce compte est déjà suspendu.")


def _suspend(account: Account, facts: dict[str, Any], request: HttpRequest | None) -> None:
    from parvis.core.identity.tasks import notify

    account.suspended_at = clock.now()
    account.save(update_fields=["suspended_at"])
    with in_scope(replace(current_scope(), account=account.pk)):
        closing.account_suspended.send(sender=Account, account=account, request=request)
    sessions.end_all(account)
    notify.defer(account=account.pk, kind="suspended", facts=facts)


def _reopen(account: Account, facts: dict[str, Any]) -> None:
    from parvis.core.identity.tasks import notify

    if account.suspended_at is None:
        raise SuspensionRefused("Ce compte n’est pas suspendu.")
    account.suspended_at = None
    account.save(update_fields=["suspended_at"])
    notify.defer(account=account.pk, kind="reactivated", facts=facts)
