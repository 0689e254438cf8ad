"""Evidence of what was sent and read: canonical statements, chained per meeting, time-stamped (RFC 3161)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes, store
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route
from parvis.core.routing.services import attach, lock_route
from parvis.core.trust.timestamps import TimestampUnavailable, Token, TokenReport, request_token, verify_token
from parvis.edemat.seances.formats.preuve import (
    Meeting,
    Recipient,
    SentDocument,
    Statement,
    broken_link,
    write_statement,
)
from parvis.edemat.seances.models import Convocation, Deliberation, Preuve, Seance
from parvis.edemat.seances.services.agenda import lock_seance
from parvis.edemat.seances.tasks import stamp_statement

logger = logging.getLogger(__name__)
MAX_STATEMENT = 4 * 1024 * 1024


def recipient_of(convocation: Convocation) -> Recipient:
    return Recipient(
        identifiant=str(convocation.elu_id),
        nom=convocation.name,
        canal=convocation.channel,
        adresse=convocation.address,
    )


def sent_document(document: Document, role: str) -> SentDocument:
    return SentDocument(role=role, nom=document.filename, taille=document.size, sha256=document.sha256)


def state_evidence(
    seance: Seance,
    kind: Preuve.Kind,
    *,
    recipients: Sequence[Convocation],
    documents: Sequence[SentDocument],
    actor: Actor,
    convocation: Convocation | None = None,
    reason: str = "",
) -> Preuve:
    """Write the next statement of a meeting, whose row the caller has locked. It is not yet time-stamped."""
    last = seance.preuves.select_related("statement").order_by("-rank").first()
    rank = last.rank + 1 if last else 1
    now = clock.now()
    content = write_statement(
        Statement(
            kind=kind.value,
            rank=rank,
            meeting=Meeting(
                identifiant=str(seance.pk),
                collectivite=seance.organisation.name,
                siren=seance.organisation.siren,
                organe=seance.organe.name,
                debut=seance.starts_at,
                lieu=seance.place,
            ),
            recipients=[recipient_of(one) for one in recipients],
            documents=documents,
            agenda=[str(point) for point in seance.points.order_by("rank")],
            made_at=now,
            previous=last.statement.sha256 if last else "",
            reason=reason,
        )
    )
    document = store(
        seance.organisation,
        content,
        f"preuve-{seance.day:%Y%m%d}-{rank:03d}-{kind.value}.json",
        label=f"Preuve : {kind.label.lower()}",
    )
    preuve = Preuve.objects.create(
        organisation=seance.organisation,
        seance=seance,
        rank=rank,
        kind=kind,
        convocation=convocation,
        statement=document,
        made_at=now,
    )
    record(
        seance.organisation,
        "seances.preuve_etablie",
        subject=("seance", seance.pk),
        actor=actor,
        sha256=document.sha256,
        details={"kind": kind.value, "rank": rank},
    )
    return preuve


def stamp(organisation_id: int, preuve_id: UUID | str) -> bool:
    """Time-stamp a statement; False when no authority answered, which loses nothing. Harmless when
    repeated.

    It opens its own transactions: the authority is waited for between the two, while nothing is locked.
    """
    with acting_for(organisation_id):
        preuve = Preuve.objects.select_related("statement").get(pk=preuve_id)
        if preuve.token_id:
            return True
        content = read_bytes(preuve.statement, limit=MAX_STATEMENT)
    try:
        token = request_token(content)
    except TimestampUnavailable as error:
        logger.warning("time-stamp of statement %s deferred: %s", preuve_id, error.data)
        return False
    with acting_for(organisation_id):
        _keep_token(preuve, token)
    return True


def _keep_token(preuve: Preuve, token: Token) -> None:
    """Keep a token beside its statement, unless another came first, and on the routes that left without it."""
    lock_seance(preuve.seance)  # so that no deliberation leaves between its routes being read and the commit
    preuve = Preuve.objects.select_for_update(of=("self",), no_key=True).select_related("statement").get(pk=preuve.pk)
    if preuve.token_id:
        return
    routes = _lock_open_routes(preuve) if preuve.kind == Preuve.Kind.ENVOI else []
    preuve.token = store(
        preuve.organisation,
        token.response,
        preuve.statement.filename.removesuffix(".json") + ".tsr",
        source=preuve.statement,
        derivation="horodatage",
        label=f"Jeton d’horodatage : {preuve.get_kind_display().lower()}",
    )
    preuve.stamped_at, preuve.serial, preuve.authority = token.gen_time, str(token.serial), token.authority
    preuve.save(update_fields=["token", "stamped_at", "serial", "authority"])
    for route in routes:
        attach(route, "convocation_jeton", preuve.token, "Jeton d’horodatage de la convocation")
    record(
        preuve.organisation,
        "seances.preuve_horodatee",
        subject=("seance", preuve.seance_id),
        actor=Actor("system", "horodatage"),
        sha256=preuve.token.sha256,
        details={"rank": preuve.rank},
    )


def ask_token(preuve: Preuve) -> None:
    """Have a job time-stamp the statement: the authority is never waited for inside the caller's transaction."""
    stamp_statement.enqueue(preuve.organisation, preuve_id=str(preuve.pk))


def ask_missing_tokens(seance: Seance) -> int:
    """Ask again, at once, for the tokens that a meeting still lacks; return how many."""
    waiting = list(seance.preuves.filter(token__isnull=True).order_by("rank"))
    for preuve in waiting:
        ask_token(preuve)
    return len(waiting)


def _lock_open_routes(preuve: Preuve) -> list[Route]:
    """The routes of the deliberations that left without the token, which a token that comes late joins."""
    left = Deliberation.objects.filter(point__seance=preuve.seance_id, route__isnull=False)
    return [lock_route(pk) for pk in sorted(left.values_list("route_id", flat=True))]


@dataclass(frozen=True, slots=True)
class ReadEvidence:
    """A statement with the verification of its token, as the page of evidence shows it."""

    preuve: Preuve
    report: TokenReport | None
    text: str

    @property
    def deferred(self) -> bool:
        return self.report is None


def read_evidence(seance: Seance) -> tuple[list[ReadEvidence], int | None]:
    """Return the statements of a meeting with their tokens verified, and the rank of a broken link (None:
    intact)."""
    found, contents = [], []
    for preuve in seance.preuves.select_related("statement", "token").order_by("rank"):
        content = read_bytes(preuve.statement, limit=MAX_STATEMENT)
        report = None
        if preuve.token:
            report = verify_token(read_bytes(preuve.token, limit=MAX_STATEMENT), content)
        contents.append(content)
        found.append(ReadEvidence(preuve, report, content.decode()))
    return found, broken_link(contents)
