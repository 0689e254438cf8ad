"""The routes that a person may find: those that pass through a service that one of their mandates lets them read."""

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from parvis.core.identity.access import permissions_in, request_mandates
from parvis.core.routing import registry
from parvis.core.routing.models import Route, RouteStep
from parvis.core.web.searching import Found, holding
from parvis.core.web.templatetags.parvis import date_moyenne

READING = ".lire"


def find_routes(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """Routes whose number or title holds the words, newest first, in the organisations acted for."""
    wanted = readable(request)
    if not wanted:
        return []
    rows = Route.objects.filter(wanted & holding(terms, "title", "reference"))
    rows = rows.select_related("organisation").order_by("-created_at", "-id")
    routes = list(rows.prefetch_related("steps")[:most])
    pages = registry.pages_of(routes)
    kinds = {Route.State.FAILED: "danger", Route.State.DONE: "ok"}
    return [
        Found(
            route.title,
            pages.get(route.pk) or where_it_failed(route),
            f"{route.reference} · {route.organisation.short_name} · ouvert le {date_moyenne(route.created_at)}",
            standing(route),
            kinds.get(Route.State(route.state), ""),
        )
        for route in routes
    ]


def readable(request: HttpRequest) -> Q:
    """The routes open to the person: empty when there is none, never « all »."""
    mandates = request_mandates(request)
    readable = Q()
    for organisation in {m.organisation_id: m.organisation for m in mandates}.values():
        held = permissions_in(mandates, organisation)
        services = sorted(code.removesuffix(READING) for code in held if code.endswith(READING))
        passing = Q()
        for service in services:
            passing |= Q(code__startswith=f"{service}.")
        if passing:
            steps = RouteStep.objects.filter(passing, route=OuterRef("pk"))
            readable |= Q(Exists(steps), organisation=organisation)
    return readable


def where_it_failed(route: Route) -> str:
    """The page of the step at which the route stopped, for a route that has no other page."""
    for step in route.steps.all():
        step.organisation = route.organisation  # known already
        if step.failure_page:
            return step.failure_page
    return ""


def standing(route: Route) -> str:
    """Where the route stands, in the words of its current step."""
    steps = list(route.steps.all())
    here = next((s for s in steps if s.state in ("current", "failed", "dropped")), steps[-1] if steps else None)
    return here.label if here else ""
