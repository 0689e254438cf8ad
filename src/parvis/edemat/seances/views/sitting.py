"""The meeting as it is held: presences, quorum, votes, end, deliberations."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from parvis.core.identity.access import AgentRequest
from parvis.edemat.seances import queries, services
from parvis.edemat.seances.errors import WrongMoment
from parvis.edemat.seances.formats.pouvoirs import Power
from parvis.edemat.seances.formats.presences import Composition
from parvis.edemat.seances.formats.quorum import quorum
from parvis.edemat.seances.forms import ABSENT, POWER, PRESENT, PresenceForm, VoteForm
from parvis.edemat.seances.models import Elu, Point
from parvis.edemat.seances.views.page import (
    MANAGE,
    address,
    attempt,
    crumbs,
    do,
    draw,
    point_or_404,
    presence_form,
    quorum_line,
    seance_or_404,
)


@require_POST
@MANAGE
def save_presences(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Record the presence sheet from the current item on."""
    seance = seance_or_404(pk)
    form = presence_form(seance, request.POST)
    if not form.is_valid():
        return draw(request, seance, presences=form, status=422)
    refusal = attempt(
        lambda: services.record_presence_sheet(
            seance,
            presents=form.presents,
            powers=form.powers,
            from_item=form.cleaned_data["from_item"],
            actor=request.actor,
        )
    )
    if refusal:
        form.add_error(None, refusal)
        return draw(request, seance_or_404(pk), presences=form, status=422)
    messages.success(request, "Les présences et les pouvoirs sont enregistrés.")
    return redirect("seances:detail", seance.organisation.slug, pk)


@require_POST
@MANAGE
def preview_quorum(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The quorum of a sheet being typed; nothing is recorded."""
    seance = seance_or_404(pk)
    form = presence_form(seance, request.POST)
    form.is_valid()
    found = _sheet_as_typed(form)
    line = quorum(found.en_exercice, len(found.presents), required=seance.regime.quorum_required)
    return render(request, "seances/_quorum.html", {"quorum": quorum_line(line, found)})


def _sheet_as_typed(form: PresenceForm) -> Composition:
    states = {one.name: form.cleaned_data.get(PresenceForm._state_name(one.pk), ABSENT) for one in form.members}
    names = list(states)
    return Composition(
        presents=tuple(name for name in names if states[name] == PRESENT),
        powers=tuple(Power(name, "") for name in names if states[name] == POWER),
        absents=tuple(name for name in names if states[name] not in (PRESENT, POWER)),
    )


@require_POST
@MANAGE
def name_officers(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Name who chairs and who keeps the minutes."""
    seance = seance_or_404(pk)

    def chosen(field: str) -> Elu | None:
        value = request.POST.get(field, "")
        return next((elu for elu in seance.organe.elus.all() if str(elu.pk) == value), None)

    return do(
        request,
        seance,
        lambda: services.change_officers(
            seance,
            president=chosen("president"),
            secretary=chosen("secretary"),
            actor=request.actor,
        ),
        "La présidence et le secrétariat sont enregistrés.",
    )


@require_POST
@MANAGE
def open_sitting(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Open the meeting."""
    seance = seance_or_404(pk)
    return do(
        request,
        seance,
        lambda: services.open_meeting(seance, actor=request.actor),
        "La séance est ouverte.",
    )


@require_POST
@MANAGE
def settle_urgency(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Record what the body decided on the urgency."""
    seance = seance_or_404(pk)
    admitted = request.POST.get("admise") == "oui"
    return do(
        request,
        seance,
        lambda: services.vote_urgency(seance, admitted=admitted, actor=request.actor),
        "L’urgence est admise." if admitted else "L’urgence n’est pas admise : renvoyez les points.",
    )


@require_POST
@MANAGE
def save_vote(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Record the ballot on an item: unanimity in one click, or counts."""
    point = point_or_404(pk)
    actor = request.actor
    form = VoteForm(request.POST, auto_id=f"id_{point.rank}_%s")
    if "unanimite" in request.POST:
        mode = form["mode"].value()
        if mode not in dict(VoteForm.MODES) or mode == "sans_vote":
            mode = "main_levee"
        refusal = attempt(lambda: services.record_unanimity(point, mode=mode, actor=actor))
    elif form.is_valid():
        refusal = attempt(lambda: services.record_vote(point, actor=actor, **form.cleaned_data))
    else:
        refusal = "Corrigez le décompte des voix."
    if refusal:
        if form.is_bound and form.is_valid():
            form.add_error(None, refusal)
        return draw(request, seance_or_404(point.seance_id), vote_forms={point.pk: form}, refusal=refusal, status=422)
    messages.success(request, f"Le vote du point {point.rank} est enregistré.")
    return redirect(address(request, "detail", point.seance_id) + f"#point-{point.rank}")


@require_POST
@MANAGE
def put_off(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Put an item off, or withdraw it."""
    point = point_or_404(pk)
    outcome = Point.Outcome.RETIRE if request.POST.get("suite") == "retire" else Point.Outcome.RENVOYE
    return do(
        request,
        point.seance,
        lambda: services.postpone(point, outcome=outcome, actor=request.actor),
        f"Point {point.rank} : {outcome.label.lower()}.",
    )


@require_POST
@MANAGE
def withdraw(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Record that a member takes no part in an item, or that they do after all."""
    point = point_or_404(pk)
    chosen = request.POST.get("membre", "")
    member = next((one for one in point.seance.convocations.all() if str(one.pk) == chosen), None)
    back = request.POST.get("sens") == "reprise"

    def act() -> None:
        if member is None:
            raise WrongMoment("Choisissez le membre qui se déporte.")
        (services.undo_withdrawal if back else services.record_withdrawal)(point, member, actor=request.actor)

    if refusal := attempt(act):
        return draw(request, seance_or_404(point.seance_id), refusal=refusal, status=422)
    name = member.name if member else ""
    messages.success(
        request,
        f"{name} prend part au point {point.rank}." if back else f"{name} se déporte sur le point {point.rank}.",
    )
    return redirect(address(request, "detail", point.seance_id) + f"#point-{point.rank}")


@require_http_methods(["GET", "POST"])
@MANAGE
def end_sitting(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Say what rising does, then do it."""
    seance = seance_or_404(pk)
    if request.method == "POST":
        return do(
            request,
            seance,
            lambda: services.rise(seance, actor=request.actor),
            "La séance est levée ; les délibérations sont numérotées.",
        )
    context = {
        "seance": seance,
        "crumbs": crumbs(request, seance, "Lever la séance"),
        "action": address(request, "rise", pk),
        "cancel": address(request, "detail", pk),
        "points": queries.agenda(seance),
    }
    return render(request, "seances/rise.html", context)
