"""Remembers the last organisation an agent worked for, so that the desk opens on it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from parvis.core.web.context import SESSION_KEY


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
