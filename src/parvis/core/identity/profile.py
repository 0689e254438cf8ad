"""The attributes of a person, each with where it comes from and who verified it.

A value that somebody else verified (FranceConnect, ProConnect, an agent) is read-only for its holder and goes with
its mark into the requests; the others are what the holder declares. Every function here acts for the account it is
given: the caller has checked that this is the person of the request, or an identity provider's answer about them.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity import values
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, ProfileAttribute
from parvis.core.organisations.tenancy import current_scope, in_scope

Source = ProfileAttribute.Source
NAMES: Final = tuple(values.CLEANERS)
PIVOT: Final = ("nom_naissance", "prenoms", "naissance_date", "sexe", "naissance_pays", "naissance_commune")
"""The six values by which the State tells people apart (identité pivot)."""


class AttributeVerified(DomainError):
    """A verified value cannot be changed by its holder."""


@dataclass(frozen=True)
class Attribute:
    """One value. ``source`` is declare, franceconnect, agent or proconnect; ``verified_by`` an issuer or an account."""

    name: str
    value: Any
    source: str = "declare"
    verified_at: datetime | None = None
    verified_by: str = ""
    updated_at: datetime | None = None

    @property
    def verified(self) -> bool:
        return self.verified_at is not None

    @property
    def label(self) -> str:
        return values.LABELS[self.name]

    @property
    def source_label(self) -> str:
        return str(Source(self.source).label)

    def as_json(self) -> dict[str, Any]:
        """The value with its mark, as requests and exports carry it."""
        at = self.verified_at.isoformat() if self.verified_at else None
        return {"value": self.value, "source": self.source, "verified_at": at, "verified_by": self.verified_by}


@contextmanager
def _as_holder(account: Account) -> Iterator[None]:
    """The rows of ``account`` are shown; the organisations acted for stay."""
    with in_scope(replace(current_scope(), account=account.pk)):
        yield


def attributes_of(account: Account) -> dict[str, Attribute]:
    """What is known of ``account``, by name of attribute (see ``NAMES``)."""
    with _as_holder(account):
        rows = ProfileAttribute.objects.filter(account=account)
        return {r.name: Attribute(r.name, r.value, r.source, r.verified_at, r.verified_by, r.updated_at) for r in rows}


def set_verified(
    account: Account,
    name: str,
    value: Any,
    source: str,
    *,
    verified_by: str = "",
    request: HttpRequest | None = None,
) -> Attribute:
    """Write a value that ``source`` (franceconnect, agent, proconnect) answers for; it replaces any other.

    Shapes are those of ``values.CLEANERS``: ``prenoms`` is a list, ``naissance_date`` a text ``AAAA-MM-JJ`` whose
    month or day may be 00, ``sexe`` feminin, masculin or non_precise. Raises ``ValueRefused`` for another shape,
    ValueError for an unknown name or source.
    """
    if source == Source.DECLARE or source not in Source.values:
        raise ValueError(f"{source} verifies nothing")
    now = clock.now()
    attribute = Attribute(name, _cleaned(name, value), source, now, verified_by)
    _write(account, [attribute], request)
    return attribute


def declare(account: Account, given: Mapping[str, Any], *, request: HttpRequest | None = None) -> list[str]:
    """Write what the holder says: None or "" takes a value away. Returns the names that changed.

    Raises ``AttributeVerified`` when a verified value would change, ``ValueRefused`` for a wrong shape.
    """
    with _as_holder(account):
        known = {r.name: r for r in ProfileAttribute.objects.select_for_update().filter(account=account)}
        kept: list[Attribute] = []
        gone: list[str] = []
        for name, raw in given.items():
            value = None if raw in (None, "", [], {}) else _cleaned(name, raw)
            before = known.get(name)
            if (before.value if before else None) == value:
                continue
            if before is not None and before.verified_at is not None:
                raise AttributeVerified(
                    f"{values.LABELS[name]} : cette donnée a été vérifiée, elle ne peut pas être modifiée ici."
                )
            if value is None:
                gone.append(name)
            else:
                kept.append(Attribute(name, value))
        if gone:
            ProfileAttribute.objects.filter(account=account, name__in=gone).delete()
            audit("user.profile.delete", account=account, request=request, data={"names": sorted(gone)})
        _write(account, kept, request)
        _call(account)
    return sorted([*gone, *(a.name for a in kept)])


def drop_verification(
    account: Account, source: str, names: Iterable[str] = NAMES, *, request: HttpRequest | None = None
) -> list[str]:
    """Turn the values that ``source`` verified into declared ones, without changing them. Returns their names."""
    with _as_holder(account):
        rows = ProfileAttribute.objects.filter(account=account, source=source, name__in=list(names))
        changed = sorted(rows.values_list("name", flat=True))
        rows.update(source=Source.DECLARE, verified_at=None, verified_by="", updated_at=clock.now())
        if changed:
            audit("user.profile.update", account=account, request=request, data={"unverified": changed})
    return changed


def _cleaned(name: str, value: Any) -> Any:
    if name not in values.CLEANERS:
        raise ValueError(f"{name} is not an attribute of a profile")
    return values.CLEANERS[name](value)


def _write(account: Account, attributes: list[Attribute], request: HttpRequest | None) -> None:
    if not attributes:
        return
    with _as_holder(account):
        for a in attributes:
            ProfileAttribute.objects.update_or_create(
                account=account,
                name=a.name,
                defaults={
                    "value": a.value,
                    "source": a.source,
                    "verified_at": a.verified_at,
                    "verified_by": a.verified_by[:200],
                    "updated_at": clock.now(),
                },
            )
        _call(account)
        names = sorted(a.name for a in attributes)
        audit("user.profile.edit", account=account, request=request, data={"names": names})


def _call(account: Account) -> None:
    """Name the account after its profile: first of the first names, nom d'usage or else nom de naissance.

    Whoever acts for an organisation bears the name that it gave or that was verified, for acts show it.
    """
    rows = ProfileAttribute.objects.filter(account=account, name__in=["prenoms", "nom_usage", "nom_naissance"])
    if account.population != Account.Population.USAGER:
        rows = rows.exclude(source=Source.DECLARE)
    known = dict(rows.values_list("name", "value"))
    given = (known.get("prenoms") or [account.given_name])[0]
    family = known.get("nom_usage") or known.get("nom_naissance") or account.family_name
    if (given, family) != (account.given_name, account.family_name):
        account.given_name, account.family_name = given, family
        account.save(update_fields=["given_name", "family_name"])
