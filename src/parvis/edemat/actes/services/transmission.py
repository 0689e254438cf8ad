"""Transmitting an act to the State: request, archive, sending, and what is known of its outcome.

Sending is irreversible, so it is done in three commits: « envoi en cours », the POST outside any
transaction and under the envelope's mutex, then the outcome. A process that dies between them leaves « en
cours » behind; the next one finds the mutex free and marks the sending uncertain instead of repeating it.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from typing import BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.module_loading import import_string

from parvis.core import clock
from parvis.core.documents.identification import GZIP, XML
from parvis.core.documents.models import Document
from parvis.core.documents.services import kept, open_document
from parvis.core.errors import DomainError
from parvis.core.ids import uuid7
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import Remedy
from parvis.core.routing.services import attach, close_tasks, complete_step, fail_step, open_task, retry_step
from parvis.edemat.actes.enums import ANSWERS, LETTER_RECEIPTS, Delivery, Status, TransactionKind
from parvis.edemat.actes.formats.archives import Member, write_archive
from parvis.edemat.actes.formats.checks import BLOCKING, Finding, audit_archive, refusals
from parvis.edemat.actes.formats.emitters import Emitter
from parvis.edemat.actes.formats.matieres import Matiere
from parvis.edemat.actes.formats.names import (
    MAX_SERIAL,
    EnvelopeName,
    SerialExhausted,
    classification_request_name,
    message_name,
    piece_name,
)
from parvis.edemat.actes.formats.numbers import ActeNumber
from parvis.edemat.actes.formats.outbound import (
    ActeMessage,
    build_acte,
    build_cancellation,
    build_classification_request,
    build_envelope,
    build_letter_answer,
)
from parvis.edemat.actes.lifecycle import begin, move, write_event
from parvis.edemat.actes.locking import lock_acte, lock_numbers, lock_transaction
from parvis.edemat.actes.models import Acte, ActePiece, DailySerial, Transaction
from parvis.edemat.actes.schemas import judge_outgoing, schema_path
from parvis.edemat.actes.services import classification
from parvis.edemat.actes.services.preparation import (
    CHECKED,
    classification_date,
    emitter_of,
    examine,
    extension_of,
    files_of,
    identifier_of,
    piece_file,
    settings_of,
)
from parvis.edemat.actes.transports.base import Answer, Outcome, Transport

log = logging.getLogger(__name__)
SENDER = Actor("job", "actes.envoi")
BUILT = ("checks", "regulatory_name", "classification_version")  # what the building writes of the act
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=30)
SILENCE = timedelta(hours=4)
SUSPENDED = (
    "La télétransmission est suspendue : l’envoi attend qu’elle reprenne. D’ici là, écrivez à la préfecture sur papier."
)

register_action("actes.envoi_commence", "Envoi à la préfecture commencé")
register_action("actes.envoi_reporte", "Envoi reporté, ministère injoignable")
register_action("actes.envoi_incertain", "Envoi incertain")
register_action("actes.envoi_leve", "Incertitude de l’envoi levée")
register_action("actes.envoi_suspendu", "Envoi retenu, télétransmission suspendue")
register_action("actes.numeros_epuises", "Numéros d’enveloppe du jour épuisés")


class NotTransmissible(DomainError):
    """Something forbids the sending; ``findings`` lists every reason."""

    def __init__(self, sentence: str, findings: list[Finding]) -> None:
        super().__init__(sentence, findings=[finding.code for finding in findings])
        self.findings = findings


def path_of(acte: Acte) -> str:
    """Address of the act's page, for the tasks of the inbox."""
    return reverse("actes:detail", kwargs={"organisation_slug": acte.organisation.slug, "pk": acte.pk})


