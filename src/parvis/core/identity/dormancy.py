"""Dormant accounts of citizens: told after two years without a login, deleted a month later.

An account with something still open, or without an address to tell, is never deleted; agents' accounts end with their
mandates, not by age.
"""

from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Greatest

from parvis.core import clock
from parvis.core.identity import closing, deletion, links
from parvis.core.identity.audit import audit
from parvis.core.identity.models import NO_ADDRESS, Account, Link
from parvis.core.organisations.tenancy import identity_of

ALERT_AFTER: Final = timedelta(days=730)
DELETE_AFTER: Final = timedelta(days=30)


def _citizens() -> "QuerySet[Any]":
    """Open accounts of citizens who can be written to, ``seen_at`` being their last login, or their creation."""
    usagers = Account.objects.filter(population=Account.Population.USAGER, is_active=True, deleted_at=None)
    usagers = usagers.exclude(email__endswith=NO_ADDRESS)
    return usagers.annotate(seen_at=Greatest(F("created_at"), Coalesce("last_login", "created_at")))


def review() -> None:
    """One day's work: accounts that came back, accounts to tell, accounts to delete."""
    now = clock.now()
    for account in _citizens().filter(dormancy_told_at__lt=F("seen_at")):
        _came_back(account)
    for account in _citizens().filter(dormancy_told_at=None, seen_at__lt=now - ALERT_AFTER):
        _tell(account)
    for account in _citizens().filter(dormancy_told_at__lt=now - DELETE_AFTER):
        _delete(account)


@transaction.atomic
def _came_back(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(dormancy_told_at=None)
    audit("user.notification.activity", account=account)


@transaction.atomic
def _tell(account: Account) -> None:
    from parvis.core.identity.tasks import notify  # the tasks import this module

    now = clock.now()
    if not Account.objects.filter(pk=account.pk, dormancy_told_at=None).update(dormancy_told_at=now):
        return
    notify.defer(account=account.pk, kind="dormant", facts={"deletion": (now + DELETE_AFTER).isoformat()})
    audit("user.notification.inactivity", account=account)


@transaction.atomic
def _delete(account: Account) -> None:
    found = _citizens().filter(pk=account.pk).select_for_update(of=("self",)).first()
    if found is None or found.dormancy_told_at is None or found.dormancy_told_at < found.seen_at:
        return
    with identity_of(account.pk):
        if closing.holds_of(found):
            return
    link = links.make(Link.Purpose.DELETION, found.email, account=found, commune=found.commune)
    deletion.close(found, link, "inactivite")
