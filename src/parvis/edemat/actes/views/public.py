"""The commune's public pages of acts: register, act with the data of R2131-1, feed, files, without script."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from parvis.core.identity.access import OrganisationRequest, public_view
from parvis.core.web.keyset import page_of
from parvis.edemat.actes import board
from parvis.edemat.actes.exports import export_publications
from parvis.edemat.actes.legal_dates import last_appeal_day, online_until
from parvis.edemat.actes.models import Publication

FEED_LENGTH = 50


@public_view(application="edemat")
@require_safe
def register(request: OrganisationRequest) -> HttpResponse:
    """The published acts, newest first, with search and facets."""
    filters = board.Filters.read(request.GET)
    rows = board.published(request.organisation, filters)
    page = page_of(rows.defer("text", "search"), "published_on", request.GET, size=20)
    return render(
        request,
        "actes/public/register.html",
        {
            "filters": filters,
            "page": page,
            "total": rows.count(),
            **board.facets(request.organisation, filters),
        },
    )


@public_view(application="edemat")
@require_safe
def detail(request: OrganisationRequest, pk: UUID) -> HttpResponse:
    """One published act: full text, author, dates, appeal."""
    publication = get_object_or_404(
        Publication.objects.online().select_related("document", "stamped", "organisation").defer("text", "search"),
        pk=pk,
        organisation=request.organisation,
    )
    return render(
        request,
        "actes/public/detail.html",
        {
            "publication": publication,
            "full_text": publication.stamped or publication.document,
            "appeal_until": last_appeal_day(publication.published_on),
            "online_until": online_until(publication.published_on),
        },
    )


@public_view(application="edemat")
@require_safe
def verification(request: OrganisationRequest, unique_id: str) -> HttpResponse:
    """Where the code on a bordereau leads: the published act of that identifier, if it is online.

    An unknown identifier and an act that is not public answer alike.
    """
    publication = (
        Publication.objects.online()
        .select_related("document", "organisation")
        .defer("text", "search")
        .filter(organisation=request.organisation, unique_id=unique_id)
        .first()
    )
    return render(request, "actes/public/verification.html", {"publication": publication, "unique_id": unique_id[:60]})


@public_view(application="edemat")
@require_safe
def feed(request: OrganisationRequest) -> HttpResponse:
    """Atom feed (RFC 4287) of the latest published acts, for the present filters."""
    filters = board.Filters.read(request.GET)
    rows = board.published(request.organisation, filters).defer("text", "search")
    publications = list(rows.order_by("-published_at", "-pk")[:FEED_LENGTH])
    place = {"organisation_slug": request.organisation.slug}
    return render(
        request,
        "actes/public/feed.xml",
        {
            "publications": publications,
            "base": settings.BASE_URL,
            "list_url": settings.BASE_URL + reverse("actes_public:list", kwargs=place),
            "self_url": settings.BASE_URL + request.get_full_path(),
        },
        content_type="application/atom+xml; charset=utf-8",
    )


@public_view(application="edemat")
@require_safe
def export(request: OrganisationRequest, extension: str) -> HttpResponseBase:
    """The register as CSV or ODS, for the present filters."""
    if extension not in ("csv", "ods"):
        raise Http404
    rows = board.published(request.organisation, board.Filters.read(request.GET))
    return export_publications(rows, extension, f"actes-{request.organisation.slug}")
