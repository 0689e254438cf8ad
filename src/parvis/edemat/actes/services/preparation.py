"""Preparing an act: what will be sent, under which names, and whether anything forbids it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import store
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.referentials.legality import EXTENSIONS, MAX_ARCHIVE
from parvis.core.routing.models import Route
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.formats import checks
from parvis.edemat.actes.formats.checks import (
    Candidate,
    ClassificationInForce,
    Finding,
    PieceFile,
)
from parvis.edemat.actes.formats.emitters import Emitter, Referent
from parvis.edemat.actes.formats.names import IdActe, nature_letters
from parvis.edemat.actes.formats.natures import NATURES
from parvis.edemat.actes.formats.numbers import ActeNumber
from parvis.edemat.actes.locking import lock_numbers
from parvis.edemat.actes.models import Acte, ActePiece, ActeSettings, Classification

register_action("actes.prepare", "Acte préparé pour la transmission")
DEFAULT_ANNEXE = {"1": "99_DE", "2": "99_AR", "3": "99_AI", "4": "99_DC", "5": "70_DE", "6": "99_AU"}


class NumberTaken(DomainError):
    """``holder``, another active act of the organisation, has the number."""

    def __init__(self, number: str, holder: Acte) -> None:
        super().__init__(
            f"Le numéro {number} est déjà celui de l’acte « {holder.objet} » du {holder.decision_date:%d/%m/%Y} : "
            "donnez un autre numéro à cet acte.",
            acte=str(holder.pk),
        )
        self.holder = holder


class NotPrepared(DomainError):
    """The facts given do not describe an act."""


@dataclass(frozen=True)
class Annexe:
    """An annexe to send: its file, the name to show, its piece type ("" for the usual one of the nature)."""

    document: Document
    filename: str = ""
    code_pj: str = ""


def keep_upload(organisation: Organisation, upload: UploadedFile) -> Document:
    """Keep a file of an act that a person or their software sends, sound and no heavier than an archive may be."""
    content = cast(BinaryIO, upload.file)
    return store(organisation, content, upload.name or "document", must_be_sound=True, limit=MAX_ARCHIVE)


def settings_of(organisation: Organisation) -> ActeSettings:
    """The organisation's settings, made with empty values when it has none yet."""
    found, _ = ActeSettings.objects.get_or_create(organisation=organisation)
    return found


def emitter_of(organisation: Organisation, chosen: ActeSettings) -> Emitter:
    """Identification of the authority for the envelope. Raises ``InvalidEmitter``."""
    return Emitter(
        siren=organisation.siren,
        departement=organisation.departement,
        arrondissement=organisation.arrondissement,
        nature=organisation.nature_actes,
        return_addresses=(chosen.return_address,) if chosen.return_address else (),
        referent=Referent(chosen.referent_name, chosen.referent_phone, chosen.referent_email),
    )


def current_classification(organisation: Organisation) -> Classification | None:
    return Classification.objects.filter(organisation=organisation, current=True).first()


def classification_date(organisation: Organisation) -> date | None:
    """Date of the classification in force, without reading its thousand labels."""
    current = Classification.objects.filter(organisation=organisation, current=True)
    return current.values_list("date", flat=True).first()


def identifier_of(acte: Acte) -> IdActe:
    """The identifiant unique that the State will give to ``acte``."""
    return IdActe(
        acte.organisation.departement,
        acte.organisation.siren,
        acte.decision_date,
        acte.numero_actes,
        nature_letters(acte.nature),
    )


def holder_of_number(organisation: Organisation, numero_actes: str, *, but: Acte | None = None) -> Acte | None:
    """The active act that has this number, other than ``but``."""
    holders = Acte.objects.active().filter(organisation=organisation, numero_actes=numero_actes)
    holders = holders.only("numero", "objet", "decision_date")
    return (holders.exclude(pk=but.pk) if but else holders).first()


def label_of_matiere(classification: Classification, code: str) -> str:
    """Labels of a matière from its first level down, « Finances locales/Subventions »; "" when it is not there."""
    return _path({matiere["code"]: matiere["label"] for matiere in classification.matieres}, code)


def _path(labels: Mapping[str, str], code: str) -> str:
    levels = code.split(".")
    path = [labels.get(".".join(levels[:depth]), "") for depth in range(1, len(levels) + 1)]
    return "/".join(filter(None, path))[:300] if path[-1] else ""


def matieres_in_force(organisation: Organisation) -> list[tuple[str, str]]:
    """The matières of the classification in force as (code, labels from the first level down), in its order."""
    classification = current_classification(organisation)
    labels = {str(m["code"]): str(m["label"]) for m in classification.matieres} if classification else {}
    return [(code, _path(labels, code)) for code in labels if "." in code]


def piece_types(classification: Classification | None, nature: str) -> list[tuple[str, str]]:
    """Types of piece of a nature as (code, label), the usual ones (« 99_ ») first, then by label; [] when not given."""
    natures = classification.natures if classification else []
    pieces = [(p["code"], p["label"]) for n in natures if n["code"] == nature for p in n["pieces"]]
    return sorted(pieces, key=lambda piece: (not piece[0].startswith("99_"), piece[1], piece[0]))


