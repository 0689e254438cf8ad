"""Letters of the préfecture about an act: kept with their files, read, receipted, answered.

An answer is prepared (status 17), looked at, then sent like an act: archive, envelope, one POST. The receipt of a
request for pieces and of a lettre d'observations leaves by itself.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.routing.services import attach, close_tasks, open_task
from parvis.edemat.actes.enums import ANSWERS, LETTER_RECEIPTS, LETTERS, Delivery, Status, TransactionKind
from parvis.edemat.actes.formats.checks import Candidate, check_files, refusals
from parvis.edemat.actes.formats.outbound import SEVERAL
from parvis.edemat.actes.legal_dates import DefereDelay, Question, defere_delay
from parvis.edemat.actes.lifecycle import begin, move
from parvis.edemat.actes.locking import lock_transaction
from parvis.edemat.actes.models import Acte, Transaction, TransactionPiece
from parvis.edemat.actes.publication import legally_received_on
from parvis.edemat.actes.services.preparation import (
    Annexe,
    current_classification,
    emitter_of,
    in_force,
    piece_file,
    settings_of,
)
from parvis.edemat.actes.services.transmission import path_of

register_action("actes.courrier_lu", "Courrier de la préfecture lu")
register_action("actes.courrier_clos", "Courrier de la préfecture clos, répondu par une autre voie")
register_action("actes.reponse_preparee", "Réponse à la préfecture préparée")

QUESTIONS = (TransactionKind.DEMANDE_PIECES, TransactionKind.LETTRE_OBSERVATIONS)
"""Letters whose answer starts the préfet's delay again."""


class AnswerRefused(DomainError):
    """The letter cannot be answered so."""


def letters_of(acte: Acte) -> list[Transaction]:
    """The letters about ``acte``, newest first, with their answers and files."""
    kept = Transaction.objects.filter(acte=acte, kind__in=LETTERS).select_related(
        "message__organisation", "organisation"
    )
    return list(kept.prefetch_related("pieces__document__organisation", "answers").order_by("-id"))


def may_be_answered(letter: Transaction) -> bool:
    """True for a letter in the State's format that awaits, or admits, an answer not given yet."""
    return letter.kind in ANSWERS and letter.message_id is not None and answer_of(letter) is None


def answer_of(letter: Transaction) -> Transaction | None:
    """The answer given or prepared to ``letter``; one in error no longer counts."""
    given = [a for a in letter.answers.all() if a.kind in ANSWERS.get(letter.kind, ()) and a.status != Status.ERREUR]
    return max(given, key=lambda answer: answer.pk, default=None)


def defere_of(acte: Acte, letters: Iterable[Transaction]) -> DefereDelay | None:
    """Until when the préfet may act against ``acte``; None before its reception."""
    received = legally_received_on(acte)
    if received is None:
        return None
    return defere_delay(received, [_question(letter) for letter in letters if letter.kind in QUESTIONS])


def _question(letter: Transaction) -> Question:
    answer = answer_of(letter)
    return Question(letter.received_on or _day(letter), answer.received_on if answer else None)


def _day(letter: Transaction) -> date:
    return clock.paris(letter.created_at).date()


# --- when it arrives ------------------------------------------------------------------------------
def keep_letter(
    original: Transaction,
    kind: str,
    *,
    actor: Actor,
    day: date | None,
    text: str,
    files: Iterable[Document],
    message: Document | None = None,
    message_name: str = "",
) -> Transaction:
    """Keep a letter about the act of ``original`` with its files, and put it on the desk of whoever transmits."""
    assert original.acte is not None
    awaits_receipt = kind in LETTER_RECEIPTS and message is not None
    letter = Transaction.objects.create(
        organisation=original.organisation,
        acte=original.acte,
        kind=kind,
        related=original,
        status=Status.DOCUMENT_RECU if awaits_receipt else Status.DOCUMENT_SANS_AR,
        message=message,
        message_name=message_name[:80],
        letter_date=day,
        letter_text=text,
        received_on=clock.today(),
        created_at=clock.now(),
    )
    begin(letter, f"Reçu de la préfecture : {letter.get_kind_display().lower()}.", actor=actor, document=message)
    keep_files(letter, files)
    ask_to_look(letter)
    return letter


