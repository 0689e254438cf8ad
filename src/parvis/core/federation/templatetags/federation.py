"""The providers offered on the login page."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from parvis.core.branding import entrance
from parvis.core.federation import directories
from parvis.core.federation.configuration import official_drawing, registrations

register = template.Library()


@register.simple_tag(takes_context=True)
def directory_way(context: dict[str, Any]) -> dict[str, str] | None:
    """``label`` and ``url`` of the directory offered on this login page: that of the domain of the address just typed,
    whether or not it has an account, or of the organisation whose page sent here."""
    request = context["request"]
    domain = str(request.POST.get("login", ""))[:254].strip().lower().rpartition("@")[2]
    found = directories.for_domain(domain)
    if found is None and (organisation := entrance.organisation_of(request)) is not None:
        found = directories.for_organisation(organisation)
    if found is None:
        return None
    wanted = request.GET.get("next", "") or request.POST.get("next", "")
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    return {"label": found.label, "url": reverse("federation:directory", args=[found.code]) + query}


@register.simple_tag(takes_context=True)
def federation_ways(context: dict[str, Any]) -> list[dict[str, str]]:
    """``code``, ``label``, ``url`` and ``drawing`` (address of the official button, "" for none) of each provider that
    this installation offers; the page wanted is kept.
    """
    request = context["request"]
    wanted = request.GET.get("next", "") or request.POST.get("next", "")
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    return [
        {
            "code": one.code,
            "label": one.label,
            "url": reverse(f"federation:{one.code}") + query,
            "drawing": reverse("federation:drawing", args=[one.code]) if official_drawing(one.code) else "",
        }
        for one in registrations()
    ]