# --- 1. a person asks -----------------------------------------------------------------------------
def transmettre(acte: Acte, *, actor: Actor) -> Transaction:
    """Ask for the transmission of ``acte``, in the caller's transaction: checks, transaction « posté », archive job.

    Asking again while it is under way returns the transaction under way. Raises ``NotTransmissible``.
    """
    from parvis.edemat.actes import tasks

    acte = lock_acte(acte)
    if acte.status not in (Status.A_POSTER, Status.ERREUR):
        under_way = acte.transaction
        if under_way is None:
            raise NotTransmissible("L’acte attend encore d’être signé.", [])
        return under_way
    if acte.status == Status.ERREUR:
        lock_numbers(acte.organisation)
    chosen = settings_of(acte.organisation)
    refused = refusals(examine(acte, chosen))
    if refused:
        raise NotTransmissible(" ".join(finding.sentence for finding in refused), refused)
    resumed = Transaction.objects.create(
        organisation=acte.organisation,
        acte=acte,
        kind=TransactionKind.ACTE,
        status=Status.POSTE,
        delivery=Delivery.A_CONSTRUIRE,
        test=chosen.test,
        created_at=clock.now(),
    )
    acte.status, acte.unique_id = Status.POSTE, str(identifier_of(acte))
    acte.sent_at = acte.received_on = None
    acte.save(update_fields=["status", "unique_id", "sent_at", "received_on", *CHECKED])
    begin(resumed, "Transmission demandée.", actor=actor)
    close_tasks(acte.organisation, subject=("acte", acte.pk))
    failed = route_steps(acte).filter(state=RouteStep.State.FAILED).first()
    if failed:
        retry_step(failed, actor=actor)
        close_tasks(acte.organisation, subject=("acte", acte.pk))
    tasks.build_archive.enqueue(acte.organisation, transaction_id=str(resumed.pk))
    return resumed


def route_steps(acte: Acte) -> QuerySet[RouteStep]:
    """The two steps of this service on the act's route; none when it has no route."""
    if acte.route_id is None:
        return RouteStep.objects.none()
    ours = RouteStep.objects.filter(route_id=acte.route_id, code__in=["actes.transmission", "actes.acquittement"])
    return ours.select_related("route", "organisation").order_by("rank")


def complete(acte: Acte, code: str, summary: str, facts: dict, *, actor: Actor) -> None:
    """Complete the step ``code`` of the act's route, if it has one."""
    step = route_steps(acte).filter(code=code).first()
    if step:
        complete_step(step, summary=summary, facts=facts, actor=actor)


# --- 2. a job builds the archive ------------------------------------------------------------------
def next_serial(organisation: Organisation, day: date) -> int:
    """The next envelope number of the day, 1 to 9 999, never given twice. Raises ``SerialExhausted``."""
    # One statement, so that two envelopes asked for at once cannot read the same number.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO actes_dailyserial AS serial (id, organisation_id, day, last) VALUES (%s, %s, %s, 1)"
            " ON CONFLICT (organisation_id, day) DO UPDATE SET last = serial.last + 1 WHERE serial.last < %s"
            " RETURNING last",
            [uuid7(), organisation.pk, day, MAX_SERIAL],
        )
        row = cursor.fetchone()
    if row is None:
        raise SerialExhausted(
            f"Les {MAX_SERIAL} enveloppes permises par jour sont épuisées pour le {day:%d/%m/%Y} : "
            "l’acte partira demain."
        )
    return int(row[0])


def build_archive(transaction_id: UUID | str) -> None:
    """Build, check and store the archive of a requested transmission, in the caller's database transaction.

    Doing it again changes nothing. An archive that breaks a rule puts the transaction in error with the
    reason; when the day's numbers are used up the transaction waits for the next day.
    """
    from parvis.edemat.actes import tasks

    subject = lock_transaction(transaction_id)
    if subject.delivery != Delivery.A_CONSTRUIRE or subject.status != Status.POSTE:
        return
    try:
        with transaction.atomic():
            _build(subject)
    except SerialExhausted as refusal:
        _hold_back(lock_transaction(transaction_id), refusal.sentence, "actes.numeros_epuises")
        return
    except DomainError as refusal:
        refuse(lock_transaction(transaction_id), f"Enveloppe invalide : {refusal.sentence}", actor=SENDER)
        return
    subject.delivery = Delivery.PRETE
    move(
        subject,
        Status.EN_ATTENTE,
        "Enveloppe contrôlée, en attente de transmission.",
        actor=SENDER,
        document=subject.archive,
        of_the_act=BUILT if subject.acte else (),
    )
    tasks.send_archive.enqueue(subject.organisation, transaction_id=str(subject.pk))


