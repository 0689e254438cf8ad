"""Reads that the pages of meetings need."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet
from django.urls import reverse

from parvis.core.identity.models import Account
from parvis.core.routing.models import Route, RouteStep
from parvis.core.routing.registry import pages_of
from parvis.edemat.seances.models import Avis, Convocation, Deliberation, Organe, Point, Seance

PAGE = 30


def coming_seances() -> QuerySet[Seance]:
    """Meetings that are not over, the nearest first, with their counts of convocations."""
    return _with_counts(Seance.objects.coming())


def past_seances() -> QuerySet[Seance]:
    """The meetings that are over, with their counts of convocations."""
    return _with_counts(Seance.objects.past())


def _with_counts(seances: QuerySet[Seance]) -> QuerySet[Seance]:
    return seances.select_related("organe", "organisation").annotate(
        members=Count("convocations", distinct=True),
        read=Count("convocations", filter=Q(convocations__read_at__isnull=False), distinct=True),
        items=Count("points", distinct=True),
    )


def seance_with_officers(pk: UUID) -> QuerySet[Seance]:
    """The meeting of a page, with its body, its chair, its secretary and its documents."""
    return Seance.objects.select_related(
        "organe",
        "organisation",
        "president",
        "secretary",
        "second_of__organe",
        "report_of__organe",
        "convocation_document__organisation",
        "invitation_document__organisation",
    ).filter(pk=pk)


def agenda(seance: Seance) -> QuerySet[Point]:
    """The items with all that the page shows of each."""
    return (
        seance.points.select_related("rapporteur", "scrutin", "deliberation__document__organisation")
        .select_related("deliberation__route")
        .prefetch_related("annexes__document__organisation")
        .order_by("rank")
    )


def own_convocation(seance: Seance, account: Account) -> Convocation | None:
    """The convocation of the member who is logged in."""
    return (
        seance.convocations.filter(elu__account=account)
        .select_related("elu", "seance__organe", "seance__organisation")
        .prefetch_related("avis__document__organisation")
        .first()
    )


def undelivered(convocations: Iterable[Convocation]) -> list[Convocation]:
    """Members whom the convocation has not reached."""
    waiting = (Convocation.State.REBOND, Convocation.State.A_PORTER)
    return [one for one in convocations if one.state in waiting]


def bodies(day: date) -> QuerySet[Organe]:
    """The bodies with their number of members in office on `day`."""
    ongoing = Q(elus__term_end__isnull=True) | Q(elus__term_end__gte=day)
    return Organe.objects.annotate(members=Count("elus", filter=ongoing & Q(elus__term_start__lte=day)))


def bodies_with_holes(day: date) -> QuerySet[Organe]:
    """The bodies whose last rank is more than their members, because a term ended: their ranks are to be closed up."""
    kept = Q(elus__term_end__isnull=True) | Q(elus__term_end__gte=day)
    rows = Organe.objects.annotate(last=Max("elus__rank", filter=kept), members=Count("elus", filter=kept))
    return rows.filter(last__gt=F("members"))


def establishment(seance: Seance) -> tuple[int, int]:
    """How many deliberations of the meeting have not left for signature, and how many of them a job establishes."""
    waiting = Deliberation.objects.filter(point__seance=seance, route__isnull=True)
    asked = Count("pk", filter=Q(work=Deliberation.Work.DEMANDE))
    counts = waiting.aggregate(total=Count("pk"), asked=asked)
    return counts["total"], counts["asked"]


def correction_address(route: Route) -> str:
    """Where the deliberation of a route is corrected; "" when none left by it."""
    pk = Deliberation.objects.filter(route=route).values_list("pk", flat=True).first()
    return reverse("seances:correct", args=[route.organisation.slug, pk]) if pk else ""


def refusals(seance: Seance) -> dict[UUID, str]:
    """The reason of each deliberation refused at signature, by route."""
    routes = Deliberation.objects.filter(point__seance=seance, route__isnull=False).values("route")
    failed = RouteStep.objects.filter(route__in=routes, code="parapheur.signature", state=RouteStep.State.FAILED)
    return dict(failed.values_list("route", "summary"))


@dataclass(frozen=True)
class Standing:
    """Where a deliberation that left for signature stands: a word, its colour, the page of its act ("" before)."""

    label: str
    kind: str
    url: str


def standings(seance: Seance) -> dict[UUID, Standing]:
    """The standing of each deliberation of the meeting that has a route, by route: the last step it has passed."""
    gone = Deliberation.objects.filter(point__seance=seance, route__isnull=False).values("route")
    routes = list(Route.objects.filter(pk__in=gone).select_related("organisation"))
    steps = RouteStep.objects.filter(route__in=routes, state__in=[RouteStep.State.DONE, RouteStep.State.FAILED])
    passed = steps.exclude(code__startswith="seances.").select_related("route").order_by("rank")
    latest = {step.route_id: step for step in passed}
    pages = pages_of(routes)
    return {route.pk: _standing(latest.get(route.pk), pages.get(route.pk, "")) for route in routes}


def _standing(step: RouteStep | None, url: str) -> Standing:
    if step is None:
        return Standing("Mise à la signature", "info", url)
    if step.state == RouteStep.State.FAILED:
        return Standing(f"{step.label} : en échec", "danger", url)
    return Standing(step.label, "ok", url)


def notices(seance: Seance) -> list[dict[str, object]]:
    """What members were told after the convocation, the latest first: each notice with its sendings."""
    rows = Avis.objects.filter(convocation__seance=seance).select_related("convocation", "document__organisation")
    found: dict[int, list[Avis]] = {}
    for one in rows.order_by("-sequence", "convocation__rank"):
        found.setdefault(one.sequence, []).append(one)
    by_hand = (Avis.State.A_PORTER, Avis.State.REBOND)
    return [
        {
            "label": some[0].get_kind_display(),
            "document": some[0].document,
            "changes": some[0].changes,
            "total": len(some),
            "sent": sum(one.sent_at is not None for one in some),
            "overtaken": sum(one.state == Avis.State.DEPASSE for one in some),
            "to_hand": [one for one in some if one.state in by_hand],
        }
        for some in found.values()
    ]


def following_meetings(seance: Seance) -> QuerySet[Seance]:
    """The second meeting, or the one that a report led to."""
    return Seance.objects.filter(Q(second_of=seance) | Q(report_of=seance)).select_related("organe", "organisation")
