"""Receiving the State's returns: each mail is stored raw, then read once, and changes an act or nothing at all.

A mail whose sender is not proven, or that cannot be attached with certainty (unknown act, other authority,
unreadable XML, missing file), goes to the error basket with its reason and a task; the acts do not move.
"""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import compat32
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes, store
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.services import attach, close_tasks, open_task
from parvis.edemat.actes.enums import (
    Delivery,
    InboundOutcome,
    InboundState,
    Status,
    TransactionKind,
)
from parvis.edemat.actes.formats import authenticity, inbound
from parvis.edemat.actes.formats.archives import MAX_EXPANDED, UnsafeArchive, read_archive
from parvis.edemat.actes.formats.names import IdActe, is_inbound_envelope, refused_envelope, siren_in
from parvis.edemat.actes.lifecycle import move
from parvis.edemat.actes.locking import lock_actes, lock_transaction
from parvis.edemat.actes.models import ACKNOWLEDGED, Acte, InboundMessage, Transaction
from parvis.edemat.actes.publication import binding_day
from parvis.edemat.actes.schemas import judge_incoming
from parvis.edemat.actes.services import cancellation, classification, letters
from parvis.edemat.actes.services.transmission import (
    after_sending,
    complete,
    complete_transmission,
    identifier_of,
    note_sent,
    refuse,
    written_on,
)
from parvis.edemat.actes.transports.mailbox import ImapMailbox, Mailbox

log = logging.getLogger(__name__)
RECEIVER = Actor("job", "actes.reception")
MAX_READINGS = 3
ANSWERED_BY: dict[str, tuple[str, ...]] = {"3-5": ("3-3", "3-4"), "4-5": ("4-3", "4-4")}
"""Which of our answers a receipt of the préfecture is about."""
PASS_LIMIT = 500

register_action("actes.message_recu", "Message de l’État reçu")
register_action("actes.message_traite", "Message de l’État traité")
register_action("actes.message_relu", "Message de l’État relu à la demande d’un agent")
register_action("actes.message_accepte", "Message accepté par un agent malgré son expéditeur")
register_action("actes.message_banette", "Message mis en banette d’erreur")
register_action("actes.message_doublon", "Message déjà reçu, sans effet")


class ToBasket(DomainError):
    """The mail cannot be attached with certainty: nothing changes and a person looks at it."""


class SenderNotProven(ToBasket):
    """The mail does not come, or not surely, from the State."""


class AlreadyKnown(Exception):
    """What the mail says is known already: ``transaction`` is the one it speaks of."""

    def __init__(self, known: Transaction | None) -> None:
        super().__init__()
        self.transaction = known


@dataclass
class PassReport:
    """What one pass over the mailbox did."""

    stored: int = 0
    duplicates: int = 0
    unsorted: int = 0
    processed: int = 0
    basket: int = 0


# --- 1. from the mailbox to the database, raw -----------------------------------------------------
def parse_mail(raw: bytes) -> Mail:
    return message_from_bytes(raw, policy=compat32)


def file_names(mail: Mail) -> list[str]:
    """Names of the attached files, as the mail announces them."""
    return [name for name in (part.get_filename() for part in mail.walk()) if name]


def addressee(raw: bytes) -> Organisation | None:
    """The organisation that the mail is for, read on its outside (names of its attachments).

    The métropole, which runs the mailbox, when the outside names no known authority.
    """
    try:
        sirens = {siren for siren in map(siren_in, file_names(parse_mail(raw))) if siren}
    except Exception:  # headers so broken that the library fails: somebody will look at it
        log.exception("the outside of a mail could not be read")
        sirens = set()
    return (
        Organisation.objects.filter(siren__in=sirens).order_by("id").first()
        or Organisation.objects.filter(kind=Organisation.Kind.METROPOLE).order_by("id").first()
    )


