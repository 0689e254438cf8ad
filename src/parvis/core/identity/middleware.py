"""Gives each request its actor, the one that journal entries name, and demands the second factors that roles need."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from parvis.core.authentication import factors, stepup
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


SETTLED = "identity.second_factor"
"""Session key of an administrator whose factors were found enough; dropped when one is removed."""


def second_factor_lacked(request: HttpRequest) -> str:
    """What the second factor of this session lacks: « proof », « choice », « spare » or nothing. Shows nothing.

    Those who act for an organisation, or run the platform, prove one; administrators hold a spare one too. Of those who
    run the platform a passkey alone counts. Who administers does nothing before; another agent has seven days from the
    creation of the account, and is told. What counts is what this session proved: one opened before the factor was
    chosen proves it too.
    """
    account = request.user
    if not isinstance(account, Account):
        return ""
    mandates = [] if account.population == Account.Population.USAGER else request_mandates(request)
    administrator = administers(account, mandates)
    if not mandates and not administrator:
        return ""
    proved = assurance_of(request).reaches(TWO_FACTORS)
    if proved and (not administrator or request.session.get(SETTLED) == account.pk):
        return ""  # proved here or by ProConnect: nothing more is asked
    held = factors.held_by(account)
    if not held.number:
        return "choice" if factors.must_enrol(account, administrator=administrator) else ""
    if not proved:
        return "proof"
    if not held.spare:
        return "spare"
    request.session[SETTLED] = account.pk
    return ""


def second_factor_asked(request: HttpRequest, back: str = "") -> HttpResponse | None:
    """Where this request goes first because of the second factor: to prove it, to choose it, or to double it.

    It comes back to ``back``, or else to what it asked.
    """
    match second_factor_lacked(request):
        case "choice":
            return stepup.enrol(request, back)
        case "proof":
            return stepup.prove(request, back)
        case "spare":
            messages.warning(request, "Créez des codes de secours : une administration ne doit jamais rester bloquée.")
            return redirect("mfa_generate_recovery_codes")
    return None


class SecondFactorMiddleware:
    """Asks for the second factor on every page but those by which it is given, and those that answer for another site.

    Runs once the CSRF check has passed, so that only what the person really sent is kept.
    """

    OPEN_PREFIXES = ("/compte/", "/mon-compte/securite/", "/static/", "/theme/", "/health", "/p/", "/api/")
    ASKING_THEMSELVES = ("/identite/o/", "/saml/")
    """Protocols: a site that wants no page shown is answered in the words of its protocol."""
    PROVIDERS = (
        "federation:franceconnect",
        "federation:proconnect",
        "federation:directory",
        "federation:directory_again",
        "federation:callback",
    )
    """The way to a provider and back: it may confirm who is about to choose a first factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if request.path == "/" or request.path.startswith((*self.OPEN_PREFIXES, *self.ASKING_THEMSELVES)):
            return None
        if request.resolver_match is not None and request.resolver_match.view_name in self.PROVIDERS:
            return None
        return second_factor_asked(request)
