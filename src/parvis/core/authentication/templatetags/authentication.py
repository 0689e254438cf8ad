"""Pieces of page of authentication: live criteria under a new password, the end of the session announced."""

from typing import Any

from django import template
from django.core import signing

from parvis.core.authentication.passwords import CRITERIA_SALT, examine

register = template.Library()


@register.inclusion_tag("authentication/password_criteria.html")
def password_criteria(account: Any = None) -> dict[str, Any]:
    """What a new password of ``account`` (None for a usager to be) must be, updated while it is typed."""
    number = account.pk if account is not None else 0
    return {"verdict": examine("", account), "typed": "", "pour": signing.dumps(number, salt=CRITERIA_SALT)}
