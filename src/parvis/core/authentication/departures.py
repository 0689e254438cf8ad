"""What a logout has to undo elsewhere: sites visited, providers that answered for the person.

A package registers a function that tells, from the session about to end, what must be left and how. Departures that
the server can make are made at once; those that need the browser are made from the page that lists them all, which
says of each whether it succeeded (reference of the federation, logout: each step that fails is displayed).
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Final

from cryptography.fernet import InvalidToken
from django.http import HttpRequest
from django.urls import reverse

from parvis.core.authentication.secrets import decrypt, encrypt

KEY: Final = "authentication.departures"
BACK: Final = "authentication.departures.back"
PAGE: Final = "federation:departures"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Departure:
    """One step. ``state`` is done, failed or browser; in the last case the browser goes to ``address``, one that
    comes back here, and the step has failed until it does. ``code`` tells it from the others."""

    code: str
    label: str
    state: str
    address: str = ""


Leave = Callable[[HttpRequest], list[Departure]]
_leaving: dict[str, Leave] = {}
_ranks: dict[str, int] = {}


def register_departure(code: str, leave: Leave, *, rank: int = 50) -> None:
    """Call ``leave`` with each request that logs somebody out, while its session is still there.

    The browser may never come back from a step: those that must be made have the lowest ``rank``.
    """
    _leaving[code], _ranks[code] = leave, rank


def collect(request: HttpRequest) -> list[Departure]:
    """What this session has to leave, by rank; asked once per request.

    Nothing here keeps a session open: what cannot be prepared is a step that failed.
    """
    if not hasattr(request, "_departures"):
        steps: list[Departure] = []
        for code, leave in sorted(_leaving.items(), key=lambda one: _ranks.get(one[0], 50)):
            try:
                steps += leave(request)
            except Exception:
                logger.exception("departures of %s", code)
                steps.append(Departure(code, "un autre service", "failed"))
        request._departures = steps  # type: ignore[attr-defined]
    return request._departures  # type: ignore[attr-defined]


def page(request: HttpRequest) -> str:
    """Address of the page of the steps when this session has something to leave, else ""."""
    return reverse(PAGE) if collect(request) else ""


def keep(request: HttpRequest, departures: list[Departure]) -> None:
    """Write the steps in the session that follows the logout, sealed: addresses may hold an identity token."""
    request.session.pop(BACK, None)
    _write(request, departures)


def kept(request: HttpRequest) -> list[Departure]:
    """The steps of the logout just made by this browser."""
    sealed = request.session.get(KEY)
    if not isinstance(sealed, str):
        return []
    try:
        return [Departure(**one) for one in json.loads(decrypt(sealed))]
    except (InvalidToken, ValueError):  # sealed under a key since withdrawn
        return []


def _write(request: HttpRequest, departures: list[Departure]) -> None:
    request.session[KEY] = encrypt(json.dumps([asdict(one) for one in departures]))


def lead_back(request: HttpRequest, label: str, address: str) -> None:
    """After the steps go back to ``label``, the site that asked for the logout; its ``address`` has been checked."""
    request.session[BACK] = {"label": label, "address": address}


def back(request: HttpRequest) -> dict[str, str] | None:
    """``label`` and ``address`` of the site to go back to after the steps, if one asked for the logout."""
    return request.session.get(BACK)


def leave_for(request: HttpRequest, code: str) -> None:
    """The browser goes to the address of the step ``code``: it has failed unless ``mark`` says otherwise."""
    _write(request, [replace(one, state="failed") if one.code == code else one for one in kept(request)])


def mark(request: HttpRequest, code: str, state: str) -> None:
    """Say how the step ``code`` ended."""
    steps = kept(request)
    _write(request, [replace(one, state=state, address="") if one.code == code else one for one in steps])
