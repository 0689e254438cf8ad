"""The number by which a person names the entity they act for: a SIRET, or the RNA number of an association.

Pure functions: what was typed or received becomes the number as it is kept, or ``NumberRefused`` says what is wrong.
"""

import re
import unicodedata
from typing import Final

from parvis.core.errors import DomainError
from parvis.core.referentials.sirene import luhn_key_holds, rna_holds, siret_holds

_SIGNS: Final = re.compile(r"[\s.\-_/]")
_WHERE: Final = "Il figure sur l’avis de situation de l’INSEE et sur les factures."


class NumberRefused(DomainError):
    """What was given is neither a SIRET nor an RNA number."""


def number(value: str) -> str:
    """A SIRET or an RNA number, without spaces, from what people type: « 732 829 320 00074 », « w 751 212 517 ».

    Raises NumberRefused.
    """
    typed = _SIGNS.sub("", unicodedata.normalize("NFKC", value)).upper()
    if not typed:
        raise NumberRefused("Indiquez le SIRET de l’organisme, ou le numéro RNA de l’association.")
    return _rna(typed) if typed.startswith("W") else _siret(typed)


def is_rna(kept: str) -> bool:
    """Whether a number as it is kept is that of the register of associations."""
    return kept.startswith("W")


def spaced(kept: str) -> str:
    """The number as people read it, in groups that never wrap."""
    cuts = (4, 7) if is_rna(kept) else (3, 6, 9)
    return "\u00a0".join(kept[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True))


def _rna(typed: str) -> str:
    if not rna_holds(typed):
        raise NumberRefused(
            "Un numéro RNA s’écrit « W » suivi de neuf chiffres (W751212517) : recopiez-le depuis le récépissé de"
            " déclaration. Une association d’Alsace ou de Moselle n’en a pas : indiquez son SIRET."
        )
    return typed


def _siret(typed: str) -> str:
    if typed.startswith("FR") and typed[2:].isalnum():
        raise NumberRefused(f"C’est un numéro de TVA : le SIRET est attendu, 14 chiffres. {_WHERE}")
    if not re.fullmatch(r"[0-9]+", typed):
        raise NumberRefused(
            "Un SIRET ne compte que des chiffres (14) ; un numéro RNA commence par « W ». Corrigez les autres signes."
        )
    if len(typed) == 9 and luhn_key_holds(typed):
        raise NumberRefused(
            f"C’est un SIREN, de neuf chiffres : ajoutez les cinq chiffres de l’établissement pour un SIRET. {_WHERE}"
        )
    if len(typed) != 14:
        digits = "un seul" if len(typed) == 1 else str(len(typed))
        raise NumberRefused(f"Un SIRET compte 14 chiffres ; vous en avez saisi {digits}. {_WHERE}")
    if not siret_holds(typed):
        part = "du SIREN (les neuf premiers chiffres)" if not luhn_key_holds(typed[:9]) else "du SIRET"
        raise NumberRefused(
            f"Ce SIRET est inexact : la clé de contrôle {part} ne correspond pas. Vérifiez chaque chiffre. {_WHERE}"
        )
    return typed
