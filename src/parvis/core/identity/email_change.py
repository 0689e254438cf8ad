"""Change of address: the new one is proved by a link, the old one is told and may undo it for seven days.

An address that an administration gave to an account is proved in the same way, and changes nothing else.
"""

from typing import Final

from django.db import transaction
from django.http import HttpRequest

from parvis.core.authentication import sessions
from parvis.core.errors import DomainError
from parvis.core.identity import addresses, links
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Link

OTHER_ACCOUNT: Final = (
    "Ce lien a été demandé depuis un autre compte. Connectez-vous à ce compte, puis ouvrez le lien de nouveau."
)


class ChangeRefused(DomainError):
    """The change of address cannot be made."""


@transaction.atomic
def ask(account: Account, new: str, *, request: HttpRequest | None = None) -> None:
    """Send a link to the canonical address ``new`` and tell the present one.

    The answer does not depend on whether ``new`` has an account: its holder is told, not the one who asks.
    """
    from parvis.core.identity.tasks import notify, send_link  # the tasks import this package

    if new == account.email and account.email_verified_at is not None:
        raise ChangeRefused("C’est déjà l’adresse de votre compte.")
    link = links.make(Link.Purpose.EMAIL, new, account=account, commune=account.commune)
    send_link.defer(link=str(link.pk))
    if new != account.email:
        notify.defer(account=account.pk, kind="email_asked", facts={"new": addresses.masked(new)})
    audit("user.email.change.request", account=account, request=request)


@transaction.atomic
def confirm(account: Account, token: str, *, request: HttpRequest | None = None) -> Account:
    """Give the proved address to ``account``, who is logged in and asked for it. Raises ``LinkRefused``,
    ``ChangeRefused`` when somebody else asked, ``AddressTaken``.
    """
    from parvis.core.identity.tasks import send_link

    if links.find(Link.Purpose.EMAIL, token).account_id != account.pk:
        raise ChangeRefused(OTHER_ACCOUNT)
    link = links.take(Link.Purpose.EMAIL, token)
    account = Account.objects.select_for_update().get(pk=account.pk)
    old = account.email if account.has_address else ""
    addresses.give(account, link.email)
    if old and old != account.email:
        undo = links.make(Link.Purpose.EMAIL_UNDO, old, account=account, commune=account.commune)
        send_link.defer(link=str(undo.pk))
    audit("user.email.change", account=account, request=request)
    return account


@transaction.atomic
def undo(token: str, *, request: HttpRequest | None = None) -> Account:
    """Give an account its former address back, end its sessions and its password, which somebody else may know.

    Raises ``LinkRefused``, ``AddressTaken`` when another account took the address meanwhile.
    """
    from parvis.core.identity.tasks import notify

    link = links.take(Link.Purpose.EMAIL_UNDO, token)
    assert link.account is not None  # this purpose always has one
    account = Account.objects.select_for_update().get(pk=link.account.pk)
    if account.deleted_at is not None:
        raise ChangeRefused("Ce compte n’existe plus.")
    addresses.give(account, link.email)
    links.cancel(account)
    account.set_unusable_password()
    account.save(update_fields=["password"])
    sessions.end_all(account)
    notify.defer(account=account.pk, kind="email_undone", facts={})
    audit("user.email.change.undo", account=account, request=request)
    return account
