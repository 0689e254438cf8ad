"""Where administrators see background jobs running, waiting or failed, and give failed ones back to work."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.jobs import queries, services


@require_safe
@agent_view("administration.taches")
def listing(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    numbers = queries.counts(organisation.pk)
    chosen = request.GET.get("etat") or next((state for state, number in numbers.items() if number), "failed")
    if chosen not in queries.STATES:
        raise Http404
    context = {
        "tabs": [
            {"label": label, "url": f"?etat={state}", "active": state == chosen, "count": numbers[state]}
            for state, (label, _) in queries.STATES.items()
        ],
        "state_label": queries.STATES[chosen][0],
        "kind": queries.STATES[chosen][1],
        "lines": queries.lines(organisation.pk, chosen),
        "columns": [
            {"label": "N°"},
            {"label": "Travail"},
            {"label": "Essais", "amount": True},
            {"label": "Dernier événement"},
            {"label": "État"},
            {"label": "Action", "hidden": True},
        ],
        "moving": numbers["todo"] + numbers["doing"],
    }
    return render(request, "jobs/listing.html", context)


@require_POST
@agent_view("administration.taches")
def retry(request: AgentRequest, job_id: int) -> HttpResponse:
    organisation = request.organisation
    try:
        services.retry(organisation, job_id, actor=request.actor)
    except services.JobNotFailed as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, "Le travail est relancé.")
    return redirect("jobs:list", organisation_slug=organisation.slug)
