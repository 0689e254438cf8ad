"""Recording events: in the caller's transaction, in one gap-free chain per organisation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from parvis.core import clock
from parvis.core.ids import uuid7
from parvis.core.journal.canonical import NO_PREVIOUS, sha256_hex
from parvis.core.journal.merkle import leaf_hash
from parvis.core.journal.models import Entry, Head
from parvis.core.organisations.models import Organisation


@dataclass(frozen=True)
class Actor:
    """Who acts: an ``account``, a ``job``, the ``system`` or somebody ``anonymous``; never a name."""

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


def record(
    organisation: Organisation,
    action: str,
    *,
    subject: tuple[str, str | int | UUID],
    actor: Actor | None = None,
    sha256: str = "",
    details: Mapping[str, Any] | None = None,
) -> Entry:
    """Append one event to the organisation's journal, in the caller's transaction.

    ``action`` is a registered code, ``subject`` (kind, identifier), ``sha256`` the digest of what was acted on;
    ``details`` holds identifiers, dates and counts as JSON values, and no personal data.
    """
    return record_many(organisation, [Event(action, subject, actor, sha256, details or {})])[0]


def record_many(organisation: Organisation, events: Iterable[Event]) -> list[Entry]:
    """Append several events at once, in order; they share one instant."""
    with transaction.atomic():
        head = locked_head(organisation)
        now = clock.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        seq, prev, entries = head.seq, head.prev, []
        for event in events:
            seq += 1
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
        if entries:
            Entry.objects.bulk_create(entries, batch_size=1000)
            Head.objects.filter(pk=head.pk).update(seq=seq, prev=prev)
        return entries


def locked_head(organisation: Organisation) -> Head:
    """The end of the chain, locked until the caller's transaction ends: commits keep the order of numbers."""
    heads = Head.objects.select_for_update().filter(organisation=organisation)
    head = heads.first()
    if head is None:
        Head.objects.bulk_create([Head(organisation=organisation, prev=NO_PREVIOUS)], ignore_conflicts=True)
        head = heads.get()
    return head