def keep_files(letter: Transaction, files: Iterable[Document]) -> None:
    """Keep the files of ``letter`` with it, and on the route of its act when it has one."""
    acte = letter.acte
    assert acte is not None
    for rank, document in enumerate(files, start=1):
        TransactionPiece.objects.create(
            organisation=letter.organisation,
            transaction=letter,
            rank=rank,
            document=document,
            posted_filename=document.filename,
        )
        if acte.route:
            attach(acte.route, "courrier", document, letter.get_kind_display())


def receipt(letter: Transaction, *, actor: Actor) -> None:
    """Send the receipt that the préfecture expects of such a letter; nothing for the others, nor when suspended."""
    kind = LETTER_RECEIPTS.get(letter.kind)
    if kind and not settings_of(letter.organisation).suspended:
        _request(_open(letter, kind, Status.POSTE, actor=actor, sentence="Accusé à rendre à la préfecture."))


def lacks_receipt(letter: Transaction) -> bool:
    """True when the préfecture awaits a receipt of ``letter`` that neither left nor is about to."""
    kind = LETTER_RECEIPTS.get(letter.kind)
    given = any(answer.kind == kind and answer.status != Status.ERREUR for answer in letter.answers.all())
    return letter.status == Status.DOCUMENT_RECU and not given


def give_receipt(letter: Transaction, *, actor: Actor) -> None:
    """Send the receipt that did not leave by itself, or was refused. Raises ``AnswerRefused``."""
    with transaction.atomic():
        letter = lock_transaction(letter.pk)
        if not lacks_receipt(letter):
            raise AnswerRefused("L’accusé de ce courrier est déjà rendu, ou en route : rechargez la page.")
        chosen = settings_of(letter.organisation)
        if chosen.suspended:
            raise AnswerRefused("La télétransmission est suspendue : accusez réception sur papier.")
        emitter_of(letter.organisation, chosen)
        receipt(letter, actor=actor)


def _open(letter: Transaction, kind: TransactionKind, status: Status, *, actor: Actor, sentence: str) -> Transaction:
    made = Transaction.objects.create(
        organisation=letter.organisation,
        acte=letter.acte,
        kind=kind,
        related=letter,
        status=status,
        delivery=Delivery.A_CONSTRUIRE if status == Status.POSTE else "",
        test=settings_of(letter.organisation).test,
        created_at=clock.now(),
    )
    begin(made, sentence, actor=actor)
    return made


def _request(sent: Transaction) -> None:
    from parvis.edemat.actes import tasks

    tasks.build_archive.enqueue(sent.organisation, transaction_id=str(sent.pk))


def ask_to_look(letter: Transaction) -> None:
    """Put the letter on the desk of whoever transmits."""
    acte = letter.acte
    assert acte is not None
    open_task(
        letter.organisation,
        service="actes",
        verb="Répondre" if letter.kind in QUESTIONS else "Lire",
        title=f"{letter.get_kind_display()} : {acte.objet}",
        summary=letter.letter_text,
        permission="actes.transmettre",
        path=f"{path_of(acte)}#courriers",
        subject=("transaction_actes", letter.pk),
    )


# --- what a person does with it -------------------------------------------------------------------
def mark_read(letter: Transaction, *, actor: Actor) -> None:
    """A person has read the letter; the task « Lire » closes, a question keeps its own."""
    with transaction.atomic():
        letter = lock_transaction(letter.pk)
        if letter.read_at:
            return
        letter.read_at = clock.now()
        letter.save(update_fields=["read_at"])
        close_tasks(letter.organisation, subject=("transaction_actes", letter.pk), verb="Lire")
        _trace(letter, "actes.courrier_lu", actor)


def close_letter(letter: Transaction, *, actor: Actor) -> None:
    """A person says that the letter was answered otherwise, on paper: nothing more is asked here."""
    with transaction.atomic():
        letter = lock_transaction(letter.pk)
        letter.read_at = letter.read_at or clock.now()
        letter.save(update_fields=["read_at"])
        if close_tasks(letter.organisation, subject=("transaction_actes", letter.pk)):
            _trace(letter, "actes.courrier_clos", actor)


