"""Sessions of an account: renewed at each proof, listed, limited, ended at a distance."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.http import HttpRequest


def renew(request: HttpRequest) -> None:
    """Give the session a new identifier, keeping what it holds and its line among the person's devices."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def end_all(account: Any) -> int:
    """End every session of ``account`` at once (suspension, lost role, reset); returns how many there were."""
    ended = 0
    for session in UserSession.objects.filter(user_id=account.pk):
        session.end()
        ended += 1
    return ended
