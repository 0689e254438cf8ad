"""Correcting an act that has not left, or that the State refused: what describes it and what goes with it.

The signed document never changes. What is printed on it (number, date of the decision) changes only where
Parvis did not establish it itself and nobody has read it online.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action, register_precision
from parvis.core.journal.services import Actor, record
from parvis.core.routing.services import attach, close_tasks, detach
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.formats import checks
from parvis.edemat.actes.formats.checks import Finding
from parvis.edemat.actes.formats.matieres import Matiere
from parvis.edemat.actes.formats.numbers import ActeNumber
from parvis.edemat.actes.locking import lock_acte, lock_numbers
from parvis.edemat.actes.models import Acte, ActePiece, Publication
from parvis.edemat.actes.services.deposit import ask_for_more
from parvis.edemat.actes.services.preparation import (
    Annexe,
    NumberTaken,
    check_acte,
    current_classification,
    holder_of_number,
    label_of_matiere,
)

CORRECTABLE = (Status.A_POSTER, Status.ERREUR)
CHANGED = {
    "objet": "objet",
    "numero": "numéro",
    "numero_actes": "numéro transmis",
    "decision_date": "date de la décision",
    "matiere": "matière",
    "type_piece": "type de pièce",
    "annexes": "annexes",
}
"""What a correction may change, as the journal names it."""

register_action("actes.corrige", "Acte corrigé")
register_precision(
    "actes.corrige",
    lambda details: ", ".join(CHANGED[name] for name in details.get("changed", ()) if name in CHANGED),  # type: ignore[attr-defined]
)


class CorrectionRefused(DomainError):
    """The act cannot be corrected so; ``field`` names what is at fault, "" for the act as a whole."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence, field=field)
        self.field = field


@dataclass(frozen=True)
class PieceChange:
    """What becomes of an annexe: another type, another file, or nothing any more."""

    piece: UUID
    code_pj: str = ""
    replacement: Document | None = None
    drop: bool = False


@dataclass(frozen=True)
class Correction:
    """What to change; None leaves as it is. ``annexes`` are changed one by one, ``added`` come after them."""

    objet: str | None = None
    numero: str | None = None
    numero_actes: str | None = None
    decision_date: date | None = None
    matiere: str | None = None
    type_piece: str | None = None
    annexes: tuple[PieceChange, ...] = ()
    added: tuple[Annexe, ...] = ()


def is_correctable(acte: Acte) -> bool:
    """True while the State has not the act: not sent yet, or refused."""
    return acte.status in CORRECTABLE


def print_is_ours(acte: Acte) -> bool:
    """True when number and date stand: Parvis printed them on the act, or the public has read them."""
    return acte.route_id is not None or acte.published_on is not None


def correct_acte(acte: Acte, correction: Correction, *, actor: Actor) -> list[Finding]:
    """Apply ``correction``, examine the act again and return the findings, in one transaction.

    The facts of its route follow, and the task of its transmission says what remains to be done. Raises
    ``CorrectionRefused`` and ``NumberTaken``.
    """
    with transaction.atomic():
        acte = lock_acte(acte)
        if not is_correctable(acte):
            raise CorrectionRefused(
                f"L’acte est à l’état « {acte.get_status_display()} » : il ne se corrige plus. Rechargez sa page."
            )
        changed = _describe(acte, correction)
        if changed:
            acte.save(update_fields=[*CHANGED.keys() - {"annexes"}, "matiere_label"])
        if _change_annexes(acte, correction):
            changed["annexes"] = acte.pieces.count()
        if changed:
            _carry_over(acte)
        findings = check_acte(acte)
        if changed:
            _ask_again(acte, findings)
            record(
                acte.organisation,
                "actes.corrige",
                subject=("acte", acte.pk),
                actor=actor,
                sha256=acte.document.sha256,
                details={"changed": list(changed), "values": {k: v for k, v in changed.items() if v is not None}},
            )
        return findings


