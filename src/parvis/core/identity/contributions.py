"""What each package says of an account in the export of its data: packages register from ``AppConfig.ready``.

    contributions.register("demandes", "Mes demandes", requests_of)   # requests_of(account) -> list[dict]

Keys of the dictionaries are French words shown as they are; values are JSON values. Contributors run with the rows
of the account shown, and leave secrets out. A record whose « organisation » is the name of one goes to the archive of
what that organisation answers for, any other to that of the account.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from parvis.core.identity.models import Account

Contributor = Callable[[Account], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Contribution:
    code: str
    label: str
    records: Contributor
    rank: int


_registered: dict[str, Contribution] = {}


def register(code: str, label: str, contributor: Contributor, *, rank: int = 100) -> None:
    """Add a part to the export (its last registration wins)."""
    _registered[code] = Contribution(code, label, contributor, rank)


def contributions() -> list[Contribution]:
    """All the parts, in their order."""
    return sorted(_registered.values(), key=lambda c: (c.rank, c.label))
