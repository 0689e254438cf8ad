"""Links sent by mail: 256 bits that only the mail holds, for one purpose, once, until an instant.

The token is computed from the row's identifier with the installation's key when the mail is written, so that neither
the queue nor the database holds it; the row keeps its digest. Opening a link changes nothing, since mail scanners
open them too: it is used when its page is sent.
"""

import base64
import hashlib
from datetime import timedelta
from typing import Final

from django.utils.crypto import salted_hmac

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account, Link
from parvis.core.ids import uuid7
from parvis.core.organisations.models import Organisation

Purpose = Link.Purpose
LIFETIME: Final = {
    Purpose.REGISTRATION: timedelta(hours=24),
    Purpose.EMAIL: timedelta(hours=2),
    Purpose.EMAIL_UNDO: timedelta(days=7),
    Purpose.DELETION: timedelta(hours=48),
}
KEPT: Final = timedelta(days=30)
"""How long a link is remembered after its end, to say that it expired rather than that it is unknown."""


class LinkRefused(DomainError):
    """The link opens nothing; one sentence for each reason, none of which tells about an account."""


def make(
    purpose: Purpose,
    email: str,
    *,
    account: Account | None = None,
    commune: Organisation | None = None,
    next: str = "",
) -> Link:
    """A new link towards ``email``. Earlier ones of the same purpose for the same account no longer open anything."""
    now = clock.now()
    if account is not None and purpose != Purpose.EMAIL_UNDO:
        Link.objects.filter(account=account, purpose=purpose, used_at=None).update(used_at=now)
    link = Link(
        id=uuid7(), purpose=purpose, email=email, account=account, commune=commune, next=next,
        created_at=now, expires_at=now + LIFETIME[purpose],
    )  # fmt: skip
    link.digest = digest_of(token_of(link))
    link.save(force_insert=True)
    return link


def token_of(link: Link) -> str:
    """What the address of the link ends with: 43 characters."""
    mac = salted_hmac(f"parvis.identity.link.{link.purpose}", str(link.pk), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def digest_of(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(purpose: Purpose, token: str, *, lock: bool = False) -> Link:
    """The link of this token, still to be used; with ``lock``, nobody else uses it before the transaction ends.

    Raises ``LinkRefused``.
    """
    rows = Link.objects.select_for_update(of=("self",)) if lock else Link.objects.all()
    link = rows.select_related("account", "commune").filter(purpose=purpose, digest=digest_of(token)).first()
    if link is None:
        raise LinkRefused("Ce lien est inconnu. Recopiez-le en entier depuis le message reçu.")
    if link.used_at is not None:
        raise LinkRefused("Ce lien a déjà servi, ou un lien plus récent le remplace.")
    if link.expires_at <= clock.now():
        raise LinkRefused("Ce lien n’est plus valable : son délai est passé.")
    return link


def take(purpose: Purpose, token: str) -> Link:
    """Use the link, in the caller's transaction. Raises ``LinkRefused``."""
    link = find(purpose, token, lock=True)
    link.used_at = clock.now()
    link.save(update_fields=["used_at"])
    return link


def cancel(account: Account) -> None:
    """No link sent for ``account`` opens anything from now on."""
    Link.objects.filter(account=account, used_at=None).update(used_at=clock.now())


def forget_old() -> int:
    """Erase the links that ended long ago, and the addresses in them. Returns how many."""
    return Link.objects.filter(expires_at__lt=clock.now() - KEPT).delete()[0]
