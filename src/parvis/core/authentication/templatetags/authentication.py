"""Pieces of page of authentication: live criteria under a new password, what waits for a second factor."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.core import signing

from parvis.core.authentication import stepup
from parvis.core.authentication.passwords import CRITERIA_SALT, examine

register = template.Library()


@register.inclusion_tag("authentication/password_criteria.html")
def password_criteria(account: Any = None) -> dict[str, Any]:
    """What a new password of ``account`` (None for a usager to be) must be, updated while it is typed."""
    number = account.pk if account is not None else 0
    return {"verdict": examine("", account), "typed": "", "pour": signing.dumps(number, salt=CRITERIA_SALT)}


@register.simple_tag(takes_context=True)
def awaited(context: Mapping[str, Any]) -> bool:
    """True when something waits for the second factor that the person is choosing."""
    return bool(stepup.awaited(context["request"]))
