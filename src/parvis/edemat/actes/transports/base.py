"""What a transport to the State is: it hands over one archive and says what is known of the outcome."""

from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol


class Outcome(StrEnum):
    """What the sender knows after an attempt."""

    ACCEPTED = "accepted"
    """The State has the archive."""
    REFUSED = "refused"
    """The server answered that it did not take it: to be sent again later."""
    LINE_CLOSED = "line_closed"
    """Nobody was reached, nothing left: to be sent again later."""
    UNCERTAIN = "uncertain"
    """Everything left and no answer came: the State may have it, so it is never sent again by itself."""


@dataclass(frozen=True)
class Answer:
    """Outcome of an attempt, with the French sentence kept in the history."""

    outcome: Outcome
    sentence: str


class Transport(Protocol):
    """A way to the State. ``send`` blocks and never raises for what may happen on a line."""

    def send(self, name: str, archive: BinaryIO, size: int) -> Answer:
        """Hand over the archive called ``name``, of ``size`` bytes, read from ``archive``."""
        ...
