"""Shapes and keys of the numbers that name legal persons in France: SIREN and SIRET (INSEE), RNA (associations).

Pure functions on texts that are already stripped of their spaces.
"""

import re
from typing import Final

LA_POSTE: Final = "356000000"
_SIRET: Final = re.compile(r"[0-9]{14}")
_RNA: Final = re.compile(r"W(?:[0-9]{9}|2[AB][0-9]{7}|9[A-Z][0-9]{7})")
"""« W », then the department of the register (two digits, 2A, 2B or 9 and a letter overseas) and a number."""


def luhn_key_holds(digits: str) -> bool:
    """True when ``digits`` satisfies the Luhn key used by SIREN and SIRET numbers (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def siret_holds(siret: str) -> bool:
    """True for fourteen digits whose SIREN and whole number both satisfy the Luhn key.

    The post offices share one SIREN and are too many for the key: there the digits add up to a multiple of five.
    """
    if not _SIRET.fullmatch(siret) or not luhn_key_holds(siret[:9]) or siret[:9] == "0" * 9:
        return False
    of_la_poste = siret[:9] == LA_POSTE and sum(map(int, siret)) % 5 == 0
    return luhn_key_holds(siret) or of_la_poste


def rna_holds(rna: str) -> bool:
    """True for a number of the national register of associations, which has no key."""
    return bool(_RNA.fullmatch(rna))
