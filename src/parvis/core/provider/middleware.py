"""Keeps the grants of a browser session under its present key, which changes at login and at step-up."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from parvis.core.provider.grants import SESSION_SECRET, follow_session


class SessionFollowingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        if session.accessed and SESSION_SECRET in session and request.user.is_authenticated:
            follow_session(request.user.pk, session)
        return response
