"""Gives each request its actor, the one that journal entries name, and demands the second factors that roles need."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from parvis.core.authentication import factors
from parvis.core.authentication.assurance import TWO_FACTORS, assurance_of
from parvis.core.authentication.sessions import administers
from parvis.core.identity.access import request_mandates
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        request.actor = Actor("account", str(user.pk)) if user.is_authenticated else Actor("anonymous", "")  # type: ignore[attr-defined]
        return self.get_response(request)


class SecondFactorMiddleware:
    """Those who act for an organisation, or run the platform, hold a second factor, and administrators a spare one.

    Who administers does nothing before; another agent has seven days from the creation of the account, and is told.
    """

    OPEN_PREFIXES = ("/compte/", "/mon-compte/securite/", "/static/", "/theme/", "/health", "/p/", "/api/")
    SETTLED = "identity.second_factor"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._asks(request) or self.get_response(request)

    def _asks(self, request: HttpRequest) -> HttpResponse | None:
        account = request.user
        if not isinstance(account, Account) or request.path.startswith(self.OPEN_PREFIXES) or request.path == "/":
            return None
        if request.session.get(self.SETTLED) == account.pk:
            return None
        mandates = [] if account.population == Account.Population.USAGER else request_mandates(request)
        administrator = administers(account, mandates)
        if not mandates and not administrator:
            return None
        if not administrator and assurance_of(request).reaches(TWO_FACTORS):
            return None  # proved here or by ProConnect: nothing more is asked
        held = factors.held_by(account)
        if held.number and (held.spare or not administrator):
            request.session[self.SETTLED] = account.pk
            return None
        if held.number:
            messages.warning(request, "Créez des codes de secours : une administration ne doit jamais rester bloquée.")
            return redirect("mfa_generate_recovery_codes")
        if factors.must_enrol(account, administrator=administrator):
            return redirect("authentication:security")
        return None
