"""Leaving FranceConnect, ProConnect and directories after a local logout (RP-Initiated Logout 1.0): through the
browser, for no provider can be told by the server."""

import hmac
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpRequest

from parvis.core.authentication.departures import Departure
from parvis.core.federation import directories, sessions
from parvis.core.federation.client import facts_of, line_to
from parvis.core.federation.configuration import LABELS, Registration, is_directory, registration
from parvis.core.federation.outgoing import Silent


def departures(request: HttpRequest) -> list[Departure]:
    """One step for each provider used in this session."""
    return [departure(provider, token) for provider, token in sessions.tokens(request).items()]


def departure(provider: str, id_token: str) -> Departure:
    """How to leave ``provider``: an address for the browser, or a failure to be displayed."""
    registered = directories.registered(provider) if is_directory(provider) else registration(provider)
    label = registered.label if registered is not None else LABELS.get(provider, "l’annuaire de votre organisation")
    address = _address(registered, id_token)
    return Departure(provider, label, "browser" if address else "failed", address)


def _address(registered: Registration | None, id_token: str) -> str:
    if registered is None or not id_token:
        return ""
    try:
        facts = facts_of(registered, line_to(registered))
    except Silent:
        return ""
    if not facts.end_session_endpoint:
        return ""
    asked = {
        "id_token_hint": id_token,
        "state": secrets.token_urlsafe(32),
        "post_logout_redirect_uri": registered.post_logout_redirect_uri,
    }
    if registered.is_directory:
        asked["client_id"] = registered.client_id
    return f"{facts.end_session_endpoint}?{urlencode(asked)}"


def came_back(steps: list[Departure], provider: str, state: str) -> bool:
    """True when ``state`` is the one that this browser was sent to ``provider`` with."""
    expected = [parse_qs(urlsplit(one.address).query).get("state", [""])[0] for one in steps if one.code == provider]
    return any(one and hmac.compare_digest(one.encode(), state.encode()) for one in expected)
