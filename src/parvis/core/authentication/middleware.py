"""Ends the sessions that lasted too long, or whose holder lost a mandate, and holds an agent's that changes browser.

What was being sent is kept for later.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from parvis.core.authentication import jumps, sessions, stepup
from parvis.core.identity.access import request_mandates
from parvis.core.identity.models import Account

SENTENCES = {
    "inactivite": "Votre session s’est fermée après un temps sans activité. Reconnectez-vous pour continuer.",
    "duree": "Votre session a atteint sa durée maximale. Reconnectez-vous pour continuer.",
    "role": "Un de vos mandats a pris fin. Reconnectez-vous pour continuer avec ceux qui restent.",
}


class SessionLimitsMiddleware:
    """Runs once the CSRF check has passed, so that only what the person really sent is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        user = request.user
        if not isinstance(user, Account):  # nobody is logged in
            return None
        mandates = [] if user.population == Account.Population.USAGER else request_mandates(request)
        why = sessions.overstayed(request, user, mandates)
        if why:
            return self._close(request, why)
        if (proof := jumps.ask(request, view)) is not None:
            return proof
        if not request.session.get(sessions.REMEMBERED):
            request.idle_limit = sessions.limits_of(user, mandates).idle  # type: ignore[attr-defined]
        return None

    def _close(self, request: HttpRequest, why: str) -> HttpResponse:
        sent = request.method not in ("GET", "HEAD")
        token = stepup.keep(request) if sent else ""
        kept = request.session.get(stepup.PENDING)
        setattr(request, "logout_reason", why)  # noqa: B010  read by signals.logged_out
        logout(request)
        if sent:
            request.session[stepup.PENDING] = kept
        messages.info(request, SENTENCES[why])
        wanted = f"{reverse('authentication:resume')}?suite={token}" if sent else request.get_full_path()
        answer = redirect_to_login(wanted)
        if getattr(request, "htmx", False):
            return HttpResponse(headers={"HX-Redirect": answer["Location"]})
        return answer
