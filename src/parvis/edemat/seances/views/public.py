"""Public pages of meetings: the lists of deliberations (CGCT L2121-25)."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from parvis.core.identity.access import OrganisationRequest, public_view
from parvis.core.web.keyset import page_of
from parvis.edemat.seances.models import Liste


@require_safe
@public_view(application="edemat")
def lists(request: OrganisationRequest) -> HttpResponse:
    """The lists, newest meeting first."""
    rows = Liste.objects.filter(organisation=request.organisation)
    page = page_of(rows, "day", request.GET, size=20)
    return render(request, "seances/public/lists.html", {"page": page})


@require_safe
@public_view(application="edemat")
def detail(request: OrganisationRequest, pk: UUID) -> HttpResponse:
    """One list: each deliberation examined, and the file to download."""
    rows = Liste.objects.select_related("document", "organisation")
    liste = get_object_or_404(rows, pk=pk, organisation=request.organisation)
    columns = [{"label": "Numéro"}, {"label": "Objet"}, {"label": "Décision"}]
    return render(request, "seances/public/list.html", {"liste": liste, "columns": columns})
