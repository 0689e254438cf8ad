"""Who is present, represented or absent at an item, computed from the journal of arrivals, departures and powers.

The list of a deliberation is never typed: it is the journal folded up to the opening of its item. A power counts
only while its holder is in the room and its giver is not (CGCT L2121-20); an interested member who withdraws from
an item counts neither for the quorum nor for the vote, and a power they hold stays unused (CE 19 January 1983
Chauré).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from parvis.edemat.seances.formats.pouvoirs import Power


class Kind(StrEnum):
    """What happened to a member; the values are stored in the journal of the meeting."""

    ARRIVEE = "arrivee"
    DEPART = "depart"
    POUVOIR_DONNE = "pouvoir_donne"
    POUVOIR_RETIRE = "pouvoir_retire"
    DEPORT = "deport"
    REPRISE = "reprise"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal, effective from the item ranked `from_item` on (0: the opening).

    A `DEPORT` holds for its item only, and a `REPRISE` undoes it; `holder` names the bearer of a given power.
    """

    member: str
    kind: Kind
    from_item: int = 0
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Composition:
    """The body at one item: `presents` are in the room, `withdrawn` are those of them who leave the item."""

    presents: tuple[str, ...]
    powers: tuple[Power, ...]
    absents: tuple[str, ...]
    withdrawn: tuple[str, ...] = ()

    @property
    def en_exercice(self) -> int:
        return len(self.presents) + len(self.powers) + len(self.absents)

    @property
    def voices_withdrawn(self) -> int:
        """Voices out of the vote: the members who withdraw and the powers they hold."""
        return len(self.withdrawn) + sum(power.holder in self.withdrawn for power in self.powers)

    def votants(self, nppv: int = 0) -> int:
        """Voters: present and represented members, less those who withdraw or take no part."""
        return len(self.presents) + len(self.powers) - self.voices_withdrawn - nppv


def composition_at(members: Sequence[str], events: Iterable[Event], item: int = 0) -> Composition:
    """Fold the journal, in its order, up to the opening of `item`; lists follow the order of `members`."""
    in_room: set[str] = set()
    holders: dict[str, str] = {}
    withdrawn: set[str] = set()
    for event in events:
        if event.from_item > item:
            continue
        match event.kind:
            case Kind.ARRIVEE:
                in_room.add(event.member)
            case Kind.DEPART:
                in_room.discard(event.member)
            case Kind.POUVOIR_DONNE:
                holders[event.member] = event.holder
            case Kind.POUVOIR_RETIRE:
                holders.pop(event.member, None)
            case Kind.DEPORT if event.from_item == item:
                withdrawn.add(event.member)
            case Kind.REPRISE if event.from_item == item:
                withdrawn.discard(event.member)
    powers = tuple(
        Power(member, holders[member])
        for member in members
        if member in holders and member not in in_room and holders[member] in in_room
    )
    represented = {power.giver for power in powers}
    return Composition(
        presents=tuple(member for member in members if member in in_room),
        powers=powers,
        absents=tuple(m for m in members if m not in in_room and m not in represented),
        withdrawn=tuple(m for m in members if m in withdrawn and m in in_room),
    )
