"""Scopes that a site may ask for, the claims that each gives, and how a person reads them (Core, 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from parvis.core.entities.models import EntityRole
from parvis.core.entities.numbers import spaced
from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.profile import PIVOT, Attribute, attributes_of
from parvis.core.organisations.models import Organisation
from parvis.core.provider.sites import Site

GENDERS = {"feminin": "female", "masculin": "male"}
FRENCH = {"female": "féminin", "male": "masculin", True: "oui", False: "non"}
EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Person:
    """Whom a site asks about: what is known of them is read when a claim first needs it."""

    account: Account
    site: Site
    entity: EntityRole | None = None

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        return attributes_of(self.account)

    @cached_property
    def mandates(self) -> list[Mandate]:
        """Those in force in the organisation of the site, and in no other."""
        return [m for m in mandates_of(self.account) if m.organisation_id == self.site.organisation]

    @property
    def organisation(self) -> Organisation | None:
        return self.mandates[0].organisation if self.mandates else None

    def said(self, *names: str) -> Any:
        """The value of the first of these attributes that is known."""
        return next((self.attributes[n].value for n in names if n in self.attributes), None)

    def is_verified(self, *names: str) -> bool:
        """True when the first of these attributes that is known was verified by somebody else than its holder."""
        return next((self.attributes[n].verified for n in names if n in self.attributes), False)


@dataclass(frozen=True)
class Claim:
    """One claim: its protocol name, how people read it, its value, and that of an invented person.

    A claim without a label goes with the others of its scope: nobody chooses it nor is asked about it. ``words``
    says the value to people where the protocol's own would mean nothing to them.
    """

    name: str
    label: str
    value: Callable[[Person], Any]
    invented: Any
    words: Callable[[Person], str] | None = None

    def said_of(self, person: Person) -> str:
        """The value of ``person`` in words; empty when there is none."""
        value = self.value(person)
        if value in EMPTY:
            return ""
        return self.words(person) if self.words else _in_french(self.name, value)

    @property
    def example(self) -> str:
        """The value of the invented person, in words."""
        return _in_french(self.name, self.invented)


@dataclass(frozen=True)
class Scope:
    """Claims that go together; ``label`` is how administrators read them."""

    code: str
    label: str
    claims: tuple[Claim, ...] = ()

    @property
    def choices(self) -> dict[str, Claim]:
        """The claims that a registration takes or leaves, by the key that it keeps."""
        return {f"{self.code}.{claim.name}": claim for claim in self.claims if claim.label}


def _birth_date(person: Person) -> str | None:
    born = person.said("naissance_date")
    return born["text"] if born else None


def _address(person: Person) -> dict[str, str] | None:
    """Core, 5.1.1."""
    lines = person.said("adresse")
    if not lines:
        return None
    street = "\n".join(lines[k] for k in ("complement", "voie") if k in lines)
    town = " ".join(lines[k] for k in ("code_postal", "commune") if k in lines)
    parts = {"street_address": street, "postal_code": lines.get("code_postal", ""), "locality": lines["commune"],
             "country": lines["pays"], "formatted": f"{street}\n{town}"}  # fmt: skip
    return {k: v for k, v in parts.items() if v}


def _updated_at(person: Person) -> int:
    """Seconds since 1970 (Core, 5.1)."""
    changes = [a.updated_at for a in person.attributes.values() if a.updated_at]
    return int(max([person.account.created_at, *changes]).timestamp())


def _commune(person: Person) -> str:
    """INSEE code of the commune that the person chose: a preference, not where they live."""
    return person.account.commune.insee if person.account.commune else ""


def _entity(person: Person) -> dict[str, Any] | None:
    """The entity that the person chose at this login, and what is known of their role there."""
    role = person.entity
    if role is None:
        return None
    marks = {"verified": role.verified, "role_verified": role.role_verified}
    return {role.scheme.lower(): role.number, "role": role.role, **marks}


def _sources(person: Person) -> dict[str, str]:
    """Where each of the values that make a civil identity comes from."""
    return {n: person.attributes[n].source for n in PIVOT if n in person.attributes}


def _is_civil(person: Person) -> bool:
    """True when every value of the civil identity that is known was verified, the name among them."""
    known = [person.attributes[n] for n in PIVOT if n in person.attributes]
    return "nom_naissance" in person.attributes and all(a.verified for a in known)


OFFLINE = "offline_access"
ENTITY = "entreprise.entreprise"
SCOPES: dict[str, Scope] = {
    scope.code: scope
    for scope in (
        Scope("openid", "Identifiant propre au service"),
        Scope(
            "profile",
            "Profil",
            (
                Claim("given_name", "Prénom", lambda p: p.account.given_name, "Camille"),
                Claim("family_name", "Nom", lambda p: p.said("nom_naissance") or p.account.family_name, "Exemple"),
                Claim("preferred_username", "Nom d’usage", lambda p: p.said("nom_usage"), "Modèle"),
                Claim("birthdate", "Date de naissance", _birth_date, "1962-08-24"),
                Claim("gender", "Sexe", lambda p: GENDERS.get(p.said("sexe")), "female"),
                Claim(
                    "updated_at",
                    "Date du dernier changement du profil",
                    _updated_at,
                    1767258000,
                ),
                Claim("locale", "", lambda p: "fr-FR", "fr-FR"),
            ),
        ),
        Scope(
            "email",
            "Adresse électronique",
            (
                Claim(
                    "email",
                    "Adresse électronique",
                    lambda p: p.account.email if p.account.has_address else "",
                    "camille@exemple.fr",
                ),
                Claim("email_verified", "", lambda p: p.account.email_verified_at is not None, True),
            ),
        ),
        Scope(
            "phone",
            "Téléphone",
            (
                Claim(
                    "phone_number", "Téléphone", lambda p: p.said("telephone_mobile", "telephone_fixe"), "+33600000000"
                ),
                Claim(
                    "phone_number_verified",
                    "",
                    lambda p: p.is_verified("telephone_mobile", "telephone_fixe"),
                    False,
                ),
            ),
        ),
        Scope(
            "address",
            "Adresse postale",
            (Claim("address", "Adresse postale", _address, {"formatted": "1 rue de l’Exemple\n34990 Juvignac"}),),
        ),
        Scope(
            "birth",
            "Lieu de naissance",
            (
                Claim("birthplace", "Commune de naissance (code)", lambda p: p.said("naissance_commune"), "34172"),
                Claim("birthcountry", "Pays de naissance (code)", lambda p: p.said("naissance_pays"), "99100"),
            ),
        ),
        Scope(
            "commune",
            "Commune choisie",
            (
                Claim(
                    "commune",
                    "Commune choisie",
                    _commune,
                    "34123",
                    lambda p: f"{p.account.commune} ({_commune(p)})",
                ),
            ),
        ),
        Scope(
            "identite_verifiee",
            "Identité vérifiée, et par qui",
            (
                Claim("identite_verifiee", "Identité vérifiée", _is_civil, True),
                Claim("identite_sources", "", _sources, {"nom_naissance": "franceconnect"}),
            ),
        ),
        Scope(
            "entreprise",
            "Entreprise ou association",
            (
                Claim(
                    "entreprise",
                    "Organisme pour lequel la personne agit",
                    _entity,
                    {"siret": "73282932000074", "role": "salarie", "verified": True, "role_verified": False},
                    lambda p: p.entity.described if p.entity else "",
                ),
            ),
        ),
        Scope(
            "agent",
            "Organisation et rôles de l’agent",
            (
                Claim(
                    "organizational_unit", "Organisation", lambda p: p.organisation and p.organisation.name, "Commune"
                ),
                Claim("siret", "SIRET de l’organisation", lambda p: p.organisation and p.organisation.siret, "2" * 14),
                Claim(
                    "roles",
                    "Rôles dans l’organisation",
                    lambda p: sorted({m.role_code for m in p.mandates}),
                    ["lecteur"],
                    lambda p: ", ".join(sorted({m.role_label for m in p.mandates})),
                ),
            ),
        ),
        Scope(OFFLINE, "Accès prolongé, sans que la personne soit connectée"),
    )
}


def choices(scopes: Iterable[str]) -> dict[str, Claim]:
    """What a registration of ``scopes`` may take or leave, by key."""
    return {key: claim for code in scopes if code in SCOPES for key, claim in SCOPES[code].choices.items()}


def _claims(scopes: Iterable[str], kept: Collection[str]) -> list[Claim]:
    """The claims of ``scopes`` whose keys are ``kept``, with those that nobody chooses where one at least is kept."""
    found = []
    for scope in (SCOPES[code] for code in scopes if code in SCOPES):
        chosen = [claim for key, claim in scope.choices.items() if key in kept]
        found += chosen + [claim for claim in scope.claims if chosen and not claim.label]
    return found


def claims_for(
    account: Account, site: Site, scopes: Iterable[str], kept: Collection[str], entity: EntityRole | None = None
) -> dict[str, Any]:
    """The claims ``kept`` of ``scopes`` about ``account``, who acts for ``entity``; one without a value is left out
    (Core, 5.3.2)."""
    person = Person(account, site, entity)
    values = {claim.name: claim.value(person) for claim in _claims(scopes, kept)}
    return {name: value for name, value in values.items() if value not in EMPTY}


def readable(account: Account, site: Site, kept: Collection[str]) -> list[tuple[str, str]]:
    """What the claims ``kept`` let ``site`` know about ``account``, in words and values, for the consent page."""
    person = Person(account, site)
    lines = [(claim.label, claim.said_of(person)) for claim in _claims(SCOPES, kept) if claim.label]
    return [(label, said) for label, said in lines if said]


def _in_french(name: str, value: Any) -> str:
    if name == "address":
        return str(value["formatted"])
    if name == "birthdate" and not value.endswith("00") and "-00-" not in value:
        return date_format(date.fromisoformat(value), "j F Y")
    if name == "entreprise":
        return f"SIRET {spaced(value['siret'])}, {EntityRole.Role(value['role']).label.lower()}"
    if name == "updated_at":
        return date_format(localtime(datetime.fromtimestamp(value, UTC)), "j F Y")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(FRENCH.get(value, value))


def labels(kept: Iterable[str]) -> list[str]:
    """How people read the claims ``kept``."""
    known, wanted = choices(SCOPES), set(kept)
    return [claim.label for key, claim in known.items() if key in wanted]


def example(scopes: Iterable[str], kept: Collection[str]) -> dict[str, Any]:
    """What a site would be told of an invented person, for the preview that administrators see."""
    return {"sub": "identifiant tiré au sort", **{claim.name: claim.invented for claim in _claims(scopes, kept)}}
