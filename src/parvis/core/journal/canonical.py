"""The bytes that the journal hashes: canonical JSON of RFC 8785, one form for one value."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from parvis.core.errors import DomainError

VERSION = 1
NO_PREVIOUS = "0" * 64
MAX_ENTRY = 16 * 1024


class EntryNotRecordable(DomainError):
    """What was given cannot be written as canonical JSON, or is too long for a journal."""


def canonical(value: Any) -> bytes:
    """RFC 8785 form of a JSON value; raises EntryNotRecordable for what JSON does not hold."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise EntryNotRecordable(
            "L’événement contient une valeur que le journal ne sait pas écrire.", cause=str(error)
        ) from error


def milliseconds(instant: datetime) -> str:
    """``instant`` in UTC with milliseconds: 2019-07-01T16:30:00.000Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entry_bytes(
    *,
    organisation: str,
    seq: int,
    ts: datetime,
    action: str,
    actor: tuple[str, str],
    subject: tuple[str, str],
    sha256: str,
    details: Mapping[str, Any],
    prev: str,
) -> bytes:
    """Canonical bytes of one entry.

    ``organisation`` is a SIREN, ``seq`` counts from 1 without gap, ``actor`` and ``subject`` are (kind,
    identifier), ``sha256`` is the digest of what the event acted on (or empty) and ``prev`` the SHA-256 of
    the previous entry's bytes, in hexadecimal.
    """
    content = canonical(
        {
            "v": VERSION,
            "organisation": organisation,
            "seq": seq,
            "ts": milliseconds(ts),
            "action": action,
            "actor": {"kind": actor[0], "id": actor[1]},
            "subject": {"kind": subject[0], "id": subject[1]},
            "sha256": sha256,
            "details": dict(details),
            "prev": prev,
        }
    )
    if len(content) > MAX_ENTRY:
        raise EntryNotRecordable(
            "L’événement est trop long pour le journal, qui ne garde que des identifiants et des empreintes.",
            size=len(content),
        )
    return content


def sha256_hex(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
