"""Which account a provider's identity belongs to: found by issuer and subject, never by e-mail.

One identity of a provider belongs to one account and an account has one identity of a provider; the database says so
both ways. What the provider answers for is written in the profile with its mark, and every change of it is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication import notices
from parvis.core.entities import services as entities
from parvis.core.errors import DomainError
from parvis.core.federation import companies, pivot
from parvis.core.federation.client import Identity
from parvis.core.federation.configuration import FRANCECONNECT, LABELS, registration
from parvis.core.federation.models import FederatedIdentity, IdentityChange, PivotKey
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, ProfileAttribute
from parvis.core.identity.profile import PIVOT, attributes_of, drop_verification, set_verified
from parvis.core.identity.values import LABELS as LABELS_OF_ATTRIBUTES
from parvis.core.organisations.tenancy import identity_of

ATTRIBUTES = (*PIVOT, "nom_usage")


class LinkRefused(DomainError):
    """The identity cannot be linked to this account, or unlinked from it."""


@contextmanager
def _shown(identity: Identity) -> Iterator[None]:
    """The row of the identity just verified is shown by the database, whoever's it is."""
    with transaction.atomic(), connection.cursor() as cursor:
        setting = "SELECT set_config('parvis.federated_identity', %s, true)"
        cursor.execute(setting, [f"{identity.issuer} {identity.subject}"])
        yield
        cursor.execute(setting, [""])


def account_of(identity: Identity) -> Account | None:
    """The account that this verified identity belongs to."""
    with _shown(identity):
        rows = FederatedIdentity.objects.select_related("account")
        found = rows.filter(issuer=identity.issuer, subject=identity.subject).first()
        return found.account if found else None


def identities_of(account: Account) -> list[FederatedIdentity]:
    """The identities linked to ``account``."""
    with identity_of(account.pk):
        return list(FederatedIdentity.objects.filter(account=account).order_by("provider"))


def refusal_for(account: Account, identity: Identity) -> str:
    """Why this identity may not be linked to this account, "" when it may. A rule of populations, not of rights."""
    if identity.provider == FRANCECONNECT and account.population != Account.Population.USAGER:
        return (
            "FranceConnect sert à vos démarches personnelles : il se relie à un compte d’usager, distinct de votre"
            " compte professionnel. Déconnectez-vous, puis recommencez avec FranceConnect."
        )
    owner = account_of(identity)
    if owner is not None and owner.pk != account.pk:
        return (
            f"Cette identité {LABELS[identity.provider]} est déjà reliée à un autre compte. Elle n’est jamais déplacée"
            " d’elle-même : connectez-vous à l’autre compte pour la délier, ou adressez-vous au guichet."
        )
    mine = next((row for row in identities_of(account) if row.provider == identity.provider), None)
    if mine is not None and not _same_person(mine, identity):
        return (
            f"Votre compte est déjà relié à une autre identité {LABELS[identity.provider]}. Déliez-la d’abord depuis"
            " « Mon compte »."
        )
    return ""


def _same_person(row: FederatedIdentity, identity: Identity) -> bool:
    """True for the same subject, or for a new one of somebody whose six values are equal (service registered anew)."""
    if (row.issuer, row.subject) == (identity.issuer, identity.subject):
        return True
    before = pivot.six_values(pivot.attributes(row.provider, row.told))
    return before is not None and before == pivot.six_values(pivot.attributes(row.provider, identity.claims))


def link(account: Account, identity: Identity, *, request: HttpRequest | None) -> FederatedIdentity:
    """Give this identity to ``account``. Raises LinkRefused. The caller had the person confirm it."""
    if sentence := refusal_for(account, identity):
        raise LinkRefused(sentence)
    now = clock.now()
    values = {"issuer": identity.issuer, "subject": identity.subject, "told": identity.claims, "used_at": now}
    try:
        with identity_of(account.pk):
            row, created = FederatedIdentity.objects.update_or_create(
                account=account,
                provider=identity.provider,
                defaults=values,
                create_defaults={**values, "linked_at": now},
            )
            _write_attributes(account, identity, request)
            companies.attach(account, identity, request=request)
            audit(f"user.{identity.provider}.link", account=account, request=request, method=identity.provider)
            _tell(account, "linked" if created else "relinked", identity.provider)
    except IntegrityError as error:
        raise LinkRefused(
            f"Cette identité {LABELS[identity.provider]} vient d’être reliée à un autre compte. Réessayez."
        ) from error
    return row


def refresh(account: Account, identity: Identity, *, request: HttpRequest) -> list[str]:
    """Note a login; update what the provider corrected and keep its history. Returns the names that changed."""
    with identity_of(account.pk):
        row = FederatedIdentity.objects.select_for_update().get(account=account, provider=identity.provider)
        before, after = (pivot.attributes(row.provider, told) for told in (row.told, identity.claims))
        names = [n for n in ATTRIBUTES if before.get(n) != after.get(n) and (before.get(n) or after.get(n))]
        row.told, row.used_at = identity.claims, clock.now()
        row.save(update_fields=["told", "used_at"])
        companies.attach(account, identity, request=request)
        if names:
            changes = {name: [before.get(name), after.get(name)] for name in names}
            IdentityChange.objects.create(account=account, provider=row.provider, at=clock.now(), changes=changes)
            gone = [name for name in names if name not in after]
            drop_verification(account, row.provider, gone, request=request)
            _write_attributes(account, identity, request)
            index(account)
            event = "user.franceconnect.identity_changed" if row.provider == FRANCECONNECT else "user.profile.update"
            audit(event, account=account, request=request, method=row.provider, data={"names": names})
            _tell(account, "changed", row.provider)
    return names


