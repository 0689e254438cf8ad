"""Number of an act as the ministry receives it: 1 to 15 characters, capitals, digits and inner
underscores."""

import re
import unicodedata
from dataclasses import dataclass

from parvis.core.errors import DomainError

SHAPE = re.compile(r"([A-Z0-9][A-Z0-9_]{0,13})?[A-Z0-9]")
RULE = "1 à 15 caractères, lettres majuscules sans accent, chiffres et « _ » (jamais au début ni à la fin)"


class InvalidActeNumber(DomainError):
    """The number breaks the rule; ``proposal`` is a corrected value, empty when none can be made."""

    def __init__(self, value: str) -> None:
        self.proposal = propose(value)
        way_out = f" Valeur proposée : « {self.proposal} »." if self.proposal else " Saisissez un autre numéro."
        super().__init__(f"Le numéro « {value} » ne peut pas être transmis : {RULE}.{way_out}", value=value)


def propose(value: str) -> str:
    """A transmissible number near ``value`` ("19.07.01.05" gives "19_07_01_05"), or "" when nothing is left.

    Accents fall, small letters become capitals, every other sign becomes one underscore. A number too long
    loses its separators first, then its beginning, since the end is what tells two acts apart.
    """
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Z0-9]+", plain.upper())
    joined = "_".join(words)
    if len(joined) > 15:
        joined = "".join(words)[-15:]
    return joined


@dataclass(frozen=True)
class ActeNumber:
    """A number that may be transmitted; building a wrong one raises ``InvalidActeNumber``."""

    value: str

    def __post_init__(self) -> None:
        if not SHAPE.fullmatch(self.value):
            raise InvalidActeNumber(self.value)

    def __str__(self) -> str:
        return self.value

    @classmethod
    def from_displayed(cls, numero: str) -> "ActeNumber":
        """The number to transmit for the one printed on the act; InvalidActeNumber when nothing usable is
        left."""
        return cls(propose(numero))
