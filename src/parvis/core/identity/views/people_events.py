"""« Événements de sécurité » of an organisation's people."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parvis.core.authentication.devices import describe
from parvis.core.exports.download import download_table
from parvis.core.identity import people_events
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.audit import audit
from parvis.core.identity.events import EVENTS, FAMILIES
from parvis.core.journal.readings import EVENTS as READ
from parvis.core.journal.readings import note_reading
from parvis.core.web.keyset import page_of
from parvis.core.web.navigation import administration_tabs

PERMISSION = "administration.organisation"
EXTENSIONS = ("csv", "ods")


@never_cache
@require_safe
@agent_view(PERMISSION)
def listing(request: AgentRequest) -> HttpResponse:
    choice = people_events.Choice.read(request.GET)
    page = page_of(people_events.events_of(request.organisation, choice), "at", request.GET)
    context = {
        "tabs": administration_tabs(request.organisation, request.permissions, "people-events"),
        "page": page,
        "lines": [
            (row, EVENTS.get(row.event, row.event), describe(row.user_agent) if row.user_agent else "")
            for row in page.rows
        ],
        "choice": choice,
        "families": [(code, label) for code, (label, _) in FAMILIES.items()],
        "columns": [{"label": name} for name in ("Date", "Personne", "Événement", "Depuis", "Résultat")],
    }
    note_reading(request.organisation, READ, request.actor)
    return render(request, "identity/people_events.html", context)


@never_cache
@require_safe
@agent_view(PERMISSION, recent="always")
def export(request: AgentRequest, extension: str) -> HttpResponseBase:
    """The events as filtered, as CSV or ODS; the audit log says who took them."""
    if extension not in EXTENSIONS:
        raise Http404
    organisation = request.organisation
    rows = people_events.events_of(organisation, people_events.Choice.read(request.GET))
    answer = download_table(
        people_events.EXPORT_HEADER,
        people_events.export_rows(rows),
        name=f"evenements-{organisation.slug}",
        extension=extension,
        sheet="Événements",
    )
    details = {"kind": "events", "format": extension}
    audit("manager.export", request=request, organisation=organisation, data=details)
    return answer
