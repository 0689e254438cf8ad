"""Sending acts to the State: transmission in two steps, uncertain sends that a person settles."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.web.confirming import carry_out, confirm, intends
from parvis.core.web.keyset import page_of
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.formats.checks import refusals
from parvis.edemat.actes.models import Acte, Transaction
from parvis.edemat.actes.services import cancellation, classification
from parvis.edemat.actes.services.preparation import check_acte, settings_of
from parvis.edemat.actes.services.transmission import resolve_uncertain, transmettre
from parvis.edemat.actes.views.acts import get_acte

TRANSMISSION = "L’acte sera envoyé à la préfecture, sans retour possible, et son numéro sera pris."
PAPER = {"electronique"}
"""Findings that send the act on paper: there is nothing to correct in it."""


def _crumbs(acte: Acte, page: str) -> list[dict[str, str]]:
    acts = reverse("actes:list", args=[acte.organisation.slug])
    return [{"label": "Actes", "url": acts}, {"label": acte.numero, "url": page}]


@agent_view("actes.transmettre", application="edemat", recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def transmit(request: AgentRequest, pk: UUID) -> HttpResponse:
    """What will be sent and what was checked; the button sends the act to the préfecture, for good."""
    acte = get_acte(request, pk)
    here: dict[str, Any] = {"organisation_slug": request.organisation.slug, "pk": acte.pk}
    if acte.status not in (Status.A_POSTER, Status.ERREUR):
        return redirect("actes:detail", **here)
    detail = reverse("actes:detail", kwargs=here)
    if intends(
        request,
        title=f"Transmettre à la préfecture l’acte {acte.numero} — {acte.objet}",
        text=TRANSMISSION,
        verb="Transmettre à la préfecture",
        back=detail,
        crumbs=_crumbs(acte, detail),
    ):
        return HttpResponse()
    error = ""
    if request.method == "POST":
        try:
            transmettre(acte, actor=request.actor)
        except DomainError as refusal:
            error = refusal.sentence
        else:
            messages.success(request, "La transmission est lancée. L’accusé de réception arrivera sur cette page.")
            return redirect("actes:detail", **here)
    findings = check_acte(acte)
    chosen = settings_of(acte.organisation)
    suspension = chosen.suspension_reason or "suspendue" if chosen.suspended else ""
    missing = {finding.code for finding in refusals(findings)}
    return render(
        request,
        "actes/transmit.html",
        {
            "lacks_classification": "classification" in missing,
            "asked_today": "classification" in missing and classification.asked_today(acte.organisation),
            "lacks_settings": "emetteur" in missing,
            "may_set": "administration.organisation" in request.permissions,
            "acte": acte,
            "will_happen": TRANSMISSION,
            "pieces": acte.pieces.select_related("document__organisation").order_by("rank"),
            "checks": [finding.to_dict() for finding in sorted(findings, key=lambda finding: finding.ok)],
            "refused": bool(missing - PAPER),
            "suspension": suspension,
            "trial": chosen.test,
            "may_correct": "actes.preparer" in request.permissions,
            "error": error,
        },
        status=400 if error else 200,
    )


@agent_view("actes.transmettre", application="edemat", recent=True)
@require_POST
def ask_for_classification(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Ask the préfecture for its classification from the act that lacks it."""
    acte = get_acte(request, pk)
    return carry_out(
        request,
        lambda: classification.request_classification(acte.organisation, actor=request.actor),
        done="La classification est demandée. Revenez transmettre l’acte quand elle est là, en général dans l’heure.",
        back=reverse("actes:transmit", args=[request.organisation.slug, acte.pk]),
    )


@agent_view("actes.transmettre", application="edemat")
@require_safe
def uncertain_list(request: AgentRequest) -> HttpResponse:
    """The sends whose outcome nobody knows yet, oldest first."""
    waiting = Transaction.objects.filter(organisation=request.organisation).uncertain().select_related("acte")
    page = page_of(waiting, "attempt_started_at", request.GET, descending=False)
    return render(request, "actes/uncertain_list.html", {"page": page})


@agent_view("actes.transmettre", application="edemat", recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def uncertain(request: AgentRequest, pk: UUID) -> HttpResponse:
    """A person says whether the préfecture received this exchange: wait for its answer, or send again."""
    waiting = Transaction.objects.uncertain().select_related("acte", "related", "organisation")
    subject = get_object_or_404(waiting, pk=pk, organisation=request.organisation)
    answer = request.POST.get("received", "")
    if request.method == "POST" and answer in ("oui", "non"):
        try:
            resolve_uncertain(subject, received=answer == "oui", actor=request.actor)
        except DomainError as refusal:
            messages.error(request, refusal.sentence)
        else:
            said = "L’envoi est tenu pour reçu." if answer == "oui" else "L’envoi repart à la préfecture."
            messages.success(request, said)
        place = [request.organisation.slug]
        if subject.acte_id is None:
            return redirect("actes:uncertain_list", *place)
        return redirect("actes:detail", *place, subject.acte_id)
    return render(request, "actes/uncertain.html", {"acte": subject.acte, "transaction": subject})


@agent_view("actes.transmettre", application="edemat", recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Ask the préfecture to cancel the transmission; the page says that the act itself remains."""
    acte = get_acte(request, pk)
    back = reverse("actes:detail", args=[request.organisation.slug, acte.pk])
    if request.method != "POST" and (refusal := cancellation.why_not(acte)):
        messages.info(request, refusal)
        return redirect(back)
    online = " Il reste en ligne tant que vous ne l’en retirez pas." if acte.publications.online().exists() else ""
    return confirm(
        request,
        title=f"Annuler la transmission de l’acte {acte.numero}",
        text="La préfecture tiendra l’acte pour non transmis : il ne sera plus exécutoire. L’acte lui-même demeure, "
        f"mais son numéro ne pourra plus servir.{online} L’annulation est définitive.",
        verb="Annuler la transmission",
        back=back,
        action=lambda: cancellation.ask_to_cancel(acte, actor=request.actor),
        done="L’annulation est demandée. L’accusé de la préfecture arrivera sur cette page.",
        crumbs=_crumbs(acte, back),
        danger=True,
    )
