"""Recording events: in the caller's transaction, in one gap-free chain per organisation."""

import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from parvis.core import clock
from parvis.core.ids import uuid7
from parvis.core.journal.canonical import NO_PREVIOUS, sha256_hex
from parvis.core.journal.merkle import leaf_hash
from parvis.core.journal.models import Entry, Head
from parvis.core.organisations.models import Organisation


@dataclass(frozen=True)
class Actor:
    """Who acts: an ``account``, an ``api`` account, a ``job``, the ``system``, somebody ``anonymous``; no name."""

    kind: str
    id: str = ""


SYSTEM = Actor("system")


@dataclass(frozen=True)
class Event:
    """What ``record`` writes: see there."""

    action: str
    subject: tuple[str, str | int | UUID]
    actor: Actor | None = None
    sha256: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class ChainEnd(NamedTuple):
    """Number and digest of the last entry of a chain, and the row that holds them."""

    pk: UUID
    seq: int
    prev: str


_LOCK = "SELECT id, seq, prev FROM journal_head WHERE organisation_id = %s FOR UPDATE"


def record(
    organisation: Organisation,
    action: str,
    *,
    subject: tuple[str, str | int | UUID],
    actor: Actor | None = None,
    sha256: str = "",
    details: Mapping[str, Any] | None = None,
    head: ChainEnd | None = None,
) -> Entry:
    """Append one event to the organisation's journal, in the caller's transaction.

    ``action`` is a registered code, ``subject`` (kind, identifier), ``sha256`` the digest of what was acted
    on; ``details`` holds identifiers, dates and counts as JSON values, and no personal data. ``head`` spares
    whoever took ``locked_head`` from asking for it again; nothing was recorded since.
    """
    return record_many(organisation, [Event(action, subject, actor, sha256, details or {})], head)[0]


# The new end of the chain and its entries in one statement: a record costs two round trips, lock included.
_APPEND = """
WITH head AS (UPDATE journal_head SET seq = %(last)s, prev = %(end)s WHERE id = %(head)s)
INSERT INTO journal_entry (
    organisation_id, ts, id, seq, action, actor_kind, actor_id,
    subject_kind, subject_id, sha256, details, prev, leaf
)
SELECT %(organisation)s, %(ts)s, * FROM unnest(
    %(id)s::uuid[], %(seq)s::bigint[], %(action)s::text[], %(actor_kind)s::text[], %(actor_id)s::text[],
    %(subject_kind)s::text[], %(subject_id)s::text[], %(sha256)s::text[], %(details)s::jsonb[],
    %(prev)s::text[], %(leaf)s::bytea[]
)
"""
_COLUMNS = (
    "id", "seq", "action", "actor_kind", "actor_id", "subject_kind", "subject_id", "sha256", "prev", "leaf",
)  # fmt: skip


def record_many(organisation: Organisation, events: Iterable[Event], head: ChainEnd | None = None) -> list[Entry]:
    """Append several events at once, in order; they share one instant."""
    # Inside the caller's transaction no savepoint is needed: what can fail fails before anything is written.
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        head = head or locked_head(organisation)
        entries, end = _chained(organisation, events, head)
        if entries:
            _append(head, entries, end)
        return entries


def _chained(organisation: Organisation, events: Iterable[Event], head: ChainEnd) -> tuple[list[Entry], str]:
    """Entries that follow ``head``, unsaved, and the digest of the last one."""
    now = clock.now()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    prev, entries = head.prev, []
    for seq, event in enumerate(events, start=head.seq + 1):
        actor = event.actor or SYSTEM
        entry = Entry(
            id=uuid7(),
            organisation=organisation,
            seq=seq,
            ts=now,
            action=event.action,
            actor_kind=actor.kind,
            actor_id=actor.id,
            subject_kind=event.subject[0],
            subject_id=str(event.subject[1]),
            sha256=event.sha256,
            details=dict(event.details),
            prev=prev,
        )
        content = entry.canonical()
        entry.leaf = leaf_hash(content)
        prev = sha256_hex(content)
        entries.append(entry)
    return entries, prev


def _append(head: ChainEnd, entries: list[Entry], end: str) -> None:
    last = entries[-1]
    values: dict[str, Any] = {name: [getattr(entry, name) for entry in entries] for name in _COLUMNS}
    values["details"] = [json.dumps(entry.details) for entry in entries]
    values |= {"head": head.pk, "last": last.seq, "end": end}
    values |= {"organisation": last.organisation_id, "ts": last.ts}
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, values)
    for entry in entries:
        entry._state.adding, entry._state.db = False, connection.alias


def locked_head(organisation: Organisation) -> ChainEnd:
    """The end of the chain, locked until the caller's transaction ends: commits keep the order of numbers."""
    with connection.cursor() as cursor:
        row = cursor.execute(_LOCK, [organisation.pk]).fetchone()
        if row is None:
            fresh = Head(organisation=organisation, prev=NO_PREVIOUS)
            Head.objects.bulk_create([fresh], ignore_conflicts=True)
            row = cursor.execute(_LOCK, [organisation.pk]).fetchone()
    return ChainEnd(*row)
