"""Quorum of a deliberating body: more than half of the members in office, present in the room (CGCT
L2121-17)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quorum:
    """The number of members needed, the number counted, and whether the body may deliberate."""

    needed: int
    counted: int

    @property
    def reached(self) -> bool:
        return self.counted >= self.needed


def quorum(en_exercice: int, presents: int, *, withdrawn: int = 0, required: bool = True) -> Quorum:
    """Compare the members in the room with the quorum.

    `presents` counts people in the room: powers never count. `withdrawn` counts the interested members who
    leave
    the item (CE 19 January 1983 Chauré). With `required=False` (second convocation for the items carried
    over,
    advisory commission) no number is needed.
    """
    if en_exercice < 0 or presents < 0 or not 0 <= withdrawn <= presents:
        raise ValueError("counts of members cannot be negative nor withdraw more than are present")
    return Quorum(needed=en_exercice // 2 + 1 if required else 0, counted=presents - withdrawn)
