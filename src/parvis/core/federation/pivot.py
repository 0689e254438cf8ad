"""From a provider's claims to the attributes of a profile: shapes, precision, codes, and the comparison of six values.

Formats of FranceConnect: ``birthdate`` may have 00 for an unknown day or month; ``birthplace`` is a COG commune code,
empty for whoever was born abroad (a code or a name given then is ignored); ``gender`` is male, female or unspecified.
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from parvis.core.federation.configuration import FRANCECONNECT
from parvis.core.identity.profile import PIVOT, Attribute
from parvis.core.identity.values import CLEANERS, ValueRefused, folded
from parvis.core.referentials import cog

logger = logging.getLogger(__name__)
SEXES: Final = {"female": "feminin", "male": "masculin", "unspecified": "non_precise"}


def attributes(provider: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Profile attributes that these claims give, shaped as in ``identity.values``; the unreadable is left out."""
    found = _of_citizen(claims) if provider == FRANCECONNECT else _of_professional(claims)
    kept: dict[str, Any] = {}
    for name, value in found.items():
        if value in ("", [], None):
            continue
        try:
            kept[name] = CLEANERS[name](value)
        except ValueRefused:
            logger.warning("%s gave an unreadable %s", provider, name)
    return kept


def _of_citizen(claims: Mapping[str, Any]) -> dict[str, Any]:
    country = _text(claims, "birthcountry")
    return {
        "nom_naissance": _text(claims, "family_name"),
        "prenoms": first_names(claims),
        "naissance_date": _text(claims, "birthdate"),
        "sexe": SEXES.get(_text(claims, "gender"), ""),
        "naissance_pays": country,
        "naissance_commune": _text(claims, "birthplace") if country in ("", cog.FRANCE) else "",
        "nom_usage": _text(claims, "preferred_username"),
    }


def _of_professional(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {"prenoms": first_names(claims), "nom_usage": _text(claims, "usual_name")}


def first_names(claims: Mapping[str, Any]) -> list[str]:
    """All the first names: the list where the provider gives one, else the words of ``given_name``."""
    listed = claims.get("given_name_array")
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        return [one for one in listed if one.strip()]
    return _text(claims, "given_name").split()


def names(claims: Mapping[str, Any]) -> tuple[str, str]:
    """(first first name, name used) to call somebody by; either may be empty."""
    family = _text(claims, "preferred_username") or _text(claims, "usual_name") or _text(claims, "family_name")
    return next(iter(first_names(claims)), "")[:80], family[:80]


def six_values(known: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The pivot identity folded for comparison (case, accents and hyphens apart), or None when it is incomplete.

    The commune of birth counts only for those born in France: abroad there is none.
    """
    if any(not known.get(name) for name in PIVOT if name != "naissance_commune"):
        return None
    if known["naissance_pays"] == cog.FRANCE and not known.get("naissance_commune"):
        return None
    born = known["naissance_date"]
    return (
        folded(known["nom_naissance"]),
        " ".join(folded(one) for one in known["prenoms"]),
        str(born["text"] if isinstance(born, Mapping) else born),
        str(known["sexe"]),
        str(known["naissance_pays"]),
        str(known.get("naissance_commune") or ""),
    )


def verified_six_values(known: Mapping[str, Attribute]) -> tuple[str, ...] | None:
    """The same from a profile, None unless every value is verified."""
    verified = {name: known[name].value for name in PIVOT if name in known and known[name].verified}
    return six_values(verified)


def digest(six: tuple[str, ...]) -> str:
    """Keyed digest of six values: it finds an account again and tells nothing without the installation's key."""
    return hmac.new(f"pivot:{settings.SECRET_KEY}".encode(), "\x1f".join(six).encode(), hashlib.sha256).hexdigest()


def shown(name: str, value: Any) -> str:
    """A value in words: dates with what is unknown, names of places, « code inconnu » for codes that no list holds."""
    if name == "naissance_date":
        return born(value)
    if name == "naissance_pays":
        return cog.country_name(value) or f"code inconnu ({value})"
    if name == "naissance_commune":
        return cog.commune_name(value) or f"code inconnu ({value})"
    if name == "prenoms":
        return " ".join(value)
    if name == "sexe":
        return {"feminin": "féminin", "masculin": "masculin"}.get(value, "non précisé")
    return str(value)


MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip


def born(value: Mapping[str, str]) -> str:
    """« 24 août 1962 », « novembre 1992 (jour inconnu) » or « 1992 (jour et mois inconnus) »."""
    year, month, day = (int(part) for part in value["text"].split("-"))
    if value["precision"] == "annee":
        return f"{year} (jour et mois inconnus)"
    if value["precision"] == "mois":
        return f"{MONTHS[month - 1]} {year} (jour inconnu)"
    return f"{'1er' if day == 1 else day} {MONTHS[month - 1]} {year}"


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""
