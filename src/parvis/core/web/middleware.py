"""Remembers the last organisation of an agent for the desk; refuses addresses that no database could search."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from parvis.core.web.context import SESSION_KEY


class NullCharacterMiddleware:
    """Answers 400 to a path that holds U+0000, which no text of PostgreSQL can; filters and forms drop it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path:
            raise BadRequest("null character in the address")
        return self.get_response(request)


class LastOrganisationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        organisation = getattr(request, "organisation", None)
        acted = hasattr(request, "permissions")  # set by agent_view once the mandate is checked
        if organisation and acted and request.session.get(SESSION_KEY) != organisation.slug:
            request.session[SESSION_KEY] = organisation.slug
        return response
