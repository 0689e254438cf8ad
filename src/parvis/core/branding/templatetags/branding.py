"""The look of an organisation in templates: its logo or crest, its footer, its colours on the pages of login."""

from django import template
from django.http import HttpRequest

from parvis.core.branding import entrance as entrances
from parvis.core.branding.look import Look, look_of
from parvis.core.organisations.models import Organisation

register = template.Library()


@register.filter
def look(organisation: Organisation) -> Look:
    """The published look of ``organisation``, or that of the draft being previewed."""
    return look_of(organisation)


@register.simple_tag(takes_context=True)
def entrance(context: template.Context) -> Organisation | None:
    """The organisation whose page or site sent the person to log in, if one did."""
    request = context.get("request")
    return entrances.organisation_of(request) if isinstance(request, HttpRequest) else None
