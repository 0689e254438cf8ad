"""Pages of open data: the public tables of an organisation, and what its agents follow."""

from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from parvis.core.exports import ods
from parvis.core.exports.download import CSV_MEDIA_TYPE, as_download
from parvis.core.identity.access import AgentRequest, OrganisationRequest, agent_view, public_view
from parvis.opendata import queries, services
from parvis.opendata.formats.scdl_deliberations import COLUMNS
from parvis.opendata.models import Dataset

FILES = {
    "csv": (CSV_MEDIA_TYPE, services.write_csv),
    "ods": (ods.MEDIA_TYPE, services.write_ods),
}
TABLE_COLUMNS = [
    {"label": "Date", "key": "date"},
    {"label": "Numéro", "key": "numero"},
    {"label": "Objet"},
    {"label": "Matière"},
    {"label": "Vote"},
    {"label": "Reçue en préfecture"},
]


# --- public ------------------------------------------------------------------------------------
@require_GET
@public_view(application="opendata")
def public_datasets(request: OrganisationRequest) -> HttpResponse:
    """The datasets that the organisation has put online."""
    return render(request, "opendata/public/datasets.html", {"datasets": queries.datasets_with_counts()})


@require_GET
@public_view(application="opendata")
def public_deliberations(request: OrganisationRequest) -> HttpResponse:
    """The « Délibérations » table: filtered, sorted, page by page."""
    dataset = get_object_or_404(Dataset, slug=services.DELIBERATIONS)
    selection = queries.Selection.read(request.GET)
    page = queries.page_of(dataset, selection)
    facets = queries.facets(dataset)
    total = queries.selected(dataset, selection).count()
    context = {
        "dataset": dataset,
        "selection": selection,
        "columns": COLUMNS,
        "table_columns": TABLE_COLUMNS,
        "page": page,
        "total": total,
        "matieres": [(code, f"{label} ({count})") for code, label, count in facets["matieres"]],
        "annees": [(code, f"{label} ({count})") for code, label, count in facets["annees"]],
        "next": "?" + urlencode({**selection.filters, "apres": page.next}) if page.next else "",
        "previous": "?" + urlencode({**selection.filters, "avant": page.previous}) if page.previous else "",
    }
    return render(request, "opendata/public/deliberations.html", context)


@require_GET
@public_view(application="opendata")
def public_download(request: OrganisationRequest, *, extension: str) -> HttpResponseBase:
    """The whole table as a file, made in a spool so that a slow reader holds no database transaction."""
    return _download(get_object_or_404(Dataset, slug=services.DELIBERATIONS), extension)


def _download(dataset: Dataset, extension: str) -> HttpResponseBase:
    if extension not in FILES:
        raise Http404
    media_type, write = FILES[extension]
    name = f"{dataset.organisation.slug}-{dataset.slug}.{extension}"
    return as_download(partial(write, dataset), name, media_type)


# --- agents ------------------------------------------------------------------------------------
@require_GET
@agent_view("opendata.lire", application="opendata")
def datasets(request: AgentRequest) -> HttpResponse:
    """What the organisation has opened lately, and what must be corrected before it can be."""
    context = {
        "latest": queries.latest(request.organisation),
        "datasets": queries.datasets_with_counts().filter(organisation=request.organisation),
        "refused": queries.refused_steps(request.organisation),
        "may_publish": "opendata.publier" in request.permissions,
    }
    return render(request, "opendata/datasets.html", context)


@require_GET
@agent_view("opendata.lire", application="opendata")
def download(request: AgentRequest, *, extension: str) -> HttpResponseBase:
    """The whole table as a file, even while it is not online."""
    dataset = get_object_or_404(Dataset, organisation=request.organisation, slug=services.DELIBERATIONS)
    return _download(dataset, extension)


@require_POST
@agent_view("opendata.publier", application="opendata")
def set_public(request: AgentRequest, *, slug: str) -> HttpResponse:
    """Put a dataset online, or withdraw it."""
    dataset = get_object_or_404(Dataset, organisation=request.organisation, slug=slug)
    public = request.POST.get("public") == "oui"
    services.set_public(dataset, public, actor=request.actor)
    where = "est en ligne" if public else "n’est plus en ligne"
    messages.success(request, f"Le jeu de données « {dataset.title} » {where}.")
    return HttpResponseRedirect(reverse("opendata:datasets", args=[request.organisation.slug]))
