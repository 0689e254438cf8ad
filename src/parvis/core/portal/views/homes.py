"""Public homes: the platform's, with its partners, and each organisation's own, without any script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parvis.core.identity.access import OrganisationRequest, open_view, public_view
from parvis.core.organisations.models import Organisation
from parvis.core.portal import home
from parvis.core.portal.hosts import main_address


@require_safe
@open_view
def platform(request: HttpRequest) -> HttpResponse:
    """What the platform offers, and its partners with their services; ``?q=`` a name or a postal code."""
    terms = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    everybody = home.partners(request)
    found = home.partners(request, terms) if terms else everybody
    context = {
        "terms": terms,
        "groups": home.grouped(found),
        "found": len(found),
        "offers": home.offers(everybody),
        "partners": len(everybody),
    }
    return render(request, "portal/platform.html", context)


@require_safe
@public_view
def organisation(request: OrganisationRequest) -> HttpResponse:
    """What one organisation offers to everybody, its announcements and its latest news."""
    return draw(request)


def draw(request: OrganisationRequest) -> HttpResponse:
    """The public home of ``request.organisation``, in its public view; also drawn under the look of a draft."""
    here = request.organisation
    near = Organisation.objects.filter(parent=here) if here.kind == Organisation.Kind.COMMUNE else None
    context = {
        "news": home.news_of(here),
        "near": list(near.order_by("short_name")) if near is not None else [],
        "parent": here.parent,
        "canonical": main_address(here.slug),
    }
    return render(request, "portal/organisation.html", context)
