"""Whose page sent somebody to log in: the login page then wears the look of that organisation.

What comes after login is an address of the platform (``next``); it is only read to choose colours and a logo, all of
them public. Packages that send people to log in under addresses of their own say how to read them.
"""

import re
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest

from parvis.core.organisations.models import Organisation

Find = Callable[[str], str | None]
PAGE: Final = re.compile(r"/[op]/([\w-]{1,50})/")
_finders: list[Find] = []


def register_entrance(find: Find) -> None:
    """``find(next)`` gives the slug of the organisation that an address leads back to, or None (AppConfig.ready)."""
    if find not in _finders:
        _finders.append(find)


def _page(address: str) -> str | None:
    found = PAGE.match(address)
    return found.group(1) if found else None


def organisation_of(request: HttpRequest) -> Organisation | None:
    """The organisation that ``next`` leads back to; looked for once per request."""
    if not hasattr(request, "_entrance"):
        request._entrance = _found(request)  # type: ignore[attr-defined]
    return request._entrance  # type: ignore[attr-defined]


def _found(request: HttpRequest) -> Organisation | None:
    address = request.GET.get("next", "") or request.POST.get("next", "")
    slug = next((slug for find in (_page, *_finders) if (slug := find(address))), None) if address else None
    return Organisation.objects.filter(slug=slug).first() if slug else None
