"""Numbers requests; remembers the last organisation of an agent for the desk; refuses unsearchable addresses."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from parvis.core.correlation import WELL_FORMED, following, new_number
from parvis.core.web.context import SESSION_KEY
from parvis.core.web.proxy import comes_from_proxy


class CorrelationMiddleware:
    """Gives each request the number that its logs and jobs carry, and tells it in ``X-Request-Id``.

    The reverse proxy may have numbered it already; nobody else is believed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get("X-Request-Id", "") if comes_from_proxy(request) else ""
        number = told if WELL_FORMED.fullmatch(told) else new_number()
        request.request_id = number  # type: ignore[attr-defined]
        with following(number):
            response = self.get_response(request)
        response["X-Request-Id"] = number
        return response


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
