"""Scopes that a site may ask for, the claims that each gives, and how a person reads them (Core, 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from parvis.core import clock
from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.models import Organisation
from parvis.core.provider.sites import Site

Value = Callable[[Account, Site], Any]


@dataclass(frozen=True)
class Claim:
    """One claim: its protocol name, how the consent page calls it (not at all when empty), and its value."""

    name: str
    label: str
    value: Value


@dataclass(frozen=True)
class Scope:
    """A set of claims that goes together; ``label`` is how administrators choose it."""

    code: str
    label: str
    claims: tuple[Claim, ...] = ()


def _mandates(account: Account, site: Site) -> list[Mandate]:
    """Mandates in force in the organisation of the site, and in no other."""
    return [m for m in mandates_of(account) if m.organisation_id == site.organisation]


def _unit(account: Account, site: Site) -> str:
    found = _mandates(account, site)
    return found[0].organisation.name if found else ""


def _siret(account: Account, site: Site) -> str:
    found = _mandates(account, site)
    return found[0].organisation.siret if found else ""


def _roles(account: Account, site: Site) -> list[str]:
    return sorted({m.role for m in _mandates(account, site)})


OFFLINE = "offline_access"
SCOPES: dict[str, Scope] = {
    scope.code: scope
    for scope in (
        Scope("openid", "Identifiant propre au service"),
        Scope(
            "profile",
            "Nom et prénom",
            (
                Claim("given_name", "Prénom", lambda a, s: a.given_name),
                Claim("family_name", "Nom", lambda a, s: a.family_name),
                Claim("locale", "", lambda a, s: "fr-FR"),
            ),
        ),
        Scope(
            "email",
            "Adresse électronique",
            (
                Claim("email", "Adresse électronique", lambda a, s: a.email),
                Claim("email_verified", "", lambda a, s: a.email_verified_at is not None),
            ),
        ),
        Scope(
            "agent",
            "Organisation et rôles de l’agent",
            (
                Claim("organizational_unit", "Organisation", _unit),
                Claim("siret", "SIRET de l’organisation", _siret),
                Claim("roles", "Rôles dans l’organisation", _roles),
            ),
        ),
        Scope(OFFLINE, "Accès prolongé, sans que la personne soit connectée"),
    )
}


def register_scope(scope: Scope) -> None:
    """Let another package offer what it keeps about people (its last registration wins)."""
    SCOPES[scope.code] = scope


def claims_for(account: Account, site: Site, scopes: Iterable[str]) -> dict[str, Any]:
    """The claims that ``scopes`` give about ``account``; a claim without a value is left out (Core, 5.3.2)."""
    found = {}
    for code in scopes:
        for claim in SCOPES[code].claims if code in SCOPES else ():
            value = claim.value(account, site)
            if value not in (None, "", []):
                found[claim.name] = value
    return found


def readable(account: Account, site: Site, scopes: Iterable[str]) -> list[tuple[str, str]]:
    """What ``scopes`` let a site know about ``account``, in words and values, for the consent page."""
    lines = []
    for code in scopes:
        for claim in SCOPES[code].claims if code in SCOPES else ():
            value = claim.value(account, site) if claim.label else None
            if value not in (None, "", []):
                lines.append((claim.label, ", ".join(_in_french(claim.name, value))))
    return lines


def _in_french(name: str, value: Any) -> list[str]:
    from parvis.core.identity.roles import ROLES

    values = value if isinstance(value, list) else [value]
    if name == "roles":
        return [ROLES[v][0] if v in ROLES else v for v in values]
    return [str(v) for v in values]


def example(organisation: Organisation, scopes: Iterable[str]) -> dict[str, Any]:
    """Names of the claims and invented values, for the preview that administrators see."""
    invented = {
        "given_name": "Camille",
        "family_name": "Exemple",
        "locale": "fr-FR",
        "email": "camille@exemple.fr",
        "email_verified": True,
        "organizational_unit": organisation.name,
        "siret": organisation.siret,
        "roles": ["lecteur"],
        "updated_at": int(clock.now().timestamp()),
    }
    names = [c.name for code in scopes if code in SCOPES for c in SCOPES[code].claims]
    return {"sub": "identifiant tiré au sort", **{name: invented.get(name, "…") for name in names}}
