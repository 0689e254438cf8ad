"""Filters of the provider's pages."""

from django import template

register = template.Library()


@register.filter
def duree(seconds: int) -> str:
    """A duration in the largest units that say it exactly: « 5 min », « 1 h 30 min », « 30 jours »."""
    parts = []
    for length, unit in ((86400, "jours"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}\u00a0{'jour' if unit == 'jours' and count == 1 else unit}")
    return " ".join(parts)
