"""List of meetings, their preparation, and the convocation in two clicks."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.identity.access import AgentRequest
from parvis.edemat.seances import queries, services
from parvis.edemat.seances.forms import AnnexeForm, PointForm, SeanceForm
from parvis.edemat.seances.models import Organe, Seance
from parvis.edemat.seances.views.page import (
    MANAGE,
    READ,
    STATE_CHIPS,
    address,
    attempt,
    crumbs,
    do,
    draw,
    point_or_404,
    seance_or_404,
)

COLUMNS = [
    {"label": "Séance"},
    {"label": "Lieu"},
    {"label": "État"},
    {"label": "Points", "amount": True},
    {"label": "Accusés de réception", "amount": True},
]


@require_safe
@READ
def seances(request: AgentRequest) -> HttpResponse:
    """Meetings to come, then those that are over, page by page."""
    before = _instant(request.GET.get("avant", ""))
    past = queries.past_seances(before)
    page, more = past[: queries.PAGE], past[queries.PAGE :]
    context = {
        "columns": COLUMNS,
        "coming": [(one, STATE_CHIPS[Seance.State(one.state)]) for one in queries.coming_seances()],
        "past": [(one, STATE_CHIPS[Seance.State(one.state)]) for one in page],
        "next": f"?avant={page[-1].starts_at.isoformat().replace('+', '%2B')}" if more else "",
        "may_manage": "seances.gerer" in request.permissions,
        "has_body": Organe.objects.exists(),
        "crumbs": [],
    }
    return render(request, "seances/list.html", context)


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


@require_http_methods(["GET", "POST"])
@MANAGE
def create(request: AgentRequest) -> HttpResponse:
    """Plan a meeting."""
    form = SeanceForm(request.POST or None)
    if form.is_valid():
        seance = services.plan_seance(
            form.cleaned_data["organe"],
            actor=request.actor,
            **form.values,
        )
        messages.success(request, "La séance est prévue. Composez maintenant son ordre du jour.")
        return redirect("seances:detail", seance.organisation.slug, seance.pk)
    return render(
        request,
        "seances/form.html",
        {
            "form": form,
            "title": "Prévoir une séance",
            "verb": "Prévoir la séance",
            "crumbs": crumbs(request, here="Prévoir une séance"),
            "cancel": address(request, "list"),
        },
        status=422 if form.errors else 200,
    )


@require_safe
@READ
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The page of a meeting."""
    return draw(request, seance_or_404(pk))


@require_http_methods(["GET", "POST"])
@MANAGE
def edit(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Change a meeting in preparation."""
    seance = seance_or_404(pk)
    form = SeanceForm(request.POST or None, seance=seance)
    if form.is_valid():
        refusal = attempt(lambda: services.change_seance(seance, actor=request.actor, **form.values))
        if not refusal:
            messages.success(request, "La séance est modifiée.")
            return redirect("seances:detail", seance.organisation.slug, pk)
        form.add_error(None, refusal)
    return render(
        request,
        "seances/form.html",
        {
            "form": form,
            "title": "Modifier la séance",
            "verb": "Enregistrer",
            "crumbs": crumbs(request, seance, "Modifier"),
            "cancel": address(request, "detail", pk),
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def new_point(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Add an item to the agenda."""
    seance = seance_or_404(pk)
    form = PointForm(request.POST or None, seance=seance)
    if form.is_valid():
        refusal = attempt(lambda: services.add_point(seance, actor=request.actor, **form.cleaned_data))
        if not refusal:
            messages.success(request, "Le point est inscrit à l’ordre du jour.")
            return redirect("seances:detail", seance.organisation.slug, pk)
        form.add_error(None, refusal)
    return _point_page(request, seance, form, "Inscrire un point", "Inscrire à l’ordre du jour")


@require_http_methods(["GET", "POST"])
@MANAGE
def edit_point(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Change the draft of an item."""
    point = point_or_404(pk)
    form = PointForm(request.POST or None, instance=point, seance=point.seance)
    if form.is_valid():
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        refusal = attempt(lambda: services.change_point(point, actor=request.actor, **changes))
        if not refusal:
            messages.success(request, "Le projet est modifié.")
            return redirect("seances:detail", point.organisation.slug, point.seance_id)
        form.add_error(None, refusal)
    return _point_page(request, point.seance, form, str(point), "Enregistrer")


def _point_page(request: AgentRequest, seance: Seance, form: PointForm, title: str, verb: str) -> HttpResponse:
    return render(
        request,
        "seances/form.html",
        {
            "form": form,
            "title": title,
            "verb": verb,
            "crumbs": crumbs(request, seance, title),
            "cancel": address(request, "detail", seance.pk),
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def attach_annexe(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Annex a file to an item."""
    point = point_or_404(pk)
    form = AnnexeForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        refusal = attempt(
            lambda: services.add_annexe(
                point,
                title=form.cleaned_data["title"],
                content=file.file,
                filename=file.name,
                to_prefecture=form.cleaned_data["to_prefecture"],
                actor=request.actor,
            )
        )
        if not refusal:
            messages.success(request, "L’annexe est jointe.")
            return redirect("seances:detail", point.organisation.slug, point.seance_id)
        form.add_error("file", refusal)
    return render(
        request,
        "seances/form.html",
        {
            "form": form,
            "title": f"Joindre une annexe au point {point.rank}",
            "verb": "Joindre l’annexe",
            "crumbs": crumbs(request, point.seance, "Joindre une annexe"),
            "cancel": address(request, "detail", point.seance_id),
            "multipart": True,
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def confirm_convocation(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Say what the convocation will do, then do it."""
    seance = seance_or_404(pk)
    if request.method == "POST":
        return do(
            request,
            seance,
            lambda: services.convoke(seance, actor=request.actor),
            "Les convocations partent. La preuve d’envoi est établie, son horodatage est demandé.",
        )
    members = list(seance.organe.elus.in_office(seance.day))
    context = {
        "seance": seance,
        "crumbs": crumbs(request, seance, "Convoquer"),
        "members": members,
        "paper": [one for one in members if one.channel == "papier"],
        "delay": services.delay_today(seance),
        "limit": services.sending_limit(seance),
        "notes_missing": seance.regime.note_de_synthese and seance.points.filter(expose="").exists(),
        "action": address(request, "convoke", pk),
        "cancel": address(request, "detail", pk),
        "points": seance.points.order_by("rank"),
    }
    return render(request, "seances/convoke.html", context)