def store_raw(organisation: Organisation, raw: bytes, uid: str = "") -> InboundMessage | None:
    """Keep one mail as it came, in its own transaction; None when the very same bytes are known already."""
    digest = sha256(raw).hexdigest()
    try:
        with acting_for(organisation):
            if InboundMessage.objects.filter(organisation=organisation, sha256=digest).exists():
                record(
                    organisation,
                    "actes.message_doublon",
                    subject=("message_actes", digest[:32]),
                    actor=RECEIVER,
                )
                return None
            document = store(organisation, raw, f"retour-{digest[:12]}.eml", label="Message brut de l’État")
            kept = InboundMessage.objects.create(
                organisation=organisation,
                sha256=digest,
                raw=document,
                mailbox_uid=uid,
                received_at=clock.now(),
            )
            record(
                organisation,
                "actes.message_recu",
                subject=("message_actes", kept.pk),
                actor=RECEIVER,
                sha256=digest,
            )
            return kept
    except IntegrityError:  # another reader stored it at the same instant
        return None


def collect(mailbox: Mailbox, *, limit: int = PASS_LIMIT) -> PassReport:
    """Store the waiting mails, and file each in the mailbox once its storage is committed."""
    report = PassReport()
    for identifier, raw in mailbox.waiting(limit):
        organisation = addressee(raw)
        if organisation is None:
            mailbox.set_aside(identifier)
            report.unsorted += 1
            continue
        try:
            kept = store_raw(organisation, raw, identifier)
        except DomainError as refusal:  # a virus: the mails behind it must still be read
            log.error("mail %s of the State's returns set aside: %s", identifier, type(refusal).__name__)
            mailbox.set_aside(identifier)
            report.unsorted += 1
            continue
        if kept:
            report.stored += 1
        else:
            report.duplicates += 1
        mailbox.file(identifier)
    return report


def collect_from_settings(*, limit: int = PASS_LIMIT) -> PassReport:
    """``collect`` from the operator's IMAP mailbox.

    Raises OSError or IMAPClientError when it is out of reach.
    """
    mailbox = ImapMailbox()
    try:
        return collect(mailbox, limit=limit)
    finally:
        mailbox.close()


def poll(mailbox: Mailbox | None = None, *, limit: int = PASS_LIMIT) -> PassReport:
    """One pass: collect the mailbox, then read every stored mail that waits. Safe beside another reader."""
    report = collect(mailbox, limit=limit) if mailbox else collect_from_settings(limit=limit)
    for state in process_waiting(limit=limit):
        report.processed += state == InboundState.TRAITE
        report.basket += state == InboundState.BANETTE
    return report


# --- 2. reading a stored mail, once ---------------------------------------------------------------
def process_waiting(*, limit: int = PASS_LIMIT) -> list[str]:
    """Read the stored mails of all organisations, oldest first; returns the state that each has reached."""
    with acting_for(*Organisation.objects.values_list("pk", flat=True)):
        waiting = list(
            InboundMessage.objects.filter(state=InboundState.RECU)
            .order_by("received_at", "id")
            .values_list("organisation_id", "pk")[:limit]
        )
    states = []
    for organisation, pk in waiting:
        try:
            states.append(process(organisation, pk))
        except Exception:  # one mail that breaks the reading must not hold back the others
            log.exception("the reading of inbound message %s failed", pk)
    return [state for state in states if state]


def process(organisation: Organisation | int, message_id: UUID) -> str:
    """Read one stored mail in one transaction; "" when another reader has it or it has been read already.

    An unexpected failure is tried again at the next passes, three times, then the mail goes to the basket.
    """
    with acting_for(organisation):
        again = InboundMessage.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).filter(
            pk=message_id, state=InboundState.RECU
        )
        message = again.first()
        if message is None:
            return ""
        message.attempts += 1
        message.save(update_fields=["attempts"])
        if message.attempts > MAX_READINGS:
            _to_basket(
                message,
                "Le message n’a pas pu être lu : une erreur imprévue s’est répétée. Prévenez le support.",
            )
            return str(message.state)
    with acting_for(organisation):
        message = again.select_related("organisation", "raw__organisation").first()
        if message is None:
            return ""
        _read(message)
        return str(message.state)


