"""Pairwise subjects: a person has a random name of its own in each sector (OpenID Connect Core, 8.1).

Neither the key of the account nor its address can be computed from it, and two organisations cannot join their
users by what they hold.
"""

import secrets

from parvis.core.identity.models import Account
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider.models import Subject


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