def prepare_acte(
    organisation: Organisation,
    facts: Mapping[str, Any],
    document: Document,
    *,
    actor: Actor,
    annexes: Iterable[Annexe] = (),
    original: Document | None = None,
    route: Route | None = None,
) -> Acte:
    """Record an act to be checked then transmitted, in the caller's transaction.

    ``facts`` has the keys of the route's "acte" (numero, nature, objet, date, matiere, matiere_label,
    type_piece). Raises ``NumberTaken``, ``InvalidActeNumber`` when no number can be made of the displayed
    one, and ``NotPrepared`` when a key is missing or out of form; other faults are findings of
    ``check_acte``.
    """
    try:
        numero, nature, objet = str(facts["numero"]), str(facts["nature"]), str(facts["objet"])
        decision_date = date.fromisoformat(str(facts["date"]))
    except (KeyError, ValueError) as error:
        raise NotPrepared("L’acte n’a pas de numéro, de nature, d’objet ou de date de décision.") from error
    if nature not in NATURES:
        raise NotPrepared(f"La nature d’acte « {nature} » n’existe pas : choisissez-en une de 1 à 6.")
    if problem := checks.objet_problem(objet):
        raise NotPrepared(problem)
    number = ActeNumber.from_displayed(numero)
    head = lock_numbers(organisation)
    if holder := holder_of_number(organisation, str(number)):
        raise NumberTaken(str(number), holder)
    acte = Acte.objects.create(
        organisation=organisation,
        route=route,
        numero=numero,
        numero_actes=str(number),
        nature=nature,
        objet=objet,
        decision_date=decision_date,
        matiere=str(facts.get("matiere", "")),
        matiere_label=str(facts.get("matiere_label", ""))[:300],
        document=document,
        original=original,
        type_piece=str(facts.get("type_piece") or NATURES[nature].default_piece),
        posted_filename=document.filename,
        status=Status.A_POSTER,
        created_at=clock.now(),
    )
    pieces = [
        ActePiece(
            organisation=organisation,
            acte=acte,
            rank=rank,
            code_pj=annexe.code_pj or DEFAULT_ANNEXE[nature],
            document=annexe.document,
            posted_filename=annexe.filename or annexe.document.filename,
        )
        for rank, annexe in enumerate(annexes, start=2)
    ]
    ActePiece.objects.bulk_create(pieces)
    record(
        organisation,
        "actes.prepare",
        subject=("acte", acte.pk),
        actor=actor,
        sha256=document.sha256,
        details={"annexes": len(pieces), "numero": str(number)},
        head=head,
    )
    return acte


def piece_file(rank: int, code: str, filename: str, document: Document) -> PieceFile:
    """What the checks need to know of a file; an owner's restriction is a problem here, for the State
    refuses it."""
    health = document.health or {}
    problems = [str(p) for p in health.get("problems", ())]
    if health.get("mismatch"):
        problems.append(str(health["mismatch"]))
    if health.get("encrypted") or health.get("restricted"):
        forbidden = ", ".join(health.get("restrictions", ())) or "ouverture"
        problems.append(f"il est verrouillé ({forbidden}), enregistrez-en une copie sans restriction")
    return PieceFile(
        rank, code, filename, document.media_type, document.size, tuple(problems),
        infected=document.scan_state == Document.Scan.INFECTED,
    )  # fmt: skip


def files_of(acte: Acte) -> list[tuple[PieceFile, Document]]:
    """The act then its annexes, in the order of sending."""
    found = [(piece_file(1, acte.type_piece, acte.posted_filename, acte.document), acte.document)]
    for piece in acte.pieces.prefetch_related("document").order_by("rank"):
        piece.document.organisation = acte.organisation
        described = piece_file(piece.rank, piece.code_pj, piece.posted_filename, piece.document)
        found.append((described, piece.document))
    return found


@lru_cache(maxsize=64)
def in_force(classification_id: UUID) -> ClassificationInForce:
    """The classification as the checks read it, kept in memory: its content never changes once received."""
    classification = Classification.objects.get(pk=classification_id)
    return ClassificationInForce(
        classification.date,
        frozenset(m["code"] for m in classification.matieres),
        {n["code"]: frozenset(p["code"] for p in n["pieces"]) for n in classification.natures},
    )


CHECKED = ["checks", "checked_at", "classification_version"]


def check_acte(acte: Acte) -> list[Finding]:
    """Run the pre-flight checks, keep their findings on the act and return them."""
    findings = examine(acte, settings_of(acte.organisation))
    acte.save(update_fields=CHECKED)
    return findings


def examine(acte: Acte, chosen: ActeSettings) -> list[Finding]:
    """Run the pre-flight checks and put their findings on ``acte``, to save by ``CHECKED``."""
    organisation = acte.organisation
    known = Classification.objects.filter(organisation=organisation, current=True)
    classification = known.values_list("pk", "date").first()
    # While the act is active the database itself keeps its number to it.
    in_error = acte.status == Status.ERREUR
    holder = holder_of_number(organisation, acte.numero_actes, but=acte) if in_error else None
    findings = checks.check(
        Candidate(
            numero=acte.numero_actes,
            nature=acte.nature,
            objet=acte.objet,
            decision_date=acte.decision_date,
            matiere=acte.matiere,
            files=tuple(described for described, _ in files_of(acte)),
            classification=in_force(classification[0]) if classification else None,
            today=clock.today(),
            emitter=lambda: emitter_of(organisation, chosen),
            number_holder=str(holder) if holder else "",
            suspended=chosen.suspended,
        )
    )
    acte.checks = [finding.to_dict() for finding in findings]
    acte.checked_at = clock.now()
    acte.classification_version = classification[1] if classification else None
    return findings


def extension_of(file: PieceFile) -> str:
    """Extension of the regulatory name, from the content and not from the posted name."""
    return EXTENSIONS[file.media_type]
