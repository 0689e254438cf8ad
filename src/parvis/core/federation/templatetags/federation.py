"""The providers offered on the login page."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from parvis.core.federation.configuration import official_drawing, registrations

register = template.Library()


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
