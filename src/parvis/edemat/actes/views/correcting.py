"""Correcting an act that has not left: its description and its annexes, each finding next to its field."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.referentials.legality import MAX_ARCHIVE
from parvis.core.web.templatetags.parvis import pluriel
from parvis.core.web.uploads import accepts_files
from parvis.edemat.actes.formats.checks import Finding, refusals
from parvis.edemat.actes.formats.numbers import InvalidActeNumber
from parvis.edemat.actes.forms import CorrectionForm
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services.correction import (
    Correction,
    CorrectionRefused,
    PieceChange,
    correct_acte,
    is_correctable,
    print_is_ours,
)
from parvis.edemat.actes.services.preparation import (
    Annexe,
    NumberTaken,
    check_acte,
    current_classification,
    holder_of_number,
    keep_upload,
)
from parvis.edemat.actes.views.acts import get_acte


@agent_view("actes.preparer", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
@accepts_files(CorrectionForm, {"file_*": MAX_ARCHIVE}, together=MAX_ARCHIVE)
def correct(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The act as it would leave, to put right; what is saved is examined again at once."""
    acte = get_acte(request, pk)
    if not is_correctable(acte):
        messages.info(request, "Cet acte est parti : il ne se corrige plus.")
        return redirect("actes:detail", organisation_slug=request.organisation.slug, pk=acte.pk)
    classification = current_classification(request.organisation)
    if request.method == "POST":
        form = CorrectionForm(acte, classification, request.POST, request.FILES)
        findings = _carry_out(request, acte, form) if form.is_valid() else None
        if findings is not None:
            return _saved(request, acte, findings)
        findings = []
    else:
        findings = check_acte(acte)
        form = CorrectionForm.as_found(acte, classification, findings)
        if not all(finding.ok for finding in findings if finding.code == "numero_libre"):
            form.holder = holder_of_number(request.organisation, acte.numero_actes, but=acte)
    elsewhere = [finding for finding in refusals(findings) if form.place_of(finding.code) is None]
    context = {
        "acte": acte,
        "form": form,
        "elsewhere": elsewhere,
        "fixed": print_is_ours(acte),
        "without_classification": classification is None,
    }
    return render(request, "actes/correct.html", context, status=422 if request.method == "POST" else 200)


def _saved(request: AgentRequest, acte: Acte, findings: list[Finding]) -> HttpResponse:
    remaining = len(refusals(findings))
    if remaining:
        points = pluriel(remaining, "point reste,points restent")
        messages.warning(request, f"La correction est enregistrée ; {points} à corriger avant l’envoi.")
        return redirect("actes:correct", organisation_slug=request.organisation.slug, pk=acte.pk)
    messages.success(request, "L’acte est corrigé, et tous ses contrôles passent.")
    may_send = "actes.transmettre" in request.permissions
    page = "actes:transmit" if may_send else "actes:detail"
    return redirect(page, organisation_slug=request.organisation.slug, pk=acte.pk)


def _carry_out(request: AgentRequest, acte: Acte, form: CorrectionForm) -> list[Finding] | None:
    """Apply what the form says; None, with the refusal next to its field, when nothing was changed."""
    field: str | None = None
    try:
        with transaction.atomic():
            entered, changes, added = form.cleaned_data, [], []
            for piece in form.pieces:
                field = f"file_{piece.pk}"
                file = entered[field]
                replacement = keep_upload(request.organisation, file) if file else None
                changes.append(
                    PieceChange(piece.pk, entered[f"type_{piece.pk}"], replacement, entered[f"drop_{piece.pk}"])
                )
            for file in entered["added"]:
                field = "added"
                added.append(Annexe(keep_upload(request.organisation, file), code_pj=entered["added_type"]))
            field = None
            described = {name: entered.get(name) for name in ("objet", "numero", "decision_date", "matiere")}
            correction = Correction(
                **described,
                numero_actes=entered["numero_actes"],
                type_piece=entered["type_piece"],
                annexes=tuple(changes),
                added=tuple(added),
            )
            return correct_acte(acte, correction, actor=request.actor)
    except CorrectionRefused as refusal:
        form.add_error(refusal.field or None, refusal.sentence)
    except NumberTaken as refusal:
        form.add_error("numero_actes", refusal.sentence)
        form.holder = refusal.holder
    except InvalidActeNumber as refusal:
        form.add_error("numero_actes", refusal.sentence)
    except DomainError as refusal:
        form.add_error(field, refusal.sentence)
    return None
