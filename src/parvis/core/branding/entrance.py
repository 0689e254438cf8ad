"""Whose page sent somebody to log in: the login page then wears the look of that organisation.

What comes after login is an address of the platform (``next``); it is only read to choose colours and a logo, all of
them public. Packages that send people to log in under addresses of their own say how to read them.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, QueryDict

from parvis.core.organisations.models import Organisation

Find = Callable[[str, QueryDict], dict[str, Any] | None]
PAGE: Final = re.compile(r"/[op]/([\w-]{1,50})/")
_finders: list[Find] = []


def register_entrance(find: Find) -> None:
    """``find(path, query)`` gives the ``slug`` or ``pk`` of the organisation that an address leads back to, or None."""
    if find not in _finders:
        _finders.append(find)


def _page(path: str, query: QueryDict) -> dict[str, Any] | None:
    found = PAGE.match(path)
    return {"slug": found.group(1)} if found else None


def leads_to(request: HttpRequest, address: str) -> None:
    """Tell where ``request`` leads when its own ``next`` does not: what waits in the session for a proof."""
    request._leads_to = address  # type: ignore[attr-defined]


def organisation_of(request: HttpRequest) -> Organisation | None:
    """The organisation that ``next`` leads back to; looked for once per request."""
    if not hasattr(request, "_entrance"):
        request._entrance = _found(request)  # type: ignore[attr-defined]
    return request._entrance  # type: ignore[attr-defined]


def _found(request: HttpRequest) -> Organisation | None:
    address = request.GET.get("next", "") or request.POST.get("next", "") or getattr(request, "_leads_to", "")
    path, _, query = address.partition("?")
    parameters = QueryDict(query[:20_000])
    wanted = next((found for find in (_page, *_finders) if (found := find(path, parameters))), None)
    return Organisation.objects.filter(**wanted).first() if wanted else None
