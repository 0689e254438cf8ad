"""Ending the sessions of an account, whoever asks."""

from allauth.usersessions.models import UserSession

from parvis.core.identity.models import Account


def end_sessions(account: Account) -> int:
    """End every session of ``account`` at once. Returns how many were open."""
    ended = 0
    for session in UserSession.objects.filter(user_id=account.pk):
        session.end()
        ended += 1
    return ended
