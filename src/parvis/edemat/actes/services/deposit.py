"""Depositing an act made elsewhere, by a person on its page or by their software through the API."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.referentials.legality import MAX_ANNEXES
from parvis.core.routing.services import open_task
from parvis.edemat.actes.formats.checks import Finding, refusals
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services.preparation import (
    Annexe,
    check_acte,
    current_classification,
    keep_upload,
    label_of_matiere,
    piece_file,
    prepare_acte,
)
from parvis.edemat.actes.services.transmission import path_of


class FileRefused(DomainError):
    """A file cannot be of an act; ``field`` is "fichier" or "annexes", ``way_out`` what to do with it."""

    def __init__(self, field: str, sentence: str, way_out: str = "") -> None:
        super().__init__(f"{sentence} {way_out}".strip(), field=field)
        self.field, self.rule, self.way_out = field, sentence, way_out


def deposit_acte(
    organisation: Organisation,
    facts: Mapping[str, Any],
    fichier: UploadedFile,
    annexes: Sequence[UploadedFile] = (),
    *,
    actor: Actor,
    annexes_type: str = "",
) -> tuple[Acte, list[Finding]]:
    """Keep the files, prepare the act and examine it: all of it, or nothing. A task asks somebody to go on.

    ``facts`` are those of ``prepare_acte``, whose refusals are raised too, but for the label of the matière, found
    here. Raises ``FileRefused``.
    """
    if len(annexes) > MAX_ANNEXES:
        raise FileRefused("annexes", f"{MAX_ANNEXES} annexes au plus.", "Réunissez-en plusieurs.")
    with transaction.atomic():
        document = _kept(organisation, "fichier", fichier)
        if document.media_type != "application/pdf":
            raise FileRefused("fichier", "L’acte est un fichier PDF.", "Enregistrez-le en PDF, puis déposez-le.")
        attached = [Annexe(_kept(organisation, "annexes", annexe), code_pj=annexes_type) for annexe in annexes]
        known = current_classification(organisation)
        label = label_of_matiere(known, str(facts.get("matiere", ""))) if known else ""
        described = dict(facts) | {"matiere_label": label}
        acte = prepare_acte(organisation, described, document, actor=actor, annexes=attached)
        findings = check_acte(acte)
        ask_for_more(acte, findings, "déposé")
    return acte, findings


def _kept(organisation: Organisation, field: str, upload: UploadedFile) -> Document:
    """The file, kept; one that could not leave is refused now, for an act that is deposited keeps its file."""
    try:
        document = keep_upload(organisation, upload)
    except DomainError as error:
        raise FileRefused(field, error.sentence) from error
    if problems := piece_file(1, "", document.filename, document).problems:
        raise FileRefused(field, f"« {document.filename} » ne peut pas partir : {' ; '.join(problems)}.")
    return document


def ask_for_more(acte: Acte, findings: Iterable[Finding], done: str) -> None:
    """One task for what remains of an act just ``done`` (« déposé »): to correct, or to transmit."""
    refused = refusals(list(findings))
    open_task(
        acte.organisation,
        service="actes",
        verb="Corriger" if refused else "Transmettre",
        title=acte.objet,
        summary=refused[0].sentence if refused else f"Acte n° {acte.numero} {done}, contrôles passés",
        permission="actes.preparer" if refused else "actes.transmettre",
        path=path_of(acte),
        subject=("acte", acte.pk),
    )