def _describe(acte: Acte, wanted: Correction) -> dict[str, object]:
    """Put what is corrected on ``acte``; returns the names of what changed, with values that name nobody."""
    changed: dict[str, object] = {}

    def put(name: str, value: object, said: object) -> None:
        if value is not None and value != getattr(acte, name):
            setattr(acte, name, value)
            changed[name] = said

    if wanted.objet is not None and (problem := checks.objet_problem(wanted.objet)):
        raise CorrectionRefused(problem, "objet")
    put("objet", wanted.objet, None)
    if (wanted.numero, wanted.decision_date) != (None, None) and print_is_ours(acte):
        differs = wanted.numero not in (None, acte.numero) or wanted.decision_date not in (None, acte.decision_date)
        if differs:
            raise CorrectionRefused(
                "Le numéro et la date portés sur l’acte ne changent plus : ils sont ceux de sa séance ou de sa "
                "publication. Seul le numéro transmis peut différer.",
                "numero" if wanted.numero not in (None, acte.numero) else "decision_date",
            )
    put("numero", wanted.numero, wanted.numero)
    if wanted.decision_date and wanted.decision_date > clock.today():
        raise CorrectionRefused("La date de la décision est à venir : indiquez celle de l’acte.", "decision_date")
    put("decision_date", wanted.decision_date, wanted.decision_date and wanted.decision_date.isoformat())
    if wanted.numero_actes is not None and wanted.numero_actes != acte.numero_actes:
        number = str(ActeNumber(wanted.numero_actes))
        lock_numbers(acte.organisation)
        if holder := holder_of_number(acte.organisation, number, but=acte):
            raise NumberTaken(number, holder)
        put("numero_actes", number, number)
    if wanted.matiere is not None and wanted.matiere != acte.matiere:
        label = _label_in_force(acte, wanted.matiere)
        put("matiere", wanted.matiere, wanted.matiere)
        acte.matiere_label = label
    put("type_piece", wanted.type_piece, wanted.type_piece)
    return changed


def _label_in_force(acte: Acte, code: str) -> str:
    """The label of a matière of the classification in force."""
    code = str(Matiere.parse(code))
    known = current_classification(acte.organisation)
    if known is None:
        raise CorrectionRefused(
            "La préfecture n’a pas encore donné sa classification : demandez-la, puis choisissez la matière.", "matiere"
        )
    label = label_of_matiere(known, code)
    if not label:
        raise CorrectionRefused(
            f"La matière {code} n’existe pas dans la classification du {known.date:%d/%m/%Y} : choisissez-en une "
            "autre.",
            "matiere",
        )
    return label


def _change_annexes(acte: Acte, wanted: Correction) -> bool:
    """Apply the changes of annexes, in place; True when anything has changed."""
    pieces = {piece.pk: piece for piece in acte.pieces.select_related("document").order_by("rank")}
    changed = False
    for change in wanted.annexes:
        piece = pieces.get(change.piece)
        if piece is None:
            raise CorrectionRefused("Les annexes ont changé pendant votre saisie : rechargez la page.")
        changed |= _change_piece(acte, piece, change)
        if change.drop:
            del pieces[change.piece]
    for rank, piece in enumerate(pieces.values(), start=2):
        if piece.rank != rank:  # ranks only go down, in order: none meets another
            piece.rank = rank
            piece.save(update_fields=["rank"])
    return _add(acte, wanted.added, after=len(pieces) + 1) or changed


def _change_piece(acte: Acte, piece: ActePiece, change: PieceChange) -> bool:
    if change.drop:
        _leave(acte, piece.document)
        piece.delete()
        return True
    changed = bool(change.code_pj) and change.code_pj != piece.code_pj
    if changed:
        piece.code_pj = change.code_pj
    if change.replacement:
        _leave(acte, piece.document)
        piece.document, piece.posted_filename = change.replacement, change.replacement.filename
        _join(acte, change.replacement)
        changed = True
    if changed:
        piece.regulatory_name = ""
        piece.save(update_fields=["code_pj", "document", "posted_filename", "regulatory_name"])
    return changed


def _add(acte: Acte, added: Iterable[Annexe], *, after: int) -> bool:
    made = [
        ActePiece(
            organisation=acte.organisation,
            acte=acte,
            rank=rank,
            code_pj=annexe.code_pj,
            document=annexe.document,
            posted_filename=annexe.filename or annexe.document.filename,
        )
        for rank, annexe in enumerate(added, start=after + 1)
    ]
    ActePiece.objects.bulk_create(made)
    for piece in made:
        _join(acte, piece.document)
    return bool(made)


def _join(acte: Acte, document: Document) -> None:
    if acte.route:
        attach(acte.route, "annexe", document, document.filename)


def _leave(acte: Acte, document: Document) -> None:
    if acte.route:
        detach(acte.route, "annexe", document)


def _carry_over(acte: Acte) -> None:
    """Tell what follows on the route, and the public page of an act already online, how the act is described."""
    described = {"objet": acte.objet, "matiere": acte.matiere, "matiere_label": acte.matiere_label}
    if acte.route:
        told = acte.route.facts.get("acte", {}) | described | {"type_piece": acte.type_piece}
        acte.route.facts |= {"acte": told}
        acte.route.title = acte.objet
        acte.route.save(update_fields=["facts", "title"])
    Publication.objects.online().filter(acte=acte).update(**described)


def _ask_again(acte: Acte, findings: list[Finding]) -> None:
    """One task for what remains: to correct, or to transmit."""
    close_tasks(acte.organisation, subject=("acte", acte.pk), verb="Corriger")
    close_tasks(acte.organisation, subject=("acte", acte.pk), verb="Transmettre")
    ask_for_more(acte, findings, "corrigé")
