"""Matière of an act in the nomenclature: two to five numeric levels ("5.7", "1.1.10"), sorted level by
level."""

import re
from dataclasses import dataclass
from functools import total_ordering

from parvis.core.errors import DomainError

_CODE = re.compile(r"\s*([1-9][0-9]*(?:\.[1-9][0-9]*)*)(?:\s.*)?", re.DOTALL)


class InvalidMatiere(DomainError):
    """The code is not one of a matière."""


@total_ordering
@dataclass(frozen=True)
class Matiere:
    """Levels of a matière, at least two; ``Matiere.parse`` also reads "5.7 Intercommunalité"."""

    levels: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.levels) <= 5:
            raise InvalidMatiere(
                f"La matière « {'.'.join(map(str, self.levels))} » est incomplète : deux à cinq niveaux sont "
                "attendus, par exemple « 5.7 »."
            )

    def __str__(self) -> str:
        return ".".join(map(str, self.levels))

    def __lt__(self, other: "Matiere") -> bool:
        return self.levels < other.levels

    @classmethod
    def parse(cls, text: str) -> "Matiere":
        found = _CODE.fullmatch(text)
        if not found:
            raise InvalidMatiere(f"« {text} » n’est pas un code de matière, par exemple « 5.7 ».")
        return cls(tuple(int(level) for level in found[1].split(".")))


def sort_key(code: str) -> tuple[int, ...]:
    """Numeric order of codes: 1.1.9 before 1.1.10."""
    return tuple(int(level) for level in code.split("."))