def _build(subject: Transaction) -> None:
    organisation, today = subject.organisation, clock.today()
    emitter = emitter_of(organisation, settings_of(organisation))
    envelope = EnvelopeName(organisation.siren, today, next_serial(organisation, today), subject.test)
    with ExitStack() as opened, tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as target:
        name, xml, files = _message(subject, opened)
        wrapping = build_envelope(emitter, (name,))
        _judge(subject, {str(envelope): wrapping, name: xml}, [file.name for file in files], emitter)
        members = [Member.of(str(envelope), wrapping), Member.of(name, xml), *files]
        midnight = datetime(today.year, today.month, today.day, tzinfo=clock.PARIS)
        write_archive(target, members, mtime=int(midnight.timestamp()))  # type: ignore[arg-type]
        target.seek(0)
        archive_name = envelope.archive(settings.PARVIS_ACTES_TRIGRAMME)
        packed = cast(BinaryIO, target)
        subject.archive = kept(organisation, packed, archive_name, label="Archive transmise", written_here=GZIP)
    subject.message = kept(organisation, xml, name, label="Message métier de l’acte", written_here=XML)
    Document.objects.bulk_create([subject.archive, subject.message])
    subject.envelope_day, subject.serial = today, envelope.serial
    subject.envelope_name, subject.archive_name, subject.message_name = str(envelope), archive_name, name
    if subject.acte and subject.acte.route and subject.kind == TransactionKind.ACTE:
        attach(subject.acte.route, "enveloppe", subject.archive, "Archive transmise à la préfecture")
        attach(subject.acte.route, "acte_xml", subject.message, "Message métier de l’acte")


def _message(subject: Transaction, opened: ExitStack) -> tuple[str, bytes, list[Member]]:
    """Name and content of the business message that ``subject`` sends, and the files that go with it."""
    if subject.kind == TransactionKind.ACTE:
        return _acte_message(subject, opened)
    organisation = subject.organisation
    if subject.kind == TransactionKind.DEMANDE_CLASSIFICATION:
        name = classification_request_name(organisation.departement, organisation.siren)
        return name, build_classification_request(classification_date(organisation)), []
    assert subject.acte is not None
    identifier = identifier_of(subject.acte)
    if subject.kind == TransactionKind.ANNULATION:
        return message_name(identifier, subject.kind), build_cancellation(str(identifier)), []
    letter, files = subject.related, []
    assert letter is not None  # only an answer and a receipt are left
    for piece in subject.pieces.select_related("document__organisation").order_by("rank"):
        described = piece_file(piece.rank, piece.code_pj, piece.posted_filename, piece.document)
        named = piece_name(identifier, piece.code_pj, piece.rank, extension_of(described), subject.kind)
        files.append(Member(named, piece.document.size, opened.enter_context(open_document(piece.document))))
    xml = build_letter_answer(subject.kind, str(identifier), written_on(letter), tuple(file.name for file in files))
    return message_name(identifier, subject.kind), xml, files


def written_on(letter: Transaction) -> date:
    """The date of a letter of the préfecture, as our answers recall it and their receipts repeat it."""
    return letter.letter_date or letter.received_on or clock.today()


def _acte_message(subject: Transaction, opened: ExitStack) -> tuple[str, bytes, list[Member]]:
    acte = subject.acte
    assert acte is not None
    identifier, version = identifier_of(acte), classification_date(acte.organisation)
    if version is None:
        raise DomainError("La préfecture n’a pas encore donné sa classification à cette collectivité.")
    members = []
    for file, document in files_of(acte):
        content = opened.enter_context(open_document(document))
        members.append(Member(piece_name(identifier, file.code, file.rank, extension_of(file)), document.size, content))
    acte.regulatory_name, acte.classification_version = members[0].name, version
    for rank, member in enumerate(members[1:], start=2):
        ActePiece.objects.filter(acte=acte, rank=rank).update(regulatory_name=member.name)
    message = ActeMessage(
        numero=ActeNumber(acte.numero_actes),
        nature=acte.nature,
        objet=acte.objet,
        decision_date=acte.decision_date,
        matiere=Matiere.parse(acte.matiere),
        classification_version=version,
        document=members[0].name,
        annexes=tuple(member.name for member in members[1:]),
        paper=acte.document_papier,
    )
    return message_name(identifier), build_acte(message), members


def _judge(subject: Transaction, documents: dict[str, bytes], files: list[str], emitter: Emitter) -> None:
    """Schema and archive rules on what was built. Raises ``NotTransmissible`` with every breach."""
    if not settings.DEMO and schema_path() is None:
        raise NotTransmissible(
            "Le schéma officiel ACTES n’est pas installé : sans lui, rien ne part vers l’État. "
            "L’administrateur de la plateforme doit déposer le jeu de schémas.", [],
        )  # fmt: skip
    findings = [judge_outgoing(name, xml) for name, xml in documents.items()]
    findings += audit_archive({**documents, **dict.fromkeys(files)}, emitter)
    refused = [finding for finding in findings if not finding.ok and finding.severity == BLOCKING]
    if refused:
        raise NotTransmissible(" ".join(finding.sentence for finding in refused), refused)
    if subject.acte and subject.kind == TransactionKind.ACTE:
        kept = [c for c in subject.acte.checks if c["code"] != "schema"]
        subject.acte.checks = kept + [finding.to_dict() for finding in findings if finding.code == "schema"]


