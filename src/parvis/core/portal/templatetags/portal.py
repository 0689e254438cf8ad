"""What homes and the desk announce."""

from typing import Any

from django import template

from parvis.core.portal.announcements import announcements_for

register = template.Library()


@register.inclusion_tag("portal/_announcements.html", takes_context=True)
def announcements(context: template.Context) -> dict[str, Any]:
    """The announcements of the present page, each with the button that hides it for the session."""
    request = context.get("request")
    return {
        "announcements": announcements_for(request) if request else [],
        "here": getattr(request, "organisation", None),
        "back": request.get_full_path() if request else "/",
        "csrf_token": context.get("csrf_token"),
    }
