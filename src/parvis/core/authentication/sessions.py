"""Sessions of an account: how long, how many, renewed at each proof, ended at a distance.

Instants are those of ``time.time()``: a simulated clock neither shortens nor lengthens a session.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from parvis.core.authentication.assurance import REMEMBERED
from parvis.core.authentication.devices import describe
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.models import AGENT_IDLE_MINUTES

STARTED = "authentication.started"
SEEN = "authentication.seen"
HELD = "authentication.mandates"
BROWSER = "authentication.browser"
WANTS_REMEMBER = "authentication.remember"
REMEMBERED_AGE = 30 * 24 * 3600
WARNING = 120
"""Seconds before the end at which a person is told and may go on with one click (WCAG 2.2.1)."""
SEEN_STEP = 30


@dataclass(frozen=True)
class Limits:
    """Idle and absolute durations in seconds, and how many sessions at once."""

    idle: int
    absolute: int
    concurrent: int


USAGER = Limits(30 * 60, 12 * 3600, 10)
AGENT = Limits(AGENT_IDLE_MINUTES * 60, 10 * 3600, 5)
ADMINISTRATOR = Limits(15 * 60, 4 * 3600, 2)


def administers(account: Account, mandates: Iterable[Mandate]) -> bool:
    """True for whoever runs the platform or administers an organisation."""
    if account.is_platform_administrator or account.population == Account.Population.EXPLOITATION:
        return True
    return any(permission.startswith("administration.") for m in mandates for permission in m.permissions)


def limits_of(account: Account, mandates: Iterable[Mandate]) -> Limits:
    """The limits of the population that ``account`` belongs to today, idle as long as all its organisations allow."""
    mandates = list(mandates)
    if administers(account, mandates):
        limits = ADMINISTRATOR
    else:
        limits = AGENT if mandates or account.population == Account.Population.AGENT else USAGER
    idle = min([limits.idle, *(mandate.organisation.idle_minutes * 60 for mandate in mandates)])
    return replace(limits, idle=idle) if idle < limits.idle else limits


BY_ITSELF: Final = "X-Parvis-By-Itself"
"""Header of what a page left open asks again and again: nobody is there for that."""


def open_session(request: HttpRequest, account: Account, mandates: Iterable[Mandate]) -> int:
    """Note the beginning of a session, end those that are one too many; returns how many were ended."""
    mandates = list(mandates)
    limits, now, session = limits_of(account, mandates), time.time(), request.session
    session[STARTED] = session[SEEN] = now
    session[HELD] = sorted(str(mandate.pk) for mandate in mandates)
    session[BROWSER] = describe(request.META.get("HTTP_USER_AGENT", ""))
    session[REMEMBERED] = bool(session.pop(WANTS_REMEMBER, False)) and limits is USAGER
    session.set_expiry(REMEMBERED_AGE if session[REMEMBERED] else 0)
    others = UserSession.objects.filter(user_id=account.pk).exclude(session_key=session.session_key)
    surplus = list(others.order_by("-last_seen_at")[limits.concurrent - 1 :])
    for line in surplus:
        line.end()
    return len(surplus)


def overstayed(request: HttpRequest, account: Account, mandates: Iterable[Mandate]) -> str:
    """Why this session is over: '', ``inactivite``, ``duree`` or ``role``; a session without a beginning begins."""
    mandates, now, session = list(mandates), time.time(), request.session
    limits = limits_of(account, mandates)
    started = session.setdefault(STARTED, now)
    seen = session.setdefault(SEEN, now)
    if set(session.get(HELD, ())) - {str(mandate.pk) for mandate in mandates}:
        return "role"
    if now - started > (REMEMBERED_AGE if session.get(REMEMBERED) else limits.absolute):
        return "duree"
    if not session.get(REMEMBERED) and now - seen > limits.idle:
        return "inactivite"
    if now - seen > SEEN_STEP and BY_ITSELF not in request.headers:
        touch(request)
    return ""


def touch(request: HttpRequest) -> None:
    """Somebody is there: the idle time starts again."""
    from django.utils import timezone

    request.session[SEEN] = time.time()
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())


def renew(request: HttpRequest) -> None:
    """Give the session a new identifier, keeping what it holds and its line among the person's devices."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def forget_line(request: HttpRequest) -> None:
    """Take this session out of the list of the person's devices (it is being closed)."""
    UserSession.objects.filter(session_key=request.session.session_key).delete()


def end_all(account: Any, *, but: str | None = None) -> int:
    """End every session of ``account`` at once (suspension, lost role, reset), save the one whose key is ``but``."""
    return _end(UserSession.objects.filter(user_id=account.pk).exclude(session_key=but or ""))


def end_all_of(accounts: Any) -> int:
    """End every session of the accounts whose numbers ``accounts`` (a query) gives."""
    return _end(UserSession.objects.filter(user_id__in=accounts))


def _end(found: Iterable[UserSession]) -> int:
    ended = 0
    for session in found:
        session.end()
        ended += 1
    return ended
