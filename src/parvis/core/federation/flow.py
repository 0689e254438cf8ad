"""Logins on their way: what binds the answer of a provider to the browser that asked, one entry per tab."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from django.http import HttpRequest

from parvis.core import clock
from parvis.core.federation.errors import StateUnknown

KEY: Final = "federation.waiting"
LIFE: Final = 1800
MOST: Final = 8


@dataclass(frozen=True)
class Waiting:
    """One request to a provider: ``next`` is the page wanted afterwards, ``verifier`` the PKCE secret if any.

    ``fresh``: the person was asked to log in there again. ``two_factors``: and to prove two factors.
    """

    provider: str
    state: str
    nonce: str
    next: str
    at: float
    verifier: str = ""
    fresh: bool = False
    two_factors: bool = False


def open_request(
    request: HttpRequest, provider: str, next_page: str, *, pkce: bool, fresh: bool = False, two_factors: bool = False
) -> Waiting:
    """Note a request to ``provider`` in the session; the oldest gives way beyond ``MOST``."""
    waiting = Waiting(
        provider,
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(32),
        next_page,
        clock.now().timestamp(),
        secrets.token_urlsafe(48) if pkce else "",
        fresh,
        two_factors,
    )
    request.session[KEY] = [*request.session.get(KEY, []), asdict(waiting)][-MOST:]
    return waiting


def take(request: HttpRequest, provider: str, query: Mapping[str, str]) -> Waiting:
    """The request that this answer is to, forgotten at once. Raises StateUnknown."""
    state, kept = query.get("state", ""), request.session.get(KEY, [])
    found = [one for one in kept if hmac.compare_digest(one["state"].encode(), state.encode())]
    if not found:
        raise StateUnknown
    request.session[KEY] = [one for one in kept if one is not found[0]]
    waiting = Waiting(**found[0])
    if waiting.provider != provider:
        raise StateUnknown("mixed_up")
    if not 0 <= clock.now().timestamp() - waiting.at <= LIFE:
        raise StateUnknown("stale")
    return waiting