def _hold_back(subject: Transaction, sentence: str, action: str) -> None:
    """Say once why the sending waits: on the page, in the journal, and to whoever transmits."""
    if subject.delivery_message == sentence:
        return
    subject.delivery_message = sentence
    subject.save(update_fields=["delivery_message"])
    write_event(subject, sentence, actor=SENDER)
    record(subject.organisation, action, subject=("transaction_actes", subject.pk), actor=SENDER)
    if subject.acte:
        _ask_to_follow(subject.acte, sentence)


def _ask_to_follow(acte: Acte, sentence: str) -> None:
    """Put the act in the inbox of whoever transmits, with what is unusual about it; closed by the AR."""
    open_task(
        acte.organisation,
        service="actes",
        verb="Suivre",
        title=acte.objet,
        summary=sentence,
        permission="actes.transmettre",
        path=path_of(acte),
        subject=("acte", acte.pk),
    )


def refuse(subject: Transaction, reason: str, *, actor: Actor, document: Document | None = None) -> None:
    """Put a transmission in error: history, route step failed, task for whoever may correct and send
    again."""
    if subject.delivery != Delivery.ACCEPTEE:
        subject.delivery = Delivery.ABANDONNEE
    move(subject, Status.ERREUR, reason, actor=actor, document=document)
    acte = subject.acte
    if acte is None:
        return
    if subject.kind != TransactionKind.ACTE:
        _ask_to_follow(acte, f"{subject.get_kind_display()} : {reason}")
        return
    step = route_steps(acte).filter(state=RouteStep.State.CURRENT).first()
    if step:
        fail_step(step, reason=reason, actor=actor)
    else:
        open_task(acte.organisation, summary=reason, **vars(to_correct(acte)))


def to_correct(acte: Acte) -> Remedy:
    """What an act that did not pass asks for: it is corrected and sent again from its own page."""
    return Remedy(
        service="actes",
        verb="Corriger",
        title=acte.objet,
        permission="actes.transmettre",
        path=path_of(acte),
        subject=("acte", acte.pk),
    )


# --- 3. a job sends it, once ----------------------------------------------------------------------
@contextmanager
def envelope_mutex(transaction_id: UUID | str) -> Iterator[bool]:
    """True when this process alone holds the right to send this envelope; released even if the process dies.

    A session-level advisory lock: it outlives transactions, so that nothing stays open during the POST.
    """
    key = UUID(str(transaction_id)).int & 0x7FFF_FFFF_FFFF_FFFF
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def transport() -> Transport:
    """The transport named in the settings: the ministry's by default."""
    path = getattr(settings, "PARVIS_ACTES_TRANSPORT", "parvis.edemat.actes.transports.ministry.MinistryTransport")
    return import_string(path)()


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many attempts: doubling from 30 seconds to 30 minutes."""
    return min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)


def send_archive(organisation: Organisation | int, transaction_id: UUID | str) -> None:
    """Send a ready archive, once. Opens its own transactions: must not be called inside one in production.

    Nothing happens when it is already sent, being sent by another process, or waiting for its next attempt.
    """
    with envelope_mutex(transaction_id) as held:
        if not held:
            return
        with acting_for(organisation):
            if not _start_attempt(transaction_id):
                return
        with acting_for(organisation):
            subject = Transaction.objects.select_related("archive__organisation").get(pk=transaction_id)
            packed = subject.archive
            assert packed is not None  # an attempt starts only once the archive is built
            archive = open_document(packed)
        with archive:
            answer = transport().send(subject.archive_name, archive, packed.size)
        with acting_for(organisation):
            record_outcome(transaction_id, answer)


def _start_attempt(transaction_id: UUID | str) -> bool:
    """Under the row lock, decide whether to send now and say so in the database before anything leaves."""
    subject = lock_transaction(transaction_id)
    if subject.status != Status.EN_ATTENTE:
        return False
    if subject.delivery == Delivery.EN_COURS:  # the mutex was free: whoever was sending is dead
        mark_uncertain(
            subject,
            "L’envoi a été interrompu avant que la réponse du ministère soit notée : il est incertain. "
            "Il ne sera pas répété sans décision ; l’accusé de réception le confirmera.",
        )
        return False
    if subject.delivery != Delivery.PRETE or not is_due(subject):
        return False
    if settings_of(subject.organisation).suspended:
        _hold_back(subject, SUSPENDED, "actes.envoi_suspendu")
        return False
    subject.delivery = Delivery.EN_COURS
    subject.attempts += 1
    subject.attempt_started_at = clock.now()
    subject.save(update_fields=["delivery", "attempts", "attempt_started_at"])
    record(
        subject.organisation,
        "actes.envoi_commence",
        subject=("acte", subject.acte_id) if subject.acte_id else ("transaction_actes", subject.pk),
        actor=SENDER,
        sha256=subject.archive.sha256 if subject.archive else "",
        details={"envelope": subject.envelope_name, "attempt": subject.attempts},
    )
    return True


def is_due(subject: Transaction) -> bool:
    """True when the wait after the last attempt is over."""
    last = subject.attempt_started_at
    return last is None or abs(clock.now() - last) >= wait_after(subject.attempts)


def record_outcome(transaction_id: UUID | str, answer: Answer) -> None:
    """Write what is known of the attempt under way, in the caller's database transaction."""
    subject = lock_transaction(transaction_id)
    if subject.delivery != Delivery.EN_COURS:  # an AR has arrived meanwhile and has said it all
        return
    subject.delivery_message = answer.sentence[:512]
    match answer.outcome:
        case Outcome.ACCEPTED:
            mark_accepted(subject, answer.sentence)
        case Outcome.UNCERTAIN:
            mark_uncertain(subject, answer.sentence)
        case _:
            subject.delivery = Delivery.PRETE
            subject.save(update_fields=["delivery", "delivery_message"])
            write_event(subject, answer.sentence, actor=SENDER)
            record(
                subject.organisation,
                "actes.envoi_reporte",
                subject=("acte", subject.acte_id) if subject.acte_id else ("transaction_actes", subject.pk),
                actor=SENDER,
                details={
                    "envelope": subject.envelope_name,
                    "attempt": subject.attempts,
                    "outcome": answer.outcome,
                },
            )