def _write_attributes(account: Account, identity: Identity, request: HttpRequest | None) -> None:
    """Write with their mark the values that differ from those of the profile, or that nobody had verified."""
    known = attributes_of(account)
    for name, value in pivot.attributes(identity.provider, identity.claims).items():
        attribute = known.get(name)
        if attribute is None or attribute.value != value or attribute.source != identity.provider:
            set_verified(account, name, value, identity.provider, verified_by=identity.issuer, request=request)


def index(account: Account) -> None:
    """Keep the digest of the six verified values of ``account``, none when they are not all verified."""
    six = pivot.verified_six_values(attributes_of(account))
    if six is None:
        PivotKey.objects.filter(account=account).delete()
    else:
        PivotKey.objects.update_or_create(account=account, defaults={"digest": pivot.digest(six)})


@receiver(post_save, sender=ProfileAttribute)
def _verified(sender: Any, instance: ProfileAttribute, **named: Any) -> None:
    """Whoever verified a value of the pivot identity (a provider, an agent), its digest follows."""
    if instance.name in PIVOT and instance.verified_at is not None:
        index(instance.account)


def attribute_label(name: str) -> str:
    """French name of an attribute of the profile."""
    return LABELS_OF_ATTRIBUTES[name]


def can_prove_again(account: Account, provider: str) -> bool:
    """True when ``provider`` may confirm who ``account`` is: it is linked to it, and this installation offers it."""
    return registration(provider) is not None and any(row.provider == provider for row in identities_of(account))


def by_six_values(identity: Identity) -> Account | None:
    """The only account whose six values are verified and all equal to those of ``identity``; None when in doubt, or
    when the installation did not choose this rule."""
    if not settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT:
        return None
    six = pivot.six_values(pivot.attributes(identity.provider, identity.claims))
    if six is None:
        return None
    candidates = [key.account for key in PivotKey.objects.filter(digest=pivot.digest(six)).select_related("account")]
    equal = [one for one in candidates if pivot.verified_six_values(attributes_of(one)) == six]
    return equal[0] if len(equal) == 1 else None


def has_another_way(account: Account) -> bool:
    """True when ``account`` can be opened without any provider: a password for a proved address, or a passkey."""
    if Authenticator.objects.filter(user=account, type=Authenticator.Type.WEBAUTHN).exists():
        return True
    return account.has_usable_password() and account.has_address


def unlink(account: Account, provider: str, *, request: HttpRequest) -> None:
    """Separate ``provider`` from ``account``: values stay, their marks go. Raises LinkRefused."""
    if not has_another_way(account):
        raise LinkRefused(
            f"{LABELS[provider]} est votre seul moyen de vous connecter : choisissez d’abord un mot de passe ou une clé"
            " d’accès."
        )
    with identity_of(account.pk):
        deleted, _ = FederatedIdentity.objects.filter(account=account, provider=provider).delete()
        if not deleted:
            raise LinkRefused(f"Votre compte n’est pas relié à {LABELS[provider]}.")
        drop_verification(account, provider, ATTRIBUTES, request=request)
        entities.drop_verification(account, provider, request=request)
        audit(f"user.{provider}.unlink", account=account, request=request, method=provider)
        _tell(account, "unlinked", provider)
    index(account)


def exported(account: Account) -> Iterator[dict[str, Any]]:
    """What this package holds of ``account``, for the export of its data."""
    for row in identities_of(account):
        yield {
            "fournisseur": row.get_provider_display(),
            "identifiant": row.subject,
            "relié le": row.linked_at.isoformat(),
            "dernière connexion": row.used_at.isoformat(),
            "reçu": row.told,
        }
    for change in changes_of(account):
        yield {"fournisseur": change.get_provider_display(), "corrigé le": change.at.isoformat(), **change.changes}


def forget(account: Account) -> int:
    """Erase what this package holds of ``account`` (deletion of the account); returns how many identities."""
    with identity_of(account.pk):
        deleted, _ = FederatedIdentity.objects.filter(account=account).delete()
        IdentityChange.objects.filter(account=account).delete()
    PivotKey.objects.filter(account=account).delete()
    return deleted


def changes_of(account: Account) -> list[IdentityChange]:
    """The history of what providers corrected, newest first."""
    with identity_of(account.pk):
        return list(IdentityChange.objects.filter(account=account))


def _tell(account: Account, what: str, provider: str) -> None:
    if account.has_address:
        notices.tell(account, f"{provider}.{what}")


def _notice(sentence: str) -> Any:
    def text(account: Account, facts: notices.Facts) -> str:
        answer = f"{notices.not_me(account)}\n{notices.address('federation:identities')}"
        return f"{sentence}\n\nQuand : {facts['when']}\n\n{answer}"

    return text


def register_notices() -> None:
    """The messages of this package, for both providers."""
    for provider, label in LABELS.items():
        notices.NOTICES |= {
            f"{provider}.linked": (
                f"{label} relié à votre compte",
                _notice(f"Votre compte peut désormais être ouvert avec {label}."),
            ),
            f"{provider}.relinked": (
                f"{label} relié à nouveau à votre compte",
                _notice(f"Votre identité {label} a été reliée à nouveau à votre compte."),
            ),
            f"{provider}.unlinked": (
                f"{label} délié de votre compte",
                _notice(f"Votre compte ne peut plus être ouvert avec {label}. Vos données restent, sans leur mention."),
            ),
            f"{provider}.changed": (
                "Votre identité a été mise à jour",
                _notice(f"{label} nous a transmis une identité corrigée ; votre profil a été mis à jour."),
            ),
        }
