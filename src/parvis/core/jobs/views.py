"""Where administrators, and operators for the platform, see background jobs and give failed ones back to work."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from parvis.core.identity.access import AccountRequest, AgentRequest, agent_view, platform_view
from parvis.core.jobs import queries, services
from parvis.core.jobs.workers import number_alive
from parvis.core.web.confirming import carry_out
from parvis.core.web.navigation import platform_tabs

COLUMNS = [
    {"label": "N°"},
    {"label": "Travail"},
    {"label": "Essais", "amount": True},
    {"label": "Dernière erreur"},
    {"label": "Dernier événement"},
    {"label": "Prochain essai"},
    {"label": "Action", "hidden": True},
]
DONE = "Le travail est relancé."


def _listed(request: HttpRequest, owner: int, states: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """What the page of jobs shows of those of ``owner``, in the state asked for or the first that has any."""
    numbers = queries.counts(owner, states)
    chosen = request.GET.get("etat") or next((state for state, number in numbers.items() if number), "failed")
    if chosen not in states:
        raise Http404
    page = queries.page_of_jobs(owner, chosen, request.GET)
    return {
        "state_tabs": [
            {"label": label, "url": f"?etat={state}", "active": state == chosen, "count": numbers[state]}
            for state, (label, _) in states.items()
        ],
        "state": chosen,
        "state_label": states[chosen][0],
        "previous": page.previous and f"?etat={chosen}&avant={page.previous}",
        "next": page.next and f"?etat={chosen}&apres={page.next}",
        "lines": [queries.line_of(job) for job in page.rows],
        "columns": COLUMNS,
        "served": number_alive() > 0,
        "moving": numbers["todo"] + numbers["doing"],
    }


@require_safe
@agent_view("administration.taches")
def listing(request: AgentRequest) -> HttpResponse:
    return render(request, "jobs/listing.html", _listed(request, request.organisation.pk, queries.STATES))


@require_POST
@agent_view("administration.taches")
def retry(request: AgentRequest, job_id: int) -> HttpResponse:
    organisation = request.organisation
    back = reverse("jobs:list", kwargs={"organisation_slug": organisation.slug})
    return carry_out(request, lambda: services.retry(organisation, job_id, actor=request.actor), done=DONE, back=back)


@never_cache
@require_safe
@platform_view
def listing_of_platform(request: AccountRequest) -> HttpResponse:
    """The jobs that act for no organisation."""
    context = _listed(request, queries.PLATFORM, queries.PLATFORM_STATES)
    return render(request, "jobs/platform.html", {**context, "tabs": platform_tabs("travaux")})


@require_POST
@platform_view(recent=True)
def retry_of_platform(request: AccountRequest, job_id: int) -> HttpResponse:
    return carry_out(
        request,
        lambda: services.retry_of_platform(job_id, by=request.user, request=request),
        done=DONE,
        back=reverse("jobs_platform:list"),
    )
