"""Pairwise subjects: a person has a random name of its own in each sector (OpenID Connect Core, 8.1).

Neither the key of the account nor its address can be computed from it, and two organisations cannot join their
users by what they hold.
"""

import secrets
from collections.abc import Iterable

from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider.models import Subject
from parvis.core.provider.sites import Site


def subject_of(account: Account, organisation_id: int, sector: str) -> str:
    """The subject of ``account`` in ``sector``, made the first time that it is asked for."""
    with identity_of(account.pk):
        found, _ = Subject.objects.get_or_create(
            account=account,
            sector=sector,
            defaults={"organisation_id": organisation_id, "sub": secrets.token_urlsafe(32)},
        )
    return found.sub


def account_of(organisation_id: int, sector: str, sub: str) -> Account | None:
    """The usable account that ``sub`` names in ``sector``."""
    with acting_for(organisation_id):
        found = Subject.objects.filter(sector=sector, sub=sub).select_related("account").first()
    return found.account if found and is_usable(found.account) else None


def is_usable(account: Account | None) -> bool:
    """False for nobody and for an account that is closed or suspended."""
    return account is not None and account.is_active and account.suspended_at is None


def is_admitted(account: Account | None, site: Site, mandates: Iterable[Mandate] | None = None) -> bool:
    """True when ``site`` is for ``account``: usable, of an admitted population, with the mandate that it demands.

    ``mandates`` are those in force of the account, read when they are needed and not given.
    """
    if account is None or not is_usable(account) or account.population not in site.populations:
        return False
    if not site.members_only and not site.roles:
        return True
    held = mandates_of(account) if mandates is None else mandates
    members = (m for m in held if m.organisation_id == site.organisation)
    return any(not site.roles or m.role_code in site.roles for m in members)