def _trace(letter: Transaction, action: str, actor: Actor, **details: Any) -> None:
    details |= {"transaction": str(letter.pk), "kind": letter.kind}
    record(letter.organisation, action, subject=("acte", letter.acte_id or letter.pk), actor=actor, details=details)


def prepare_answer(letter: Transaction, kind: str, files: list[Annexe], *, actor: Actor) -> Transaction:
    """Prepare an answer, to be looked at before it is sent. Raises ``AnswerRefused`` naming the file at fault."""
    with transaction.atomic():
        letter = lock_transaction(letter.pk)
        acte = letter.acte
        assert acte is not None
        if kind not in ANSWERS.get(letter.kind, ()) or letter.message_id is None:
            raise AnswerRefused(f"On ne répond pas ainsi à ce courrier ({letter.get_kind_display().lower()}).")
        if answer_of(letter):
            raise AnswerRefused("Une réponse à ce courrier est déjà préparée ou partie : rechargez la page.")
        _judge_files(acte, kind, files)
        answer = _open(letter, TransactionKind(kind), Status.A_POSTER, actor=actor, sentence="Réponse préparée.")
        TransactionPiece.objects.bulk_create(
            TransactionPiece(
                organisation=letter.organisation,
                transaction=answer,
                rank=rank,
                code_pj=file.code_pj,
                document=file.document,
                posted_filename=file.document.filename,
            )
            for rank, file in enumerate(files, start=1)
        )
        _trace(letter, "actes.reponse_preparee", actor, answer=kind, files=len(files))
        return answer


def _judge_files(acte: Acte, kind: str, files: list[Annexe]) -> None:
    if not files:
        raise AnswerRefused("Joignez au moins un fichier : la préfecture n’accepte pas de réponse sans pièce.")
    if len(files) > 1 and kind != SEVERAL:
        raise AnswerRefused("Cette réponse ne porte qu’un fichier : réunissez les vôtres en un seul PDF.")
    first = 2 if kind == SEVERAL else 1  # pieces may be images, a letter is a PDF
    known = current_classification(acte.organisation)
    described = tuple(
        piece_file(rank, file.code_pj, file.document.filename, file.document)
        for rank, file in enumerate(files, start=first)
    )
    refused = refusals(
        check_files(
            Candidate(
                numero=acte.numero_actes,
                nature=acte.nature,
                objet=acte.objet,
                decision_date=acte.decision_date,
                matiere="",
                files=described,
                classification=in_force(known.pk) if known else None,
                today=clock.today(),
                emitter=lambda: emitter_of(acte.organisation, settings_of(acte.organisation)),
            )
        )
    )
    if refused:
        raise AnswerRefused(" ".join(finding.sentence for finding in refused))


def send_answer(answer: Transaction, *, actor: Actor) -> None:
    """Send a prepared answer; asking twice sends once."""
    with transaction.atomic():
        answer = lock_transaction(answer.pk)
        if answer.status != Status.A_POSTER:
            return
        chosen = settings_of(answer.organisation)
        if chosen.suspended:
            raise AnswerRefused("La télétransmission est suspendue : répondez à la préfecture sur papier.")
        emitter_of(answer.organisation, chosen)
        answer.delivery, answer.test = Delivery.A_CONSTRUIRE, chosen.test
        move(answer, Status.POSTE, "Envoi de la réponse demandé.", actor=actor)
        _request(answer)


def drop_answer(answer: Transaction, *, actor: Actor) -> None:
    """Give up an answer that has not left: another may be prepared."""
    with transaction.atomic():
        answer = lock_transaction(answer.pk)
        if answer.status != Status.A_POSTER:
            raise AnswerRefused("Cette réponse est partie : elle ne s’abandonne plus.")
        answer.delivery = Delivery.ABANDONNEE
        move(answer, Status.ERREUR, "Réponse abandonnée avant l’envoi.", actor=actor)
