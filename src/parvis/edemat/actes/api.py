"""Operations of acts: read them, download them, prepare one as its own software would hand it over."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import File, Form, Query, Router, Schema
from ninja.files import UploadedFile
from ninja.responses import Status
from pydantic import Field

from parvis.core.api.fields import TEXT, Cursor, Limit, Page, Search, page_of, refused
from parvis.core.api.operations import JSON, MULTIPART, ApiRequest, operation
from parvis.core.api.problems import Problem
from parvis.core.documents.delivery import deliver
from parvis.core.referentials.legality import MAX_ARCHIVE
from parvis.edemat.actes import board
from parvis.edemat.actes.formats.checks import Finding
from parvis.edemat.actes.formats.numbers import InvalidActeNumber
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services.correction import Correction, CorrectionRefused, correct_acte, is_correctable
from parvis.edemat.actes.services.deposit import FileRefused, deposit_acte
from parvis.edemat.actes.services.preparation import NumberTaken

router = Router(tags=["Actes"])
Situation = Literal["", "a_transmettre", "en_cours", "acquittes", "a_publier", "publies", "erreur", "annules"]
NATURES = Literal["1", "2", "3", "4", "5", "6"]


class FileOut(Schema):
    nom: str
    taille: int = Field(description="En octets.")
    type: str
    sha256: str


class ActeOut(Schema):
    """Un acte, tel qu’il est transmis au contrôle de légalité."""

    id: UUID
    numero: str
    numero_transmis: str
    nature: str
    objet: str
    date: dt.date
    matiere: str
    matiere_libelle: str
    etat: int
    etat_libelle: str
    identifiant_unique: str = Field(description="Donné par l’État à l’acquittement ; vide avant.")
    recu_le: dt.date | None = Field(description="Reçu en préfecture.")
    publie_le: dt.date | None
    notifie_le: dt.date | None = Field(description="Notifié aux personnes qu’il nomme.")
    document: FileOut


class CheckOut(Schema):
    """Un contrôle fait avant l’envoi."""

    code: str
    gravite: str
    respecte: bool
    explication: str


class PreparedOut(ActeOut):
    controles: list[CheckOut]


class ActeIn(Schema):
    """Ce qui décrit un acte à préparer."""

    numero: str = Field(min_length=1, max_length=60, pattern=TEXT, description="Tel qu’il figure sur l’acte.")
    nature: NATURES = Field(description="De 1 (délibération) à 6 (autre), comme dans la nomenclature de l’État.")
    objet: str = Field(min_length=1, max_length=499, pattern=TEXT)
    date: dt.date
    matiere: str = Field(pattern=r"^[1-9](\.[0-9]{1,2}){1,4}$", max_length=20, description="Par exemple 5.7.")
    type_piece: str = Field("", pattern=r"^([0-9]{2}_[A-Z]{2})?$", max_length=5)


class CorrectionIn(Schema):
    """Ce qu’il faut changer d’un acte qui n’est pas parti, ou que l’État a refusé ; le reste demeure."""

    numero: str | None = Field(None, min_length=1, max_length=60, pattern=TEXT)
    numero_transmis: str | None = Field(None, min_length=1, max_length=15, pattern=TEXT)
    objet: str | None = Field(None, min_length=1, max_length=499, pattern=TEXT)
    date: dt.date | None = None
    matiere: str | None = Field(None, pattern=r"^[1-9](\.[0-9]{1,2}){1,4}$", max_length=20)
    type_piece: str | None = Field(None, pattern=r"^[0-9]{2}_[A-Z]{2}$")


FIELDS = {"numero_actes": "numero_transmis", "decision_date": "date"}
"""Fields of a correction that the API calls otherwise."""


def _told(acte: Acte) -> dict[str, Any]:
    document = acte.document
    return {
        "id": acte.pk,
        "numero": acte.numero,
        "numero_transmis": acte.numero_actes,
        "nature": acte.nature,
        "objet": acte.objet,
        "date": acte.decision_date,
        "matiere": acte.matiere,
        "matiere_libelle": acte.matiere_label,
        "etat": acte.status,
        "etat_libelle": acte.get_status_display(),
        "identifiant_unique": acte.unique_id,
        "recu_le": acte.received_on,
        "publie_le": acte.published_on,
        "notifie_le": acte.notified_on,
        "document": {
            "nom": document.filename,
            "taille": document.size,
            "type": document.media_type,
            "sha256": document.sha256,
        },
    }


def _acte(request: ApiRequest, pk: UUID) -> Acte:
    acts = Acte.objects.select_related("document__organisation")
    return get_object_or_404(acts, pk=pk, organisation=request.organisation)


@operation(
    router, "GET", "/actes", scope="actes.lire", application="edemat", response=Page[ActeOut], summary="Les actes"
)
def list_acts(
    request: ApiRequest,
    curseur: Cursor = "",
    limite: Limit = 50,
    etat: Situation = "",
    nature: Annotated[Literal["", "1", "2", "3", "4", "5", "6"], Query("")] = "",
    du: dt.date | None = None,
    au: dt.date | None = None,
    q: Search = "",
) -> dict[str, Any]:
    """Les actes de l’organisation, du plus récent au plus ancien ; « q » cherche dans l’objet et les numéros."""
    filters = board.Filters(situation=etat, nature=nature, since=du, until=au, text=q.strip())
    rows = board.acts(request.organisation, filters).select_related("document").defer("checks")
    page = page_of(rows, "decision_date", curseur, limite)
    return {**page, "elements": [_told(acte) for acte in page["elements"]]}


@operation(
    router, "GET", "/actes/{uuid:pk}", scope="actes.lire", application="edemat", response=ActeOut, summary="Un acte"
)
def read_acte(request: ApiRequest, pk: UUID) -> dict[str, Any]:
    """Un acte par son identifiant."""
    return _told(_acte(request, pk))


@operation(
    router,
    "GET",
    "/actes/{uuid:pk}/document",
    scope="actes.lire",
    application="edemat",
    files=("application/pdf", "application/octet-stream"),
    summary="Le fichier d’un acte",
)
def read_document(request: ApiRequest, pk: UUID) -> HttpResponseBase:
    """L’acte transmis lui-même ; les demandes partielles (Range) sont servies."""
    return deliver(request, _acte(request, pk).document)


@operation(
    router,
    "POST",
    "/actes",
    scope="actes.preparer",
    application="edemat",
    body=MULTIPART,
    max_body=MAX_ARCHIVE,
    response={201: PreparedOut},
    summary="Préparer un acte",
)
def prepare(
    request: ApiRequest,
    acte: Form[ActeIn],
    fichier: File[UploadedFile],
    annexes: File[list[UploadedFile]] = [],  # noqa: B006 - read by ninja, never changed
) -> Status:
    """Dépose un acte et ses annexes. Rien ne part à la préfecture : une personne relit, puis transmet.

    Le même numéro deux fois est un conflit (409) : la demande peut donc être répétée sans risque.
    """
    try:
        made, findings = deposit_acte(
            request.organisation, acte.model_dump(mode="json"), fichier, annexes, actor=request.actor
        )
    except FileRefused as error:
        raise refused(f"corps.{error.field}", error.rule, error.way_out) from error
    except NumberTaken as error:
        raise _taken("corps.numero", error) from error
    return Status(201, _told(made) | _checked(findings))


@operation(
    router,
    "PATCH",
    "/actes/{uuid:pk}",
    scope="actes.preparer",
    application="edemat",
    body=JSON,
    response=PreparedOut,
    summary="Corriger un acte",
)
def correct(request: ApiRequest, pk: UUID, correction: CorrectionIn) -> dict[str, Any]:
    """Corrige un acte qui n’est pas parti, ou que l’État a refusé, et le contrôle de nouveau.

    Le fichier de l’acte ne change pas. Un acte parti répond par un conflit (409).
    """
    acte = _acte(request, pk)
    if not is_correctable(acte):
        raise refused("corps", "Cet acte est parti.", "Il ne se corrige plus.", status=409)
    wanted = correction.model_dump(exclude={"numero_transmis", "date"})
    wanted |= {"numero_actes": correction.numero_transmis, "decision_date": correction.date}
    try:
        findings = correct_acte(acte, Correction(**wanted), actor=request.actor)
    except NumberTaken as error:
        raise _taken("corps.numero_transmis", error) from error
    except InvalidActeNumber as error:
        raise refused("corps.numero_transmis", error.sentence, "Corrigez-le.") from error
    except CorrectionRefused as error:
        name = FIELDS.get(error.field, error.field)
        raise refused(f"corps.{name}".rstrip("."), error.sentence, "Corrigez cette valeur.") from error
    return _told(_acte(request, pk)) | _checked(findings)


def _taken(champ: str, error: NumberTaken) -> Problem:
    """The conflict of a number, with the act that has it."""
    holder = error.holder.pk
    address = reverse("api:read_acte", kwargs={"pk": holder})
    return refused(champ, error.sentence, "Relisez l’acte qui le porte.", status=409, existing=(holder, address))


def _checked(findings: list[Finding]) -> dict[str, Any]:
    told = [{"code": f.code, "gravite": f.severity, "respecte": f.ok, "explication": f.sentence} for f in findings]
    return {"controles": told}