def verify_sender(raw: bytes) -> None:
    """Raise ``SenderNotProven`` unless the mail comes from a sender that the operator allows.

    With ``PARVIS_ACTES_AUTHSERV_ID``, the receiving relay must also have verified the sender's domain.
    """
    mail = parse_mail(raw)
    sender = authenticity.sender_of(mail)
    if not authenticity.is_allowed(sender, settings.PARVIS_ACTES_SENDERS):
        raise SenderNotProven(
            "L’expéditeur de ce message n’est pas l’un de ceux par lesquels l’État répond : rien n’a été modifié. "
            "Vérifiez auprès de la préfecture avant de l’accepter."
        )
    relay = settings.PARVIS_ACTES_AUTHSERV_ID
    if relay and not authenticity.is_verified(mail, sender, relay):
        raise SenderNotProven(
            "La messagerie n’a pas pu prouver que ce message vient bien de son expéditeur (contrôles DKIM et SPF) : "
            "rien n’a été modifié. Vérifiez auprès de la préfecture avant de l’accepter."
        )


def sender_is_proven(raw: bytes) -> bool:
    """True when ``verify_sender`` has nothing to say of the mail."""
    try:
        verify_sender(raw)
    except SenderNotProven:
        return False
    return True


def replay(message: InboundMessage, *, actor: Actor, despite_sender: bool = False) -> None:
    """A person asks to read again a mail of the basket, in the caller's transaction.

    ``despite_sender`` accepts a mail whose sender is not proven, after the person asked the préfecture.
    """
    locking = InboundMessage.objects.select_for_update(of=("self",), no_key=True)
    message = locking.select_related("organisation", "raw__organisation").get(pk=message.pk)
    if message.state != InboundState.BANETTE:
        raise DomainError("Ce message n’est plus dans la banette : rechargez la page.")
    close_tasks(message.organisation, subject=("message_actes", message.pk))
    message.error = ""
    _read(message, despite_sender=despite_sender)
    # After the acts are locked: the journal comes last.
    action = "actes.message_accepte" if despite_sender else "actes.message_relu"
    record(message.organisation, action, subject=("message_actes", message.pk), actor=actor, sha256=message.sha256)


def _read(message: InboundMessage, *, despite_sender: bool = False) -> None:
    """Apply the mail whole, or change nothing and put it in the basket."""
    try:
        with transaction.atomic():
            raw = read_bytes(message.raw)
            if not despite_sender:
                verify_sender(raw)
            reading = Reading(message.organisation, files_of(raw))
            reading.apply()
    except AlreadyKnown as known:
        message.transaction = known.transaction
        _done(message, InboundOutcome.DOUBLON, "", ())
        return
    except DomainError as refusal:
        _to_basket(message, refusal.sentence)
        return
    message.transaction = reading.transaction
    _done(message, reading.outcome, reading.root, tuple(reading.remarks))


def _done(message: InboundMessage, outcome: InboundOutcome, root: str, remarks: tuple[str, ...]) -> None:
    message.state, message.outcome = InboundState.TRAITE, outcome
    message.root, message.remarks = root[:60], list(remarks)
    message.processed_at = clock.now()
    message.save()
    record(
        message.organisation,
        "actes.message_doublon" if outcome == InboundOutcome.DOUBLON else "actes.message_traite",
        subject=("message_actes", message.pk),
        actor=RECEIVER,
        sha256=message.sha256,
        details={
            "outcome": str(outcome),
            "root": root,
            "transaction": str(message.transaction_id or ""),
            "remarks": len(remarks),  # they may quote the message: its row keeps them
        },
    )


def _to_basket(message: InboundMessage, sentence: str) -> None:
    message.state, message.error = InboundState.BANETTE, sentence
    message.processed_at = clock.now()
    message.save()
    record(
        message.organisation, "actes.message_banette", subject=("message_actes", message.pk), actor=RECEIVER,
        sha256=message.sha256,
    )  # fmt: skip
    open_task(
        message.organisation,
        service="actes",
        verb="Examiner",
        title="Un message de la préfecture n’a pas pu être rattaché",
        summary=sentence,
        permission="actes.banette",
        path=_basket_path(message.organisation),
        subject=("message_actes", message.pk),
    )


def _basket_path(organisation: Organisation) -> str:
    try:
        return reverse("actes:basket", kwargs={"organisation_slug": organisation.slug})
    except NoReverseMatch:
        return reverse("actes:list", kwargs={"organisation_slug": organisation.slug})


