"""Rules of a written power to vote: one per holder, no chain, always revocable (CGCT L2121-20)."""

from collections.abc import Collection
from dataclasses import dataclass

from parvis.core.errors import DomainError


class PowerRefused(DomainError):
    """A power breaks a rule; the sentence names the person already bound."""


@dataclass(frozen=True, slots=True)
class Power:
    """A giver who does not attend and the holder who votes in the giver's name; both are members' names."""

    giver: str
    holder: str


def check_power(
    power: Power,
    *,
    members: Collection[str],
    standing: Collection[Power],
    absent: Collection[str] = (),
    present: Collection[str] = (),
) -> None:
    """Raise PowerRefused unless `power` may join the `standing` powers of the meeting.

    `members` are the convened members, `present` those in the room, `absent` those known to be away.
    """
    giver, holder = power.giver, power.holder
    for person in (giver, holder):
        if person not in members:
            raise PowerRefused(f"{person} n’est pas convoqué à cette séance : le pouvoir est refusé.")
    if giver == holder:
        raise PowerRefused(f"{giver} ne peut pas se donner pouvoir.")
    if giver in present:
        raise PowerRefused(f"{giver} est en séance et vote en personne : le pouvoir est refusé.")
    if holder in absent:
        raise PowerRefused(f"{holder} est absent et ne peut pas porter de pouvoir.")
    for other in standing:
        if other.holder == holder:
            raise PowerRefused(
                f"{holder} porte déjà le pouvoir de {other.giver} : un seul pouvoir par membre (CGCT L2121-20)."
            )
        if other.giver == giver:
            raise PowerRefused(f"{giver} a déjà donné pouvoir à {other.holder} : révoquez-le d’abord.")
        if other.giver == holder:
            raise PowerRefused(f"{holder} a donné pouvoir à {other.holder} et ne peut pas en porter un.")
        if other.holder == giver:
            raise PowerRefused(f"{giver} porte le pouvoir de {other.giver} et ne peut pas donner le sien.")
