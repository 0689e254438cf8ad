"""Numbers of deliberations from a pattern such as `#AA#.#MM#.#JJ#.#00#` (CGCT R2121-9), and their ACTES form.

Tokens: `#AAAA# #AA# #MM# #M# #JJ# #J#` from the date of the meeting, `#p#` the rank of the item in the
meeting,
`#s#` the sequence, `#0#` to `#0000000000#` the sequence padded with zeros, `#S#`… padded with underscores.
"""

import re
from datetime import date

from parvis.core.errors import DomainError

MAX_LENGTH = 15
"""Longest number that the ACTES protocol carries."""
_TOKEN = re.compile(r"#(AAAA|AA|MM|M|JJ|J|p|s|0{1,10}|S{1,10})#")
_SEQUENCE = re.compile(r"#(p|s|0{1,10}|S{1,10})#")


class NumberRefused(DomainError):
    """A numbering pattern or the number drawn from it breaks a rule."""


def render_number(pattern: str, day: date, sequence: int, rank: int) -> str:
    """Return the number for a meeting held on `day`, with the counter's `sequence` and the item's `rank`."""
    _check_pattern(pattern)
    number = _TOKEN.sub(lambda token: _value(token[1], day, sequence, rank), pattern)
    if len(number) > MAX_LENGTH:
        raise NumberRefused(
            f"Le numéro « {number} » compte {len(number)} caractères : la transmission à la "
            f"préfecture en admet "
            f"{MAX_LENGTH}. Raccourcissez le modèle de numérotation."
        )
    return number


def reset_value(key: str, day: date) -> str:
    """Return the value of the reset key for a meeting day: when it changes, the sequence restarts at 1."""
    if _SEQUENCE.search(key):
        raise NumberRefused("La clé de remise à un ne contient que des éléments de date.")
    return _TOKEN.sub(lambda token: _value(token[1], day, 0, 0), key)


def actes_number(number: str) -> str:
    """Map a number to the ACTES alphabet `[a-zA-Z0-9_]{1,15}`: every other character becomes an
    underscore."""
    mapped = re.sub(r"[^A-Za-z0-9_]", "_", number)
    if not 1 <= len(mapped) <= MAX_LENGTH or not re.search(r"[A-Za-z0-9]", mapped):
        raise NumberRefused(
            f"Le numéro « {number} » ne peut pas devenir un numéro d’acte : il faut de 1 à "
            f"{MAX_LENGTH} lettres, "
            "chiffres ou tirets bas."
        )
    return mapped


def _check_pattern(pattern: str) -> None:
    if "#" in _TOKEN.sub("", pattern):
        raise NumberRefused(
            f"Le modèle de numérotation « {pattern} » contient un élément inconnu. Éléments admis : "
            f"#AAAA#, #AA#, "
            "#MM#, #M#, #JJ#, #J#, #p#, #s#, #00#, #SS#."
        )
    if not _SEQUENCE.search(pattern):
        raise NumberRefused("Le modèle de numérotation doit contenir un rang ou une séquence, par exemple #00#.")


def _value(token: str, day: date, sequence: int, rank: int) -> str:
    match token:
        case "AAAA":
            return f"{day.year:04d}"
        case "AA":
            return f"{day.year % 100:02d}"
        case "MM":
            return f"{day.month:02d}"
        case "M":
            return str(day.month)
        case "JJ":
            return f"{day.day:02d}"
        case "J":
            return str(day.day)
        case "p":
            return str(rank)
        case "s":
            return str(sequence)
    return str(sequence).rjust(len(token), "0" if token[0] == "0" else "_")
