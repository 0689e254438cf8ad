"""Sealing: a checkpoint of the tree, chained to the previous ones and dated by an RFC 3161 token.

Every organisation is sealed at least once a day, on a quiet day too, and on demand before a proof. The token
is asked for outside any lock; if no authority answers, nothing is written and the job tries again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.journal.canonical import VERSION, canonical, milliseconds, sha256_hex
from parvis.core.journal.merkle import inclusion_path, root_at
from parvis.core.journal.models import Entry, Seal
from parvis.core.journal.services import SYSTEM, Actor, locked_head, record
from parvis.core.journal.tree import StoredTree, integrate, size_of
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for


class JournalRewritten(DomainError):
    """The tree no longer holds what an earlier seal counted: the database was altered from outside."""


class NotSealedYet(DomainError):
    """The event is more recent than the last seal."""


@dataclass(frozen=True)
class _Checkpoint:
    number: int
    sealed_at: datetime
    tree_size: int
    root: str
    previous: Seal | None
    content: bytes


def seal_day(organisation: Organisation, *, actor: Actor | None = None) -> Seal:
    """Seal everything committed so far; returns the new seal.

    Raises TimestampUnavailable (core.trust) when no authority answers and JournalRewritten when the tree
    contradicts the previous seal. When another process seals meanwhile, its seal is returned.
    """
    from parvis.core.trust.timestamps import request_token  # loads pyHanko, which most requests never need

    with acting_for(organisation):
        integrate(organisation)
        checkpoint = _prepare(organisation)
    token = request_token(checkpoint.content)
    with acting_for(organisation):
        locked_head(organisation)
        last = latest_seal(organisation)
        if last is not None and last.number >= checkpoint.number:
            return last
        seal = Seal.objects.create(
            organisation=organisation,
            number=checkpoint.number,
            sealed_at=checkpoint.sealed_at,
            tree_size=checkpoint.tree_size,
            root=checkpoint.root,
            checkpoint=checkpoint.content,
            checkpoint_sha256=sha256_hex(checkpoint.content),
            previous=checkpoint.previous,
            token=token.der,
            token_response=token.response,
            token_time=token.gen_time,
            authority=token.authority[:200],
        )
        record(
            organisation,
            "journal.scelle",
            subject=("seal", seal.pk),
            actor=actor or SYSTEM,
            sha256=seal.checkpoint_sha256,
            details={"number": seal.number, "tree_size": seal.tree_size},
        )
        return seal


def _prepare(organisation: Organisation) -> _Checkpoint:
    tree, size, now = StoredTree(organisation), size_of(organisation), clock.now()
    previous = latest_seal(organisation)
    if previous is not None and (previous.tree_size > size or root_at(previous.tree_size, tree).hex() != previous.root):
        raise JournalRewritten(
            f"Le journal ne contient plus ce que le scellement n° {previous.number} a figé : "
            "il a été modifié hors de l’application. Rien n’a été scellé : prévenez l’administration.",
            organisation=organisation.pk,
            seal=previous.number,
        )
    number, root = (previous.number + 1 if previous else 1), root_at(size, tree).hex()
    content = canonical(
        {
            "v": VERSION,
            "organisation": organisation.siren,
            "number": number,
            "sealed_at": milliseconds(now),
            "tree_size": size,
            "root": root,
            "previous_sha256": previous.checkpoint_sha256 if previous else "",
            "month_ago_sha256": _digest_before(organisation, now - timedelta(days=30)),
            "year_ago_sha256": _digest_before(organisation, now - timedelta(days=365)),
        }
    )
    return _Checkpoint(number, now, size, root, previous, content)


def _digest_before(organisation: Organisation, instant: datetime) -> str:
    earlier = Seal.objects.filter(organisation=organisation, sealed_at__lte=instant).order_by("-number")
    return earlier.values_list("checkpoint_sha256", flat=True).first() or ""


def latest_seal(organisation: Organisation) -> Seal | None:
    """The most recent seal."""
    return Seal.objects.filter(organisation=organisation).order_by("-number").first()


def seal_of(entry: Entry) -> Seal | None:
    """The first seal that counts ``entry``, or None."""
    covering = Seal.objects.filter(organisation_id=entry.organisation_id, tree_size__gte=entry.seq)
    return covering.order_by("number").first()


def inclusion_proof(entry: Entry) -> dict[str, Any]:
    """Proof that ``entry`` stands in the journal as sealed, as JSON values; ``verifier`` checks it.

    ``entry`` and ``checkpoint`` are canonical JSON texts, hashes are hexadecimal, ``token`` is the RFC 3161
    response in hexadecimal. Raises NotSealedYet.
    """
    seal = seal_of(entry)
    if seal is None:
        raise NotSealedYet(
            "Cette écriture n’est pas encore scellée : sa preuve sera disponible au prochain scellement."
        )
    index, size = entry.seq - 1, seal.tree_size
    path = inclusion_path(index, size, StoredTree(entry.organisation).read_around(index, size))
    return {
        "v": VERSION,
        "entry": entry.canonical().decode(),
        "leaf_index": index,
        "tree_size": size,
        "path": [node.hex() for node in path],
        "seal_number": seal.number,
        "checkpoint": bytes(seal.checkpoint).decode(),
        "token": bytes(seal.token_response).hex(),
        "token_time": milliseconds(seal.token_time),
        "authority": seal.authority,
    }
