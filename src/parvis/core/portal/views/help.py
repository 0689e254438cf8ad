"""Help, ``/aide/``: the questions by audience, their search, and whom to write to."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parvis.core.identity.access import open_view
from parvis.core.organisations.models import Organisation
from parvis.core.portal import help as helps
from parvis.core.web.searching import cleaned


@require_safe
@open_view
def index(request: HttpRequest) -> HttpResponse:
    """All the questions, or those about ``?q=``."""
    terms = cleaned(request.GET.get("q", ""))
    pages = helps.pages_about(terms) if terms else list(helps.PAGES.values())
    groups = [(label, [p for p in pages if p.audience == label]) for label in (helps.EVERYBODY, helps.AGENTS)]
    context = {"terms": terms, "groups": [(label, some) for label, some in groups if some], "found": len(pages)}
    return render(request, "portal/help.html", context)


@require_safe
@open_view
def page(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in helps.PAGES:
        raise Http404
    shown = helps.PAGES[slug]
    others = [other for other in helps.PAGES.values() if other.audience == shown.audience and other != shown]
    return render(request, "portal/help_page.html", {"page": shown, "others": others, **helps.context()})


@require_safe
@open_view
def contact(request: HttpRequest) -> HttpResponse:
    """Whom to write to: the organisation concerned, which ``?organisation=`` names."""
    partners = list(Organisation.objects.order_by("short_name"))
    slug = request.GET.get("organisation", "")
    chosen = next((partner for partner in partners if partner.slug == slug), None)
    context = {"options": [(partner.slug, partner.short_name) for partner in partners], "chosen": chosen}
    return render(request, "portal/contact.html", context)