def mark_accepted(subject: Transaction, sentence: str, *, actor: Actor = SENDER) -> None:
    """The State has the archive: status « transmis », route step done."""
    note_sent(subject)
    move(subject, Status.TRANSMIS, sentence, actor=actor, document=subject.archive)
    after_sending(subject, actor=actor)


def after_sending(subject: Transaction, *, actor: Actor) -> None:
    """What a sending that the State has accepted means for the act's route, or for the letter it is about."""
    if subject.kind == TransactionKind.ACTE:
        complete_transmission(subject, actor=actor)
        return
    for verb in ("Vérifier l’envoi", "Suivre"):
        if subject.acte:
            close_tasks(subject.organisation, subject=("acte", subject.acte.pk), verb=verb)
    if subject.related_id is None:
        return
    letter = Transaction.objects.select_for_update(no_key=True).get(pk=subject.related_id)
    if subject.kind in LETTER_RECEIPTS.values():
        if letter.status == Status.DOCUMENT_RECU:
            move(letter, Status.ACQUITTEMENT_ENVOYE, "Accusé de réception rendu à la préfecture.", actor=actor)
    elif letter.kind in ANSWERS:
        close_tasks(subject.organisation, subject=("transaction_actes", letter.pk))


def note_sent(subject: Transaction) -> None:
    """Date the sending from the attempt that succeeded; the move that follows saves the transaction."""
    subject.delivery = Delivery.ACCEPTEE
    subject.sent_at = subject.sent_at or subject.attempt_started_at or clock.now()
    if subject.acte_id and subject.kind == TransactionKind.ACTE:
        Acte.objects.filter(pk=subject.acte_id).update(sent_at=subject.sent_at)


def complete_transmission(subject: Transaction, *, actor: Actor) -> None:
    """Complete the route's step « À transmettre » with its facts; harmless when it is done."""
    if subject.acte is None or subject.sent_at is None:
        return
    close_tasks(subject.organisation, subject=("acte", subject.acte.pk), verb="Vérifier l’envoi")
    sent = clock.paris(subject.sent_at)
    facts = {
        "transmission": {
            "enveloppe": subject.envelope_name,
            "sent_at": sent.isoformat(),
            "id_acte": str(identifier_of(subject.acte)),
        }
    }
    summary = f"Transmise le {sent:%d/%m/%Y} à {sent:%H} h {sent:%M}"
    complete(subject.acte, "actes.transmission", summary, facts, actor=actor)


