"""Shapes of what a person says of themselves: names, birth, telephone, postal address.

Pure functions: each takes what was typed or received and returns the value as it is kept, or raises ``ValueRefused``
with the sentence to show. A date of birth is a text, for the State's registers hold births whose day or month nobody
knows (« 1962-00-00 »).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from parvis.core.errors import DomainError
from parvis.core.referentials import cog

NAME_LENGTH: Final = 80
MAX_FIRST_NAMES: Final = 15
CIVILITIES: Final = {"madame": "Madame", "monsieur": "Monsieur"}
SEXES: Final = {"feminin": "Féminin", "masculin": "Masculin", "non_precise": "Non précisé"}
PRECISIONS: Final = {"jour": "au jour", "mois": "au mois", "annee": "à l’année"}
ADDRESS_LINES: Final = {"complement": 80, "voie": 120, "code_postal": 12, "commune": 80, "pays": 5}

_NAME_SIGNS: Final = frozenset(" -'’.·")
_HYPHENS: Final = {0x2010: "-", 0x2011: "-"}
_BIRTH: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")


class ValueRefused(DomainError):
    """What was given cannot be kept as it is."""


def text(value: object, what: str, length: int) -> str:
    """One line of text: composed characters, single spaces, no control character, at most ``length``."""
    if not isinstance(value, str):
        raise ValueRefused(f"{what} : un texte est attendu.")
    line = unicodedata.normalize("NFC", value)
    if any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Cn") for c in line.strip()):
        raise ValueRefused(f"{what} : des caractères invisibles s’y trouvent ; saisissez de nouveau le texte.")
    line = " ".join(line.split())
    if len(line) > length:
        raise ValueRefused(f"{what} : {length} caractères au plus ; vous en avez saisi {len(line)}.")
    return line


def name(value: object, what: str = "Nom") -> str:
    """A family name or one first name, in any alphabet, apostrophes and hyphens included."""
    line = text(value, what, NAME_LENGTH).translate(_HYPHENS)
    if not line or not all(unicodedata.category(c)[0] in "LM" or c in _NAME_SIGNS for c in line):
        raise ValueRefused(f"{what} : des lettres, des espaces, des apostrophes et des traits d’union seulement.")
    if not any(c.isalpha() for c in line):
        raise ValueRefused(f"{what} : une lettre au moins est attendue.")
    return line


_LIGATURES: Final = str.maketrans(
    {"œ": "oe", "æ": "ae", "ł": "l", "ø": "o", "đ": "d", "ı": "i", "’": "'", "-": " ", "‐": " ", "‑": " "}
)


def folded(value: str) -> str:
    """A name to compare with another writing of it: without case, accents nor hyphens, in any alphabet."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", value.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.translate(_LIGATURES).split())


def first_names(value: object) -> list[str]:
    """The first names, from a list or from a line where commas or spaces separate them."""
    parts: Iterable[object]
    if isinstance(value, str):
        line = text(value, "Prénoms", NAME_LENGTH * MAX_FIRST_NAMES)
        parts = [p for p in re.split(r"[,\s]+", line) if p]
    else:
        parts = list(value) if isinstance(value, list | tuple) else []
    names = [name(part, "Prénoms") for part in parts]
    if not names:
        raise ValueRefused("Prénoms : indiquez un prénom au moins.")
    if len(names) > MAX_FIRST_NAMES:
        raise ValueRefused(f"Prénoms : {MAX_FIRST_NAMES} au plus.")
    return names


def birth_date(value: object) -> dict[str, str]:
    """``{"text": "1962-08-00", "precision": "jour" | "mois" | "annee"}`` from a text or such a mapping."""
    line = value.get("text") if isinstance(value, Mapping) else value.isoformat() if isinstance(value, date) else value
    match = _BIRTH.fullmatch(line) if isinstance(line, str) else None
    if match is None:
        raise ValueRefused("Date de naissance : écrivez-la comme 1962-08-24 (année, mois, jour).")
    year, month, day = map(int, match.groups())
    if not 1850 <= year <= 2200 or month > 12 or day > 31:
        raise ValueRefused("Date de naissance : cette date n’existe pas.")
    precision = "annee" if not month else "mois" if not day else "jour"
    if precision == "jour":
        try:
            date(year, month, day)
        except ValueError:
            raise ValueRefused("Date de naissance : ce jour n’existe pas dans le calendrier.") from None
    return {"text": match.group(), "precision": precision}


