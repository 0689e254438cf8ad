"""List of meetings, their preparation, and the convocation in two clicks."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.identity.access import AgentRequest
from parvis.core.web.confirming import confirm, fill_in
from parvis.core.web.keyset import page_of
from parvis.core.web.uploads import accepts_files
from parvis.edemat.seances import queries, services
from parvis.edemat.seances.forms import AnnexeForm, PointForm, SeanceForm
from parvis.edemat.seances.models import Annexe, Organe, Seance
from parvis.edemat.seances.views.page import (
    MANAGE,
    READ,
    STATE_CHIPS,
    address,
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
    past = page_of(queries.past_seances(), "starts_at", request.GET, size=queries.PAGE)
    context = {
        "columns": COLUMNS,
        "coming": [(one, STATE_CHIPS[Seance.State(one.state)]) for one in queries.coming_seances()],
        "past": [(one, STATE_CHIPS[Seance.State(one.state)]) for one in past.rows],
        "page": past,
        "may_manage": "seances.gerer" in request.permissions,
        "may_administer": "seances.administrer" in request.permissions,
        "has_body": Organe.objects.exists(),
        "crumbs": [],
    }
    return render(request, "seances/list.html", context)


@require_http_methods(["GET", "POST"])
@MANAGE
def create(request: AgentRequest) -> HttpResponse:
    """Plan a meeting."""
    form = SeanceForm(request.POST or None)

    def plan() -> str:
        seance = services.plan_seance(form.cleaned_data["organe"], actor=request.actor, **form.values)
        return address(request, "detail", seance.pk)

    return fill_in(
        request,
        form,
        title="Prévoir une séance",
        verb="Prévoir la séance",
        back=address(request, "list"),
        crumbs=crumbs(request, here="Prévoir une séance"),
        action=plan,
        done="La séance est prévue. Composez maintenant son ordre du jour.",
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
    return _form_of(
        request,
        seance,
        form,
        title="Modifier la séance",
        verb="Enregistrer",
        here="Modifier",
        action=lambda: services.change_seance(seance, actor=request.actor, **form.values),
        done="La séance est modifiée.",
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def new_point(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Add an item to the agenda."""
    seance = seance_or_404(pk)
    form = PointForm(request.POST or None, seance=seance)
    return _form_of(
        request,
        seance,
        form,
        title="Inscrire un point",
        verb="Inscrire à l’ordre du jour",
        action=lambda: services.add_point(seance, actor=request.actor, **form.values),
        done="Le point est inscrit à l’ordre du jour.",
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def edit_point(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Change the draft of an item."""
    point = point_or_404(pk)
    form = PointForm(request.POST or None, instance=point, seance=point.seance)

    def change() -> None:
        services.change_point(point, actor=request.actor, **form.changes)

    return _form_of(
        request,
        point.seance,
        form,
        title=str(point),
        verb="Enregistrer",
        action=change,
        done="Le projet est modifié.",
    )


@require_http_methods(["GET", "POST"])
@MANAGE
@accepts_files(AnnexeForm)
def attach_annexe(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Annex a file to an item."""
    point = point_or_404(pk)
    form = AnnexeForm(request.POST or None, request.FILES or None)

    def attach() -> None:
        file = form.cleaned_data["file"]
        services.add_annexe(
            point,
            title=form.cleaned_data["title"],
            content=file.file,
            filename=file.name,
            to_prefecture=form.cleaned_data["to_prefecture"],
            actor=request.actor,
        )

    return _form_of(
        request,
        point.seance,
        form,
        title=f"Joindre une annexe au point {point.rank}",
        verb="Joindre l’annexe",
        here="Joindre une annexe",
        action=attach,
        done="L’annexe est jointe.",
        refused_field="file",
        multipart=True,
    )


@require_POST
@MANAGE
def move_point(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Move an item one place up or down the agenda."""
    point = point_or_404(pk)
    up = request.POST.get("sens") != "bas"
    return do(
        request,
        point.seance,
        lambda: services.move_point(point, up=up, actor=request.actor),
        "L’ordre du jour est réordonné.",
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def remove_point(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Take an item off the agenda, after a page that says what goes with it."""
    point = point_or_404(pk)
    return confirm(
        request,
        title=f"Supprimer le point {point.rank}",
        text=f"« {point.title} », son projet et ses annexes quittent l’ordre du jour ; les points suivants remontent.",
        verb="Supprimer le point",
        back=address(request, "detail", point.seance_id),
        crumbs=crumbs(request, point.seance, f"Supprimer le point {point.rank}"),
        action=lambda: services.remove_point(point, actor=request.actor),
        done="Le point est supprimé.",
        danger=True,
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def remove_annexe(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Take an annex off an item."""
    rows = Annexe.objects.select_related("point__seance__organe", "point__seance__organisation", "document")
    annexe = get_object_or_404(rows.select_related("organisation"), pk=pk)
    return confirm(
        request,
        title="Retirer une annexe",
        text=f"« {annexe.title} » n’accompagnera plus le point {annexe.point.rank}.",
        verb="Retirer l’annexe",
        back=address(request, "detail", annexe.point.seance_id),
        crumbs=crumbs(request, annexe.point.seance, "Retirer une annexe"),
        action=lambda: services.remove_annexe(annexe, actor=request.actor),
        done="L’annexe est retirée.",
        danger=True,
    )


def _form_of(
    request: AgentRequest,
    seance: Seance,
    form: BaseForm,
    *,
    title: str,
    action: Callable[[], object],
    here: str = "",
    **page: Any,
) -> HttpResponse:
    """A page of one form about a meeting, which goes back to the meeting."""
    trail = crumbs(request, seance, here or title)
    back = address(request, "detail", seance.pk)

    def act() -> None:
        action()

    return fill_in(request, form, title=title, back=back, crumbs=trail, action=act, **page)


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
