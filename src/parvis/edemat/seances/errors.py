"""Refusals of the use cases of a meeting, each with the sentence that tells the way out."""

from parvis.core.errors import DomainError


class TableauRefused(DomainError):
    """The body or its tableau cannot be changed as asked."""


class HourTaken(DomainError):
    """The body already meets at that instant."""


class SeanceIncomplete(DomainError):
    """The meeting misses something that the convocation must carry."""


class ConvocationTardive(DomainError):
    """The convocation would leave after the last regular day."""


class WrongMoment(DomainError):
    """The action does not belong to the present state of the meeting."""


class AnnexeRefused(DomainError):
    """The document could not go to the préfecture with the deliberation."""


class QuorumMissing(DomainError):
    """Fewer members in the room than the quorum."""


class BallotRefused(DomainError):
    """The counts do not make the voters."""


class DeliberationBlocked(DomainError):
    """A blocking check is not met, or the deliberation is not one that is signed and transmitted."""