def files_of(raw: bytes) -> dict[str, bytes]:
    """Attached files by name; those of an attached tar.gz come out of it. Raises ``ToBasket``."""
    files: dict[str, bytes] = {}
    allowed = MAX_EXPANDED  # for all the archives of one mail together
    for part in parse_mail(raw).walk():
        name, content = part.get_filename(), part.get_payload(decode=True)
        if not name or not isinstance(content, bytes):
            continue
        if name.endswith((".tar.gz", ".tgz")):
            try:
                inside = read_archive(io.BytesIO(content), max_expanded=allowed)
            except UnsafeArchive as refusal:
                raise ToBasket(refusal.sentence) from refusal
            allowed -= sum(map(len, inside.values()))
            files |= inside
        else:
            files[name] = content
    return files


# --- 3. what a mail changes -----------------------------------------------------------------------
@dataclass
class Reading:
    """One mail being applied to its organisation, inside the caller's transaction."""

    organisation: Organisation
    files: dict[str, bytes]
    outcome: InboundOutcome = InboundOutcome.INFORMATION
    root: str = ""
    transaction: Transaction | None = None
    remarks: list[str] = field(default_factory=list)
    request: Transaction | None = None
    """The request for a classification that this mail answers."""

    def apply(self) -> None:
        """Find the envelope, then apply each message that it lists.

        Raises ``ToBasket`` or ``AlreadyKnown``.
        """
        documents = {name: xml for name, xml in self.files.items() if name.lower().endswith(".xml")}
        if not documents:  # bulky pieces are announced by a mail without XML
            return
        known = 0
        messages = [(name, self._understood(name, documents[name])) for name in self._forms(documents)]
        self._lock_all(messages)
        for name, message in messages:
            try:
                self._apply_one(name, message)
            except AlreadyKnown as already:
                known += 1
                self.transaction = already.transaction
        if known and not self.root:
            raise AlreadyKnown(self.transaction)

    def _understood(self, name: str, xml: bytes) -> inbound.Message:
        message = inbound.parse_message(xml)
        self.remarks += [r for r in (*message.remarks, *judge_incoming(xml)) if r not in self.remarks]
        return message

    def _forms(self, documents: dict[str, bytes]) -> list[str]:
        """Names of the business messages to apply, checked against the envelope when there is one."""
        refused = [name for name in documents if refused_envelope(name)]
        if refused:
            return refused
        envelopes = [name for name in documents if is_inbound_envelope(name)]
        if not envelopes:
            self.remarks.append("message reçu sans enveloppe")
            return list(documents)
        forms: list[str] = []
        for name in envelopes:
            envelope = self._understood(name, documents[name])
            if not isinstance(envelope, inbound.EnveloppeRetour):
                raise ToBasket(f"Le fichier « {name} » n’est pas l’enveloppe que son nom annonce.")
            if envelope.siren != self.organisation.siren:
                raise ToBasket(
                    f"L’enveloppe s’adresse au SIREN {envelope.siren}, pas à cette collectivité "
                    f"({self.organisation.siren}) : rien n’a été modifié."
                )
            forms += envelope.formulaires
        if missing := [form for form in forms if form not in documents]:
            raise ToBasket(f"Le fichier « {missing[0]} », annoncé par l’enveloppe, manque dans le message.")
        return forms

    def _apply_one(self, name: str, message: inbound.Message) -> None:
        effects: dict[type[inbound.Message], Callable] = {
            inbound.ArActe: self._ar_acte,
            inbound.AnomalieActe: self._anomalie_acte,
            inbound.AnomalieEnveloppe: self._anomalie_enveloppe,
            inbound.Courrier: self._courrier,
            inbound.ArReponse: self._reponse,
            inbound.ArAnnulation: self._annulation,
            inbound.RetourClassification: self._classification,
            inbound.ClassificationInchangee: self._unchanged,
        }
        effect = effects.get(type(message))
        if effect is None:
            raise ToBasket(f"Aucun échange en attente ne correspond au message « {message.root} » reçu.")
        effect(name, message)
        self.root = message.root

    # --- finding what a message speaks of ---
    def _lock_all(self, messages: list[tuple[str, inbound.Message]]) -> None:
        """Lock what the whole mail is about, acts then requests, before the first of it is written in the journal."""
        acts: set[UUID] = set()
        requests: set[UUID] = set()
        for name, message in messages:
            match message:
                case (
                    inbound.ArActe(id_acte=one)
                    | inbound.Courrier(id_acte=one)
                    | inbound.ArReponse(id_acte=one)
                    | inbound.ArAnnulation(id_acte=one)
                ):
                    found = self._transmissions(one.date, one.numero, one.nature_code)
                case inbound.AnomalieActe(acte=one):
                    found = self._transmissions(one.date, one.numero, one.nature)
                case inbound.AnomalieEnveloppe():
                    found = self._refused_transactions(name, message)
                case _:
                    continue
            for pk, acte in found.values_list("pk", "acte_id"):
                if acte:
                    acts.add(acte)
                else:
                    requests.add(pk)
        lock_actes(acts)
        answer = any(isinstance(m, inbound.RetourClassification | inbound.ClassificationInchangee) for _, m in messages)
        pending = self._pending_request() if answer else None
        requests |= {pending} if pending else set()
        locked = {pk: lock_transaction(pk) for pk in sorted(requests)}
        self.request = locked[pending] if pending else None

    def _transmissions(self, day: date, numero: str, nature: str) -> QuerySet[Transaction]:
        return Transaction.objects.filter(
            organisation=self.organisation,
            kind=TransactionKind.ACTE,
            acte__numero_actes=numero,
            acte__decision_date=day,
            acte__nature=nature,
        )

    def _refused_transactions(self, name: str, message: inbound.AnomalieEnveloppe) -> QuerySet[Transaction]:
        found = Transaction.objects.filter(organisation=self.organisation)
        refused = refused_envelope(name)
        return found.filter(envelope_name=refused) if refused else found.filter(message_name__in=message.formulaires)

    def _acte(self, day: date, numero: str, nature: str) -> Transaction:
        """The transmission of that act, locked.

        Raises ``ToBasket`` when the organisation sent no such act.
        """
        found = self._transmissions(day, numero, nature).filter(attempts__gt=0)
        sent = list(found.order_by("-id").values_list("pk", "status"))
        if not sent:
            raise ToBasket(
                f"Aucun acte transmis ne porte le numéro {numero}, la date du {day:%d/%m/%Y} et la nature "
                f"{nature} : rien n’a été modifié."
            )
        # The transmission that lives, else the latest in error: an AR may follow a closing in error.
        living = [pk for pk, status in sent if status != Status.ERREUR]
        return lock_transaction(living[0] if living else sent[0][0])

    def _by_identifier(self, identifier: IdActe) -> Transaction:
        if identifier.siren != self.organisation.siren:
            raise ToBasket(
                f"Le message concerne l’acte {identifier} d’une autre collectivité (SIREN "
                f"{identifier.siren}) : rien n’a été modifié."
            )
        subject = self._acte(identifier.date, identifier.numero, identifier.nature_code)
        assert subject.acte is not None
        if str(identifier_of(subject.acte)) != str(identifier):
            raise ToBasket(f"L’identifiant {identifier} n’est pas celui de l’acte {subject.acte.numero}.")
        return subject

    def _keep(self, name: str, label: str) -> Document:
        return store(self.organisation, self.files[name], name, label=label)

    # --- effects ---
    def _ar_acte(self, name: str, message: inbound.ArActe) -> None:
        subject = self._by_identifier(message.id_acte)
        acte = subject.acte
        assert acte is not None
        if subject.ar_id or subject.status in ACKNOWLEDGED:
            raise AlreadyKnown(subject)
        document = self._keep(name, "Accusé de réception de la préfecture")
        note_sent(subject)
        subject.ar, subject.received_on = document, message.reception
        move(subject, Status.ACQUITTE, (
            f"Reçu par la préfecture le {message.reception:%d/%m/%Y}."
        ), actor=RECEIVER,
             document=document)  # fmt: skip
        acte.refresh_from_db()
        acte.unique_id, acte.received_on = str(message.id_acte), message.reception
        acte.executoire_on = binding_day(acte)
        acte.save(update_fields=["unique_id", "received_on", "executoire_on"])
        close_tasks(self.organisation, subject=("acte", acte.pk))
        if acte.route:
            attach(acte.route, "ar", document, "Accusé de réception de la préfecture")
        complete_transmission(subject, actor=RECEIVER)
        facts = {"ar": {"id_acte": str(message.id_acte), "date_reception": message.reception.isoformat()}}
        summary = f"Reçue en préfecture le {message.reception:%d/%m/%Y}"
        if subject.test:  # the steps that follow would make of it a date that counts
            facts, summary = {}, "Essai, sans valeur légale"
        complete(acte, "actes.acquittement", summary, facts, actor=RECEIVER)
        self._after_acknowledgement(acte)
        classification.request_if_newer(self.organisation, message.classification_en_cours, actor=RECEIVER)
        self.transaction, self.outcome = subject, InboundOutcome.ACQUITTEMENT

    def _after_acknowledgement(self, acte: Acte) -> None:
        from parvis.edemat.actes import document_tasks, tasks

        if acte.route_id is None:  # with a route, its next step asks for the documents
            document_tasks.prepare_acknowledgement_documents.enqueue(self.organisation, acte_id=str(acte.pk))
        tasks.notify_acknowledgement.enqueue(self.organisation, acte_id=str(acte.pk))

    def _anomalie_acte(self, name: str, message: inbound.AnomalieActe) -> None:
        subject = self._acte(message.acte.date, message.acte.numero, message.acte.nature)
        document = self._refused(subject, name, message.nature, message.detail)
        self._put_in_error(subject, message.nature, message.detail, document)
        classification.request_if_newer(self.organisation, message.classification_en_cours, actor=RECEIVER)
        self.transaction, self.outcome = subject, InboundOutcome.ANOMALIE

    def _refused(self, subject: Transaction, name: str, nature: str, detail: str) -> Document:
        """The anomaly kept as a document, once it is sure that it applies to ``subject``."""
        if subject.status == Status.ERREUR and (subject.anomaly_code, subject.anomaly_detail) == (
            nature[:3],
            detail,
        ):
            raise AlreadyKnown(subject)
        sent = subject.status == Status.EN_ATTENTE and subject.delivery in (
            Delivery.EN_COURS,
            Delivery.INCERTAINE,
        )
        if subject.status != Status.TRANSMIS and not sent:
            raise ToBasket(
                f"Une anomalie est arrivée pour une transmission à l’état « {subject.get_status_display()} » : "
                "rien n’a été modifié, interrogez la préfecture."
            )
        return self._keep(name, "Anomalie signalée par le ministère")

    def _put_in_error(self, subject: Transaction, nature: str, detail: str, document: Document) -> None:
        subject.anomaly_code, subject.anomaly_detail = nature[:3], detail
        note_sent(subject)
        reason = f"Anomalie {nature} : {detail}" if detail else f"Anomalie {nature}."
        refuse(subject, reason, actor=RECEIVER, document=document)

    def _anomalie_enveloppe(self, name: str, message: inbound.AnomalieEnveloppe) -> None:
        if message.siren and message.siren != self.organisation.siren:
            raise ToBasket(f"L’anomalie concerne une enveloppe du SIREN {message.siren} : rien n’a été modifié.")
        found = self._refused_transactions(name, message)
        subjects = [lock_transaction(pk) for pk in found.order_by("id").values_list("pk", flat=True)]
        if not subjects:
            refused = refused_envelope(name) or name
            raise ToBasket(f"L’enveloppe refusée (« {refused} ») n’est pas de celles qui sont parties d’ici.")
        for subject in subjects:
            document = self._refused(subject, name, message.nature, message.detail)
            self._put_in_error(subject, message.nature, message.detail, document)
        self.transaction, self.outcome = subjects[0], InboundOutcome.ANOMALIE

    def _courrier(self, name: str, message: inbound.Courrier) -> None:
        original = self._by_identifier(message.id_acte)
        if missing := [file for file in message.files if file not in self.files]:
            raise ToBasket(f"Le courrier de la préfecture annonce « {missing[0]} », qui manque dans le message.")
        document = self._keep(name, "Courrier de la préfecture")
        if Transaction.objects.filter(
            organisation=self.organisation,
            related=original,
            kind=message.code,
            message__sha256=document.sha256,
        ).exists():
            raise AlreadyKnown(original)
        letter = letters.keep_letter(
            original,
            message.code,
            actor=RECEIVER,
            day=message.date,
            text=message.text,
            files=[self._keep(file, TransactionKind(message.code).label) for file in message.files],
            message=document,
            message_name=name,
        )
        letters.receipt(letter, actor=RECEIVER)
        self.transaction, self.outcome = letter, InboundOutcome.COURRIER

    def _reponse(self, name: str, message: inbound.ArReponse) -> None:
        """Our answer to a letter is received: from that day the préfet's delay runs again."""
        subject = self._awaited(message.id_acte, ANSWERED_BY[message.code], message.written)
        self._acknowledge(subject, name, message.reception, "Réponse reçue par la préfecture")
        self.transaction, self.outcome = subject, InboundOutcome.REPONSE

    def _annulation(self, name: str, message: inbound.ArAnnulation) -> None:
        """The State has cancelled the transmission: the act is as if it had not been sent, its number is spent."""
        subject = self._awaited(message.id_acte, (TransactionKind.ANNULATION,))
        self._acknowledge(subject, name, message.reception, "Annulation reçue par la préfecture")
        cancellation.take_effect(subject, actor=RECEIVER)
        self.transaction, self.outcome = subject, InboundOutcome.ANNULATION

    def _awaited(self, identifier: IdActe, kinds: tuple[str, ...], written: date | None = None) -> Transaction:
        """Our exchange of these kinds about that act, and about the letter ``written`` that day, locked.

        Raises ``ToBasket`` unless it is one and no other, ``AlreadyKnown`` when it has its receipt.
        """
        original = self._by_identifier(identifier)
        found = Transaction.objects.filter(acte=original.acte, kind__in=kinds, attempts__gt=0)
        sent = [
            exchange
            for exchange in found.select_related("related").order_by("-id")
            if exchange.related and written in (None, written_on(exchange.related))
        ]
        if not sent:
            raise ToBasket(
                f"La préfecture répond à un envoi que la collectivité n’a pas fait sur l’acte {identifier.numero} : "
                "rien n’a été modifié."
            )
        waiting = [exchange for exchange in sent if exchange.ar_id is None]
        if not waiting:
            raise AlreadyKnown(sent[0])
        likely = [exchange for exchange in waiting if exchange.status != Status.ERREUR] or waiting
        if len({exchange.related_id for exchange in likely}) > 1:
            raise ToBasket(
                f"Plusieurs réponses sur l’acte {identifier.numero} attendent leur accusé, et rien dans celui-ci ne "
                "dit laquelle il concerne : rien n’a été modifié, interrogez la préfecture."
            )
        return lock_transaction(likely[0].pk)

    def _acknowledge(self, subject: Transaction, name: str, day: date, label: str) -> None:
        document = self._keep(name, label)
        note_sent(subject)
        subject.ar, subject.received_on = document, day
        move(subject, Status.ACQUITTE, f"{label} le {day:%d/%m/%Y}.", actor=RECEIVER, document=document)
        after_sending(subject, actor=RECEIVER)

    def _classification(self, name: str, message: inbound.RetourClassification) -> None:
        classification.install(self.organisation, self.files[name], name, message, actor=RECEIVER)
        self._answered_request(f"Classification du {message.date:%d/%m/%Y} reçue.")
        self.outcome = InboundOutcome.CLASSIFICATION

    def _unchanged(self, name: str, message: inbound.ClassificationInchangee) -> None:
        if not classification.confirm(self.organisation, message.date, actor=RECEIVER):
            raise ToBasket(
                f"La préfecture confirme une classification du {message.date:%d/%m/%Y} que la collectivité n’a pas."
            )
        self._answered_request("Classification confirmée.")
        self.outcome = InboundOutcome.CLASSIFICATION

    def _pending_request(self) -> UUID | None:
        """The request for a classification that is under way."""
        return (
            Transaction.objects.filter(
                organisation=self.organisation,
                kind=TransactionKind.DEMANDE_CLASSIFICATION,
                status__in=[Status.EN_ATTENTE, Status.TRANSMIS],
                attempts__gt=0,
            )
            .order_by("-id")
            .values_list("pk", flat=True)
            .first()
        )

    def _answered_request(self, sentence: str) -> None:
        """Close the request that this classification answers, if there is one under way."""
        subject, self.request = self.request, None
        if subject:
            note_sent(subject)
            move(subject, Status.ACQUITTE, sentence, actor=RECEIVER)
            self.transaction = subject
