"""Suspension of an agent's account by the administration of the only organisation that it acts for.

Where a person acts for several organisations, each one suspends or ends its own mandates and the account stays open.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity import devices
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.mandates import keep_an_administrator, lock
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import identity_of


class SuspensionRefused(DomainError):
    """The account cannot be suspended or reopened by this organisation."""


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
    from parvis.core.identity.tasks import notify

    account = Account.objects.select_for_update().get(pk=account.pk)
    check(account, organisation, by=by)
    if account.suspended_at is not None:
        raise SuspensionRefused("Ce compte est déjà suspendu.")
    lock(organisation)  # two administrators who suspend each other at once are heard one after the other
    theirs = Mandate.objects.filter(organisation=organisation, account=account).select_related("own_role")
    keep_an_administrator(organisation, theirs, clock.today())
    account.suspended_at = clock.now()
    account.save(update_fields=["suspended_at"])
    devices.end_sessions(account)
    notify.defer(account=account.pk, kind="suspended", facts={"by": organisation.name})
    audit("manager.user.deactivation", account=account, request=request, organisation=organisation)


@transaction.atomic
def reactivate(
    account: Account, organisation: Organisation, *, by: Account, request: HttpRequest | None = None
) -> None:
    """Reopen a suspended account."""
    from parvis.core.identity.tasks import notify

    account = Account.objects.select_for_update().get(pk=account.pk)
    check(account, organisation, by=by)
    if account.suspended_at is None:
        raise SuspensionRefused("Ce compte n’est pas suspendu.")
    account.suspended_at = None
    account.save(update_fields=["suspended_at"])
    notify.defer(account=account.pk, kind="reactivated", facts={"by": organisation.name})
    audit("manager.user.activation", account=account, request=request, organisation=organisation)
