"""Dates that follow a meeting: the list of its deliberations (CGCT L2121-25)."""

from datetime import date, timedelta

LIST_SINCE = date(2022, 7, 1)
"""Since when the list of deliberations replaces the minutes posted within the week (ordonnance 2021-1310)."""
LISTED = frozenset({"commune_lt3500", "commune_ge3500", "epci", "installation", "seconde_convocation"})
"""Regimes of the bodies whose list is owed: municipal councils, and those under their rules (L5211-1)."""


def list_is_due(regime: str, meets: date) -> bool:
    """Whether the list of the deliberations of a meeting under this regime must be published (L2121-25)."""
    return regime in LISTED and meets >= LIST_SINCE


def list_deadline(meets: date) -> date:
    """Return the last day to post the list of the deliberations examined: one week after the meeting
    (L2121-25)."""
    return meets + timedelta(days=7)