def mark_uncertain(subject: Transaction, sentence: str) -> None:
    """Nobody knows whether the State has the archive: no automatic resend, a person is asked to look."""
    subject.delivery = Delivery.INCERTAINE
    subject.delivery_message = sentence[:512]
    subject.save(update_fields=["delivery", "delivery_message"])
    write_event(subject, sentence, actor=SENDER)
    record(
        subject.organisation,
        "actes.envoi_incertain",
        subject=("acte", subject.acte_id) if subject.acte_id else ("transaction_actes", subject.pk),
        actor=SENDER,
        details={"envelope": subject.envelope_name, "attempt": subject.attempts},
    )
    if subject.acte:
        open_task(
            subject.organisation,
            service="actes",
            verb="Vérifier l’envoi",
            title=subject.acte.objet,
            summary="Envoi incertain : l’accusé de réception le confirmera, sinon interrogez la préfecture.",
            permission="actes.transmettre",
            path=path_of(subject.acte),
            subject=("acte", subject.acte.pk),
        )


def resolve_uncertain(subject: Transaction, *, received: bool, actor: Actor) -> None:
    """A person says, after asking the préfecture, whether it has the archive: wait for the AR, or send
    again."""
    from parvis.edemat.actes import tasks

    with transaction.atomic():
        subject = lock_transaction(subject.pk)
        if subject.delivery != Delivery.INCERTAINE or subject.status != Status.EN_ATTENTE:
            raise DomainError("Cet envoi n’est plus incertain : rechargez la page pour voir son état.")
        record(
            subject.organisation,
            "actes.envoi_leve",
            subject=("acte", subject.acte_id) if subject.acte_id else ("transaction_actes", subject.pk),
            actor=actor,
            details={"envelope": subject.envelope_name, "received": received},
        )
        if received:
            mark_accepted(subject, "Réception par la préfecture confirmée par un agent.", actor=actor)
            return
        subject.delivery, subject.attempt_started_at = Delivery.PRETE, None
        subject.save(update_fields=["delivery", "attempt_started_at"])
        write_event(subject, "La préfecture n’a pas reçu l’archive : nouvel envoi demandé.", actor=actor)
        if subject.acte:
            close_tasks(subject.organisation, subject=("acte", subject.acte.pk), verb="Vérifier l’envoi")
        tasks.send_archive.enqueue(subject.organisation, transaction_id=str(subject.pk))


# --- what must be taken up again ------------------------------------------------------------------
def resume(organisation: Organisation) -> int:
    """Take up the transmissions of ``organisation`` that wait or were interrupted; returns how many were
    looked at.

    Called every minute. Safe beside other workers: each is decided under its lock and mutex.
    """
    with acting_for(organisation):
        waiting = list(
            Transaction.objects.filter(
                organisation=organisation,
                delivery__in=[Delivery.A_CONSTRUIRE, Delivery.PRETE, Delivery.EN_COURS],
                created_at__lte=clock.now() - FIRST_WAIT,
            ).order_by("id")[:500]
        )
        remind_of_silence(organisation)
        classification.request_again_if_none(organisation, actor=SENDER)
    for subject in waiting:
        try:
            _take_up(organisation, subject)
        except Exception:  # one transmission that breaks must not hold back the others
            log.exception("transmission %s could not be taken up", subject.pk)
    return len(waiting)


def _take_up(organisation: Organisation, subject: Transaction) -> None:
    if subject.delivery != Delivery.A_CONSTRUIRE:
        send_archive(organisation, subject.pk)
    elif not subject.delivery_message or _new_day(subject):
        with acting_for(organisation):
            build_archive(subject.pk)


def _new_day(subject: Transaction) -> bool:
    with acting_for(subject.organisation_id):
        last = DailySerial.objects.filter(organisation=subject.organisation_id, day=clock.today()).first()
    return last is None or last.last < MAX_SERIAL


def remind_of_silence(organisation: Organisation) -> None:
    """Open a task for each act sent more than four hours ago that the State has not answered."""
    late = Transaction.objects.filter(
        organisation=organisation, status=Status.TRANSMIS, kind=TransactionKind.ACTE,
        sent_at__lte=clock.now() - SILENCE,
    ).select_related("acte", "acte__organisation")  # fmt: skip
    for subject in late[:200]:
        if subject.acte:
            _ask_to_follow(
                subject.acte,
                "Aucun accusé de réception depuis plus de quatre heures : vérifiez auprès de la préfecture.",
            )
