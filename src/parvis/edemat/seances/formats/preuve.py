"""Evidence statement of a sending or a reading: canonical JSON (RFC 8785) whose bytes are time-stamped (RFC
3161).

Statements of one meeting are chained: each carries the SHA-256 of the one before, so that none can be taken
away or
slipped in. Every document is named with its SHA-256 and its size, every recipient with channel and address.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785

FORMAT = "parvis-preuve-seance-1"
PARIS = ZoneInfo("Europe/Paris")
KINDS = ("envoi", "renvoi", "lecture", "modification", "pouvoir", "rectificatif", "annulation")


@dataclass(frozen=True, slots=True)
class Meeting:
    """The meeting the statement is about."""

    identifiant: str
    collectivite: str
    siren: str
    organe: str
    debut: datetime
    lieu: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person the sending is addressed to, or who reads it."""

    identifiant: str
    nom: str
    canal: str
    adresse: str


@dataclass(frozen=True, slots=True)
class SentDocument:
    """A document of the sending: size in bytes, SHA-256 in hexadecimal."""

    role: str
    nom: str
    taille: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What is asserted; `previous` is the SHA-256 of the preceding statement of the meeting, empty for the
    first."""

    kind: str
    rank: int
    meeting: Meeting
    recipients: Sequence[Recipient]
    documents: Sequence[SentDocument]
    agenda: Sequence[str]
    made_at: datetime
    previous: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of statement: {self.kind}")
        if self.made_at.tzinfo is None or self.meeting.debut.tzinfo is None:
            raise ValueError("a statement needs instants with their offset")


def write_statement(statement: Statement) -> bytes:
    """Return the canonical bytes of a statement: sorted keys, no spaces, UTF-8, Paris time with its
    offset."""
    meeting = asdict(statement.meeting) | {"debut": _instant(statement.meeting.debut)}
    return rfc8785.dumps(
        {
            "format": FORMAT,
            "nature": statement.kind,
            "rang": statement.rank,
            "seance": meeting,
            "destinataires": [asdict(recipient) for recipient in statement.recipients],
            "documents": [asdict(document) for document in statement.documents],
            "ordre_du_jour": list(statement.agenda),
            "etabli_le": _instant(statement.made_at),
            "preuve_precedente": statement.previous or None,
            "motif": statement.reason or None,
        }
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 of a statement's bytes, which the next statement repeats."""
    return hashlib.sha256(content).hexdigest()


def broken_link(statements: Sequence[bytes]) -> int | None:
    """Return the rank (from 1) of the first statement that does not follow the one before, None when all
    do."""
    previous = None
    for rank, content in enumerate(statements, start=1):
        read: dict[str, Any] = json.loads(content)
        if read.get("rang") != rank or read.get("preuve_precedente") != previous:
            return rank
        previous = digest(content)
    return None


def _instant(moment: datetime) -> str:
    return moment.astimezone(PARIS).isoformat(timespec="seconds")
