"""Gives each request its actor, the one that journal entries name, and demands agents' second factor."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from parvis.core.identity.access import request_mandates
from parvis.core.journal.services import Actor


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        request.actor = Actor("account", str(user.pk)) if user.is_authenticated else Actor("anonymous", "")  # type: ignore[attr-defined]
        return self.get_response(request)


class SecondFactorMiddleware:
    """An agent without a second factor may do nothing but set one up."""

    OPEN_PREFIXES = ("/compte/", "/mon-compte/securite/", "/static/", "/theme/", "/health", "/p/")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._must_enrol(request):
            return redirect("mfa_activate_totp")
        return self.get_response(request)

    def _must_enrol(self, request: HttpRequest) -> bool:
        if not request.user.is_authenticated or request.path.startswith(self.OPEN_PREFIXES) or request.path == "/":
            return False
        return bool(request_mandates(request)) and not is_mfa_enabled(request.user)
