"""The desk « Mon bureau » and the search of a person, across all the organisations it acts for."""

from collections import Counter
from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parvis.core import clock
from parvis.core.identity.access import account_view, request_mandates
from parvis.core.routing import queries, registry
from parvis.core.routing.desk import LATE, TODAY, grouped
from parvis.core.routing.models import Route
from parvis.core.web.navigation import label_of

SHOWN = 200
AGENDA_DAYS = 45
FOUND = 50


@require_safe
@account_view
def inbox_page(request: HttpRequest) -> HttpResponse:
    """What the person must do, by deadline, with the verb on the button; ``?verbe=`` keeps one verb."""
    mandates = request_mandates(request)
    everything = list(queries.inbox(request.user, mandates)[:SHOWN])  # type: ignore[arg-type]
    verbs = Counter(task.verb for task in everything)
    chosen = request.GET.get("verbe", "")
    shown = [task for task in everything if not chosen or task.verb == chosen]
    for task in shown:
        task.service_label = label_of(task.service)  # type: ignore[attr-defined]
    now = clock.now()
    groups = grouped(shown, now)
    counts = {group.code: len(group.tasks) for group in grouped(everything, now)}
    horizon = now + timedelta(days=AGENDA_DAYS)
    context = {
        "groups": groups,
        "total": len(everything),
        "waiting": waiting_sentence(len(everything), counts.get(LATE, 0)),
        "late": counts.get(LATE, 0),
        "due_today": counts.get(TODAY, 0),
        "tabs": [
            {"label": "Tout", "url": "?", "active": not chosen, "count": len(everything)},
            *(
                {
                    "label": f"À {verb.lower()}",
                    "url": f"?verbe={verb}",
                    "active": verb == chosen,
                    "count": number,
                }
                for verb, number in verbs.most_common()
            ),
        ],
        "agenda": [t for t in everything if t.deadline and now <= t.deadline <= horizon and t.deadline_rule][:6],
        "several": len({m.organisation_id for m in mandates}) > 1,
        "running": Route.objects.filter(state=Route.State.RUNNING).count(),
        "failed": Route.objects.filter(state=Route.State.FAILED).count(),
    }
    return render(request, "routing/inbox.html", context)


def waiting_sentence(total: int, late: int) -> str:
    """« 7 choses vous attendent, dont 1 en retard »."""
    if not total:
        return "rien ne vous attend"
    sentence = f"{total} choses vous attendent" if total > 1 else "une chose vous attend"
    return f"{sentence}, dont {late} en retard" if late and total > 1 else sentence


@require_safe
@account_view
def search(request: HttpRequest) -> HttpResponse:
    """Routes whose number or title holds the words asked for, in the organisations of the person."""
    terms = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:100]
    found = Route.objects.none()
    if terms:
        match = Q()
        for word in terms.split()[:6]:
            match &= Q(title__icontains=word) | Q(reference__icontains=word)
        found = Route.objects.filter(match).select_related("organisation").order_by("-created_at", "-id")
    routes = list(found.prefetch_related("steps")[: FOUND + 1])
    pages = registry.pages_of(routes)
    context = {
        "search_terms": terms,
        "results": [(route, pages.get(route.pk, ""), standing(route)) for route in routes[:FOUND]],
        "more": len(routes) > FOUND,
    }
    return render(request, "routing/search.html", context)


def standing(route: Route) -> str:
    """Where the route stands, in the words of its current step."""
    steps = list(route.steps.all())
    here = next((s for s in steps if s.state in ("current", "failed")), steps[-1] if steps else None)
    return here.label if here else ""
