"""The one page of a meeting, drawn again with what was typed when an action is refused."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.journal.queries import entries_about
from parvis.edemat.seances import queries, services
from parvis.edemat.seances.formats.echeances import list_deadline, list_is_due
from parvis.edemat.seances.formats.lettres import plural
from parvis.edemat.seances.formats.presences import Composition
from parvis.edemat.seances.formats.quorum import Quorum
from parvis.edemat.seances.forms import PresenceForm, ResendForm, VoteForm
from parvis.edemat.seances.models import Convocation, Deliberation, Liste, Point, Scrutin, Seance

READ = agent_view("seances.lire", application="edemat")
MANAGE = agent_view("seances.gerer", application="edemat")
SIT = agent_view("seances.sieger", application="edemat")

STATE_CHIPS = {
    Seance.State.EN_PREPARATION: "info",
    Seance.State.CONVOQUEE: "accent",
    Seance.State.EN_COURS: "warn",
    Seance.State.LEVEE: "info",
    Seance.State.CLOSE: "ok",
    Seance.State.SANS_QUORUM: "warn",
    Seance.State.ANNULEE: "danger",
    Seance.State.REPORTEE: "warn",
}
SENDING_CHIPS = {
    Convocation.State.EN_FILE: "info",
    Convocation.State.REMIS_AU_RELAIS: "",
    Convocation.State.REBOND: "danger",
    Convocation.State.LU: "ok",
    Convocation.State.A_PORTER: "warn",
    Convocation.State.PORTEE: "",
}


def address(request: AgentRequest, name: str, pk: UUID | None = None) -> str:
    """The address of a page of meetings in the present organisation."""
    slug = request.organisation.slug
    return reverse(f"seances:{name}", args=[slug] if pk is None else [slug, pk])


def seance_or_404(pk: UUID) -> Seance:
    return get_object_or_404(queries.seance_with_officers(pk))


def point_or_404(pk: UUID) -> Point:
    return get_object_or_404(Point.objects.select_related("seance__organe", "seance__organisation"), pk=pk)


def crumbs(request: AgentRequest, seance: Seance | None = None, here: str = "") -> list[dict[str, str]]:
    trail = [{"label": "Séances", "url": address(request, "list")}]
    if seance:
        trail.append({"label": str(seance), "url": address(request, "detail", seance.pk) if here else ""})
    if here:
        trail.append({"label": here, "url": ""})
    return trail


def attempt(action: Callable[[], Any]) -> str:
    """Run one use case in a savepoint; return the sentence of its refusal, empty when it was done."""
    try:
        with transaction.atomic():
            action()
    except DomainError as refusal:
        return refusal.sentence
    return ""


def do(request: AgentRequest, seance: Seance, action: Callable[[], Any], done: str) -> HttpResponse:
    """Run an action and go back to the meeting; a refusal draws the page again with its sentence (422)."""
    if refusal := attempt(action):
        return draw(request, seance_or_404(seance.pk), refusal=refusal, status=422)
    messages.success(request, done)
    return redirect("seances:detail", seance.organisation.slug, seance.pk)


def progress_of(request: AgentRequest, seance: Seance) -> dict[str, Any] | None:
    """The progress of the jobs that establish the deliberations; None when there is none under way."""
    total, asked = queries.establishment(seance)
    if not asked:
        return None
    label, url = "Établissement des délibérations", address(request, "progress", seance.pk)
    return {"label": label, "done": total - asked, "total": total, "url": url}


def current_item(seance: Seance) -> int:
    """The item from which a movement entered now takes effect: the first one not yet voted, 0 before the
    opening."""
    if seance.state != Seance.State.EN_COURS:
        return 0
    waiting = seance.points.filter(outcome=Point.Outcome.INSCRIT).order_by("rank").values_list("rank", flat=True)
    return waiting.first() or (seance.points.count() + 1)


def presence_form(seance: Seance, data: Any = None) -> PresenceForm:
    members = list(seance.convocations.order_by("rank"))
    item = current_item(seance)
    return PresenceForm(data, members=members, now=services.composition(seance, item), initial={"from_item": item})


def quorum_line(quorum: Quorum, found: Composition) -> dict[str, Any]:
    """What the live quorum shows."""
    sentence = (
        f"{plural(quorum.counted, 'membre')} en séance, quorum {quorum.needed} : "
        f"{'atteint' if quorum.reached else 'non atteint'}"
    )
    return {
        "reached": quorum.reached,
        "sentence": sentence,
        "detail": f"{plural(len(found.powers), 'pouvoir')}, {plural(len(found.absents), 'absent')}, "
        f"{plural(found.votants(), 'votant')}",
    }


def _item(
    seance: Seance, point: Point, vote_forms: dict[UUID, VoteForm], may_manage: bool, refusals: dict[UUID, str]
) -> dict[str, Any]:
    scrutin: Scrutin | None = getattr(point, "scrutin", None)
    deliberation = getattr(point, "deliberation", None)
    votable = may_manage and seance.state == Seance.State.EN_COURS and point.outcome in ("inscrit", "vote")
    form = vote_forms.get(point.pk)
    if form is None and votable:
        initial = {}
        if scrutin:
            names = ("mode", "pour", "contre", "abstention", "blancs", "nuls", "nppv", "chair_voice")
            initial = {name: getattr(scrutin, name) for name in names}
        form = VoteForm(initial=initial, auto_id=f"id_{point.rank}_%s")
    return {
        "point": point,
        "scrutin": scrutin,
        "deliberation": deliberation,
        "refusal": refusals.get(deliberation.route_id, "") if deliberation else "",
        "vote_form": form if votable else None,
        "annexes": list(point.annexes.all()),
    }


def draw(
    request: AgentRequest,
    seance: Seance,
    *,
    refusal: str = "",
    status: int = 200,
    presences: PresenceForm | None = None,
    vote_forms: dict[UUID, VoteForm] | None = None,
) -> HttpResponse:
    """Draw the page of a meeting."""
    permissions: frozenset[str] = request.permissions
    may_manage = "seances.gerer" in permissions
    convocations = list(seance.convocations.select_related("elu").order_by("rank"))
    sitting = seance.state in (Seance.State.CONVOQUEE, Seance.State.EN_COURS)
    item = current_item(seance)
    found = services.composition(seance, item) if convocations else None
    refusals = queries.refusals(seance) if seance.ended_at else {}
    withdrawn = services.withdrawals(seance) if seance.opened_at else {}
    items = [_item(seance, point, vote_forms or {}, may_manage, refusals) for point in queries.agenda(seance)]
    standings = queries.standings(seance) if seance.ended_at else {}
    for one in items:
        one["standing"] = standings.get(one["deliberation"].route_id) if one["deliberation"] else None
        one["withdrawn"] = withdrawn.get(one["point"].rank, [])
    liste = Liste.objects.filter(seance=seance).select_related("document__organisation").first()
    risen = seance.state in (Seance.State.LEVEE, Seance.State.CLOSE)
    list_due = risen and list_is_due(seance.regime.code, seance.day)
    preuves = list(seance.preuves.select_related("token", "statement").order_by("rank"))
    to_sign = [
        one["deliberation"]
        for one in items
        if one["deliberation"] and not one["deliberation"].route_id and one["scrutin"].result != "rejetee"
    ]
    context = {
        "seance": seance,
        "title": str(seance),
        "crumbs": crumbs(request, seance),
        "state_chip": STATE_CHIPS[Seance.State(seance.state)],
        "may_manage": may_manage,
        "refusal": refusal,
        "limit": services.sending_limit(seance),
        "delay": services.delay_today(seance) if seance.state == Seance.State.EN_PREPARATION else None,
        "convocations": [(one, SENDING_CHIPS[Convocation.State(one.state)]) for one in convocations],
        "counts": _sending_counts(convocations),
        "members_to_be": seance.organe.elus.in_office(seance.day) if not convocations else [],
        "items": items,
        "list_limit": list_deadline(seance.day) if list_due and not liste else None,
        "liste": liste,
        "list_due": list_due and not liste,
        "presence_form": (presences or presence_form(seance)) if sitting and may_manage else None,
        "quorum": quorum_line(services.quorum_at(seance, item), found) if found else None,
        "composition": found,
        "officers": [one.elu for one in convocations] if sitting and may_manage else [],
        "resend_form": ResendForm(),
        "before_hour": clock.now() < seance.starts_at,
        "notices": queries.notices(seance) if convocations else [],
        "followed_by": queries.following_meetings(seance),
        "no_quorum": _quorum_missed(seance, items, item),
        "preuves": preuves,
        "deferred": [preuve for preuve in preuves if preuve.token_id is None],
        "own": queries.own_convocation(seance, request.user),
        "entries": entries_about("seance", str(seance.pk)),
        "present_members": [one for one in convocations if found and one.name in found.presents],
        "last_rank": len(items),
        "waiting_items": [one for one in items if one["point"].outcome == Point.Outcome.INSCRIT],
        "to_sign": to_sign,
        "ready": [one for one in to_sign if one.document_id and not one.faults and not one.work],
        "progress": progress_of(request, seance) if seance.ended_at and may_manage else None,
        "interrupted": [one for one in to_sign if one.work == Deliberation.Work.INTERROMPU],
    }
    return render(request, "seances/detail.html", context, status=status)


def _quorum_missed(seance: Seance, items: list[dict[str, Any]], item: int) -> bool:
    """Whether a second meeting may be asked for: the hour has come, or the meeting goes on without enough members."""
    if not any(one["point"].outcome == Point.Outcome.INSCRIT for one in items):
        return False
    if seance.state == Seance.State.CONVOQUEE and clock.now() < seance.starts_at:
        return False
    sitting = seance.state in (Seance.State.CONVOQUEE, Seance.State.EN_COURS)
    return sitting and not services.quorum_at(seance, item).reached


def _sending_counts(convocations: list[Convocation]) -> dict[str, int]:
    return {
        "total": len(convocations),
        "sent": sum(one.sent_at is not None for one in convocations),
        "read": sum(one.read_at is not None for one in convocations),
        "trouble": len(queries.undelivered(convocations)),
    }
