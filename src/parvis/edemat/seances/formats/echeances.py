"""Dates that follow a meeting: list of deliberations, executory character, end of the appeal (CGCT
L2121-25, L2131-1)."""

import calendar
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


def executory_date(received: date, published: date) -> date:
    """Return the day the act becomes executory: received by the State and published, whichever is last
    (L2131-1)."""
    return max(received, published)


def appeal_last_day(published: date) -> date:
    """Return the last day of a contentious appeal: two clear months from publication (CJA R421-1).

    The day of publication does not count and the appeal may still be lodged on the day after the second
    month's
    anniversary: published on 11 July, appealable until 12 September.
    """
    years, month = divmod(published.month + 1, 12)
    year, month = published.year + years, month + 1
    day = min(published.day, calendar.monthrange(year, month)[1])
    return date(year, month, day) + timedelta(days=1)