def _choice(choices: Mapping[str, str], what: str) -> Callable[[object], str]:
    def pick(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueRefused(f"{what} : choisissez l’une des réponses proposées.")
        return value

    return pick


def country(value: object) -> str:
    """COG code of a country; a code that the list lacks is kept, for the list is not of every time."""
    if not isinstance(value, str) or not cog.COUNTRY.fullmatch(value):
        raise ValueRefused("Pays de naissance : un code de cinq chiffres commençant par 99 est attendu.")
    return value


def commune(value: object) -> str:
    """COG code of a commune; a code that the list lacks is kept: the commune may have been abolished since."""
    if not isinstance(value, str) or not cog.COMMUNE.fullmatch(value.upper()):
        raise ValueRefused("Commune de naissance : un code INSEE de cinq caractères est attendu.")
    return value.upper()


def commune_typed(value: str) -> str:
    """COG code of the commune that somebody typed, by its code or by its name."""
    line = text(value, "Commune de naissance", NAME_LENGTH)
    code = re.search(r"\b(\d{2}|2[ABab])\d{3}\b", line)
    if code:
        return commune(code.group())
    found = cog.communes_called(line)
    if len(found) == 1:
        return found[0][0]
    if found:
        options = ", ".join(f"{label} ({code})" for code, label in found[:12])
        raise ValueRefused(f"Commune de naissance : plusieurs portent ce nom. Recopiez la vôtre : {options}.")
    raise ValueRefused(
        "Commune de naissance : aucune commune actuelle ne porte ce nom. Indiquez son code INSEE à cinq caractères."
    )


def telephone(value: object) -> str:
    """E.164 number from what people write: « 06 12 34 56 78 », « 0033 6… », « +32 2… »."""
    line = re.sub(r"[\s.\-()\u00a0\u202f]", "", text(value, "Téléphone", 40))
    if line.startswith("00"):
        line = "+" + line[2:]
    elif len(line) == 10 and line.startswith("0"):
        line = "+33" + line[1:]
    if not _E164.fullmatch(line) or (line.startswith("+33") and not re.fullmatch(r"\+33[1-9]\d{8}", line)):
        raise ValueRefused(
            "Téléphone : dix chiffres pour la France (06 12 34 56 78), sinon le numéro avec son indicatif (+32…)."
        )
    return line


def postal_address(value: object) -> dict[str, str]:
    """``complement, voie, code_postal, commune, pays``: the lines that are filled, each one checked."""
    if not isinstance(value, Mapping):
        raise ValueRefused("Adresse : ses lignes sont attendues.")
    lines = {k: text(value.get(k) or "", "Adresse", length) for k, length in ADDRESS_LINES.items()}
    if not (lines["voie"] and lines["commune"]):
        raise ValueRefused("Adresse : indiquez la voie et la commune.")
    lines["pays"] = country(lines["pays"] or cog.FRANCE)
    if lines["pays"] == cog.FRANCE and not re.fullmatch(r"\d{5}", lines["code_postal"]):
        raise ValueRefused("Adresse : un code postal compte cinq chiffres.")
    return {k: line for k, line in lines.items() if line}


CLEANERS: Final[dict[str, Callable[[Any], Any]]] = {
    "civilite": _choice(CIVILITIES, "Civilité"),
    "nom_naissance": lambda value: name(value, "Nom de naissance"),
    "nom_usage": lambda value: name(value, "Nom d’usage"),
    "prenoms": first_names,
    "naissance_date": birth_date,
    "naissance_pays": country,
    "naissance_commune": commune,
    "sexe": _choice(SEXES, "Sexe"),
    "telephone_mobile": telephone,
    "telephone_fixe": telephone,
    "adresse": postal_address,
}
LABELS: Final = {
    "civilite": "Civilité",
    "nom_naissance": "Nom de naissance",
    "nom_usage": "Nom d’usage",
    "prenoms": "Prénoms",
    "naissance_date": "Date de naissance",
    "naissance_pays": "Pays de naissance",
    "naissance_commune": "Commune de naissance",
    "sexe": "Sexe",
    "telephone_mobile": "Téléphone mobile",
    "telephone_fixe": "Téléphone fixe",
    "adresse": "Adresse postale",
}
