"""What concerns each member: own convocation and its receipt, deliveries to repair, evidence."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.identity.access import AgentRequest
from parvis.edemat.seances import queries, services
from parvis.edemat.seances.forms import HandedForm, ResendForm
from parvis.edemat.seances.models import Convocation, Seance
from parvis.edemat.seances.views.page import MANAGE, READ, SIT, crumbs, do, draw, seance_or_404


@require_http_methods(["GET", "POST"])
@SIT
def my_convocation(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The member's page: the meeting, its documents, and the button that acknowledges receipt."""
    seance = seance_or_404(pk)
    convocation = queries.own_convocation(seance, request.user)
    if convocation is None:
        raise Http404
    if request.method == "POST":
        services.acknowledge_receipt(convocation, actor=request.actor)
        messages.success(request, "Votre accusé de réception est enregistré.")
        return redirect("seances:my_convocation", seance.organisation.slug, pk)
    context = {
        "seance": seance,
        "convocation": convocation,
        "points": queries.agenda(seance),
        "crumbs": crumbs(request, seance, "Ma convocation"),
        "over": seance.state in Seance.OVER,
    }
    return render(request, "seances/my_convocation.html", context)


@require_safe
@READ
def evidence(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Every statement of the meeting with its token decoded and verified."""
    seance = seance_or_404(pk)
    found, broken = services.read_evidence(seance)
    context = {
        "seance": seance,
        "found": found,
        "broken": broken,
        "crumbs": crumbs(request, seance, "Preuves"),
        "deferred": any(one.deferred for one in found),
        "may_manage": "seances.gerer" in request.permissions,
    }
    return render(request, "seances/evidence.html", context)


@require_POST
@MANAGE
def stamp_again(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Ask at once for the tokens that are still missing."""
    seance = seance_or_404(pk)
    if services.ask_missing_tokens(seance):
        messages.success(request, "L’horodatage est demandé : il figure ici dès que l’autorité répond.")
    else:
        messages.success(request, "Toutes les preuves sont horodatées.")
    return redirect("seances:evidence", seance.organisation.slug, pk)


def _convocation_or_404(pk: UUID) -> Convocation:
    return get_object_or_404(Convocation.objects.select_related("seance__organe", "seance__organisation", "elu"), pk=pk)


@require_POST
@MANAGE
def send_again(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Send to another address a convocation that came back."""
    convocation, form = _convocation_or_404(pk), ResendForm(request.POST)
    return _repair(
        request,
        convocation,
        form,
        lambda: services.resend(convocation, actor=request.actor, **form.cleaned_data),
        done=f"La convocation de {convocation.name} repart.",
        wrong="La nouvelle adresse n’est pas une adresse électronique : rien n’a été envoyé.",
    )


@require_POST
@MANAGE
def hand_on_paper(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Record the day a paper convocation was handed."""
    convocation, form = _convocation_or_404(pk), HandedForm(request.POST)
    return _repair(
        request,
        convocation,
        form,
        lambda: services.record_handed_on_paper(convocation, handed_at=form.handed_at, actor=request.actor),
        done=f"La remise à {convocation.name} est enregistrée.",
        wrong="Indiquez le jour et l’heure de la remise sur papier.",
    )


def _repair(
    request: AgentRequest,
    convocation: Convocation,
    form: BaseForm,
    action: Callable[[], Any],
    *,
    done: str,
    wrong: str,
) -> HttpResponse:
    """Do ``action`` when the form is well filled in, else draw the meeting again with the sentence ``wrong``."""
    if not form.is_valid():
        return draw(request, seance_or_404(convocation.seance_id), refusal=wrong, status=422)
    return do(request, convocation.seance, action, done)
