"""Result of a ballot: absolute majority of the votes cast, and the chair's casting vote (CGCT L2121-20,
L2121-21)."""

from dataclasses import dataclass
from enum import StrEnum

from parvis.edemat.seances.formats.lettres import plural, voices


class Mode(StrEnum):
    """How the body voted; `NON_PRECISE` is kept because a deliberation may reach us without saying it."""

    MAIN_LEVEE = "main_levee"
    PUBLIC = "scrutin_public"
    SECRET = "scrutin_secret"  # noqa: S105 - a secret ballot
    SANS_VOTE = "sans_vote"
    NON_PRECISE = "non_precise"


MODE_LABELS: dict[Mode, str] = {
    Mode.MAIN_LEVEE: "à main levée",
    Mode.PUBLIC: "au scrutin public",
    Mode.SECRET: "au scrutin secret",
    Mode.SANS_VOTE: "sans vote (prend acte)",
    Mode.NON_PRECISE: "mode de scrutin non précisé",
}


class Voice(StrEnum):
    """The side the chair took, which settles a tie outside a secret ballot."""

    POUR = "pour"
    CONTRE = "contre"
    ABSTENTION = "abstention"
    INCONNUE = "inconnue"


class Result(StrEnum):
    ADOPTEE = "adoptee"
    REJETEE = "rejetee"
    PREND_ACTE = "prend_acte"


RESULT_LABELS: dict[Result, str] = {
    Result.ADOPTEE: "adoptée",
    Result.REJETEE: "rejetée",
    Result.PREND_ACTE: "dont il est pris acte",
}


@dataclass(frozen=True, slots=True)
class Ballot:
    """The counts of one ballot, powers included; `nppv` members take no part and are outside the voters."""

    mode: Mode
    pour: int = 0
    contre: int = 0
    abstention: int = 0
    blancs: int = 0
    nuls: int = 0
    nppv: int = 0
    chair: Voice = Voice.INCONNUE
    casting_vote: bool = True

    def __post_init__(self) -> None:
        counts = (self.pour, self.contre, self.abstention, self.blancs, self.nuls, self.nppv)
        if min(counts) < 0:
            raise ValueError("a ballot has no negative count")

    @property
    def exprimes(self) -> int:
        """Votes cast: for and against only."""
        return self.pour + self.contre

    @property
    def total(self) -> int:
        """Everyone who took part in the ballot; must equal the number of voters."""
        return self.exprimes + self.abstention + self.blancs + self.nuls

    @property
    def unanimous(self) -> bool:
        """No vote against, and at least one for."""
        return self.pour > 0 and self.contre == 0

    @property
    def result(self) -> Result:
        """Adopted by an absolute majority of the votes cast; at a tie the chair's side wins, except in
        secret."""
        if self.mode is Mode.SANS_VOTE:
            return Result.PREND_ACTE
        if self.pour != self.contre:
            return Result.ADOPTEE if self.pour > self.contre else Result.REJETEE
        chair_decides = self.casting_vote and self.mode is not Mode.SECRET and self.exprimes > 0
        return Result.ADOPTEE if chair_decides and self.chair is Voice.POUR else Result.REJETEE

    @property
    def mention(self) -> str:
        """The words of the result: "à l’unanimité", "par 14 voix pour, 12 voix contre"…"""
        if self.mode is Mode.SANS_VOTE:
            return "sans vote"
        if self.unanimous:
            return "à l’unanimité" if self.total == self.pour else "à l’unanimité des suffrages exprimés"
        parts = [_voices(self.pour, "pour"), _voices(self.contre, "contre")]
        if self.abstention:
            parts.append(plural(self.abstention, "abstention"))
        if self.blancs:
            parts.append(f"{plural(self.blancs, 'bulletin')} blanc{'s' if self.blancs > 1 else ''}")
        if self.nuls:
            parts.append(f"{plural(self.nuls, 'bulletin')} nul{'s' if self.nuls > 1 else ''}")
        tie = self.exprimes > 0 and self.pour == self.contre
        if tie and self.result is Result.ADOPTEE:
            parts.append("la voix du président étant prépondérante")
        return "par " + ", ".join(parts)


def _voices(count: int, side: str) -> str:
    return f"{voices(count)} {side}"
