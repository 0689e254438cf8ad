"""Deletion of an account: asked, confirmed by mail, closed at once, erased by a job, proved by a receipt.

The row of the account stays as an empty shell, so that journals and audit logs keep numbers that name nobody; a
tombstone keeps a keyed digest of the address for 365 days.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication import sessions
from parvis.core.errors import DomainError
from parvis.core.identity import addresses, closing, links
from parvis.core.identity.audit import audit
from parvis.core.identity.models import (
    Account,
    AccountExport,
    AccountModel,
    Link,
    Mandate,
    NameKey,
    Namesake,
    ProfileAttribute,
    Tombstone,
)
from parvis.core.organisations.tenancy import current_scope, in_scope

TOMBSTONE_KEPT: Final = timedelta(days=365)
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
KEPT: Final = (
    ("Vos demandes déjà traitées", "les communes qui les ont reçues les conservent pour leurs obligations d’archives"),
    ("Les événements de sécurité du compte, sans votre nom", "un an, pour établir les faits en cas d’incident"),
    ("Une empreinte de votre adresse, qui ne permet pas de la retrouver", "365 jours, comme preuve de la suppression"),
)


class DeletionRefused(DomainError):
    """The account cannot be deleted now; ``holds`` lists what is still open."""

    def __init__(self, sentence: str, holds: Iterable[closing.Hold] = ()) -> None:
        super().__init__(sentence)
        self.holds = list(holds)


@dataclass(frozen=True)
class Receipt:
    """What the proof of a deletion says."""

    stone: Tombstone

    @property
    def done(self) -> bool:
        return self.stone.deleted_at is not None

    @property
    def erased(self) -> list[tuple[str, int]]:
        return [(label, number) for label, number in self.stone.erased.items() if number]

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        return KEPT


def check(account: Account) -> None:
    """Raise ``DeletionRefused`` for an operator, when a mandate is in force or when something is still open."""
    if account.is_platform_administrator:
        raise DeletionRefused(
            "Vous exploitez la plateforme : un autre exploitant doit d’abord vous en retirer la charge."
        )
    with in_scope(replace(current_scope(), account=account.pk)):
        today = clock.today()
        if Mandate.objects.filter(account=account, start__lte=today).not_over(today).exists():
            raise DeletionRefused(
                "Vous avez un mandat en cours : votre organisation doit d’abord y mettre fin. Adressez-vous à la"
                " personne qui l’administre."
            )
        holds = closing.holds_of(account)
    if holds:
        raise DeletionRefused(
            "Votre compte ne peut pas être supprimé tant que des démarches sont en cours : vous perdriez leur suivi.",
            holds,
        )


@transaction.atomic
def ask(account: Account, *, request: HttpRequest | None = None) -> str:
    """Send the link that confirms; an account without an address is closed at once. Raises ``DeletionRefused``.

    Returns the token of the receipt of an account that was closed, else "".
    """
    from parvis.core.identity.tasks import send_link  # the tasks import this module

    check(account)
    link = links.make(Link.Purpose.DELETION, account.email, account=account, commune=account.commune)
    audit("user.deletion.request", account=account, request=request)
    if not account.has_address:  # the fresh proof is all that can be asked
        close(account, link, "demande", request=request)
        return links.token_of(link)
    send_link.defer(link=str(link.pk))
    return ""


@transaction.atomic
def confirm(token: str, *, request: HttpRequest | None = None) -> Tombstone:
    """Close the account that the link is for and have it erased. Raises ``LinkRefused``, ``DeletionRefused``."""
    link = links.find(Link.Purpose.DELETION, token, lock=True)
    assert link.account is not None
    if link.account.deleted_at is not None:
        raise links.LinkRefused("Ce lien a déjà servi, ou un lien plus récent le remplace.")
    check(link.account)
    return close(link.account, link, "demande", request=request)


def close(account: Account, link: Link, reason: str, *, request: HttpRequest | None = None) -> Tombstone:
    """End the account at once, in the caller's transaction; ``link`` keeps the address until the receipt is sent."""
    from parvis.core.identity.tasks import purge as purge_later

    now = clock.now()
    account = Account.objects.select_for_update().get(pk=account.pk)
    links.cancel(account)
    account.is_active, account.deleted_at = False, now
    account.set_unusable_password()
    account.save(update_fields=["is_active", "deleted_at", "password"])
    sessions.end_all(account)
    stone = Tombstone.objects.create(
        reference=f"SUP-{clock.today():%Y%m%d}-{''.join(secrets.choice(_LETTERS) for _ in range(8))}",
        account=account, email_digest=addresses.digest(account.email), reason=reason, asked_at=now, link=link,
    )  # fmt: skip
    event = "user.deletion.inactivity" if reason == "inactivite" else "user.deletion"
    audit(event, account=account, request=request)
    purge_later.defer(stone=str(stone.pk))
    return stone


@transaction.atomic
def purge(stone_id: str | UUID) -> None:
    """Erase what the account of a tombstone held; a second run finds nothing left to do."""
    from parvis.core.identity.tasks import send_receipt

    stone = Tombstone.objects.select_for_update().filter(pk=stone_id, deleted_at=None).first()
    account = stone.account if stone else None
    if stone is None or account is None or account.deleted_at is None:
        return
    with in_scope(replace(current_scope(), account=account.pk)):
        closing.account_closing.send(sender=Account, account=account)
        stone.erased = {label: eraser(account) for label, eraser in closing.erasers().items()} | _erase(account)
        stone.deleted_at = clock.now()
        stone.save(update_fields=["erased", "deleted_at"])
    send_receipt.defer(stone=str(stone.pk))


def _erase(account: Account) -> dict[str, int]:
    """Empty the account itself. Returns how many things of each kind went."""
    erased = {
        "Données du profil": ProfileAttribute.objects.filter(account=account).delete()[0],
        "Exports préparés": AccountExport.objects.filter(account=account).delete()[0],
        "Moyens de connexion": Authenticator.objects.filter(user=account).delete()[0] + 1,
        "Adresses électroniques": EmailAddress.objects.filter(user=account).count() or 1,
    }
    EmailAddress.objects.filter(user=account).delete()
    theirs = [model for model in apps.get_models() if issubclass(model, AccountModel)]
    # What the eraser of a package would have forgotten.
    erased["Autres données"] = sum(model._base_manager.filter(account=account).delete()[0] for model in theirs)
    Namesake.objects.filter(Q(first=account) | Q(second=account)).delete()
    NameKey.objects.filter(account=account).delete()
    Link.objects.filter(account=account, tombstone=None).delete()
    account.email = f"compte-{account.pk}@supprime.invalid"
    account.given_name, account.family_name = "Compte", "supprimé"
    account.email_verified_at = account.dormancy_told_at = account.last_login = account.commune = None
    account.save()
    return erased


def receipt(token: str) -> Receipt | None:
    """The proof for whoever followed the link of a deletion; None before it is confirmed or for another token."""
    stones = Tombstone.objects.select_related("link__commune")
    stone = stones.filter(link__digest=links.digest_of(token), link__purpose=Link.Purpose.DELETION).first()
    return Receipt(stone) if stone else None
