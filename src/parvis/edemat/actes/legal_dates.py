"""Dates that give an act its force and close the time to contest it (CGCT L2131-1, L2131-6; CJA R421-1).

Pure functions over dates in Europe/Paris. A *délai franc* counts neither the day that opens it nor the day it
ends, and a last day that is a Saturday, a Sunday or a public holiday moves to the next working day.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

APPEAL_MONTHS = 2
ONLINE_MONTHS = 2


def executoire_on(received: date | None, published: date | None, *, transmissible: bool = True) -> date | None:
    """Day from which the act is binding: the later of its reception by the State and of its publication.

    None while one of the two is missing. An act outside the list of L2131-2 (``transmissible`` false) needs
    its publication only. (CGCT L2131-1)
    """
    if published is None or (transmissible and received is None):
        return None
    return max(published, received) if received and transmissible else published


def last_appeal_day(published: date) -> date:
    """Last day to bring the act before the administrative court: two months, francs. (CJA R421-1)"""
    return next_working_day(add_months(published, APPEAL_MONTHS) + timedelta(days=1))


def last_defere_day(received: date) -> date:
    """Last day of the préfet's déféré: two months, francs, from reception of the complete act. (L2131-6)

    A request for pieces or a lettre d'observations starts it again from its answer: give that date instead.
    """
    return next_working_day(add_months(received, APPEAL_MONTHS) + timedelta(days=1))


@dataclass(frozen=True)
class Question:
    """A request for pieces or a lettre d'observations: when it came, when its answer reached the préfecture."""

    asked: date
    answered: date | None = None


@dataclass(frozen=True)
class DefereDelay:
    """The last day of the déféré; ``restarts``: an answer is due, from whose reception the two months run again."""

    until: date
    restarts: bool = False


def defere_delay(received: date, questions: Iterable[Question]) -> DefereDelay:
    """The delay of the préfet, started again by each answer to a question asked while it ran. (L2131-6)"""
    delay = DefereDelay(last_defere_day(received))
    for question in sorted(questions, key=lambda question: question.asked):
        if question.asked > delay.until:
            continue
        if question.answered is None:
            return DefereDelay(delay.until, restarts=True)
        delay = DefereDelay(max(delay.until, last_defere_day(question.answered)))
    return delay


def online_until(published: date) -> date:
    """First day on which the act may leave the site: the text stays online two months at least. (R2131-1)"""
    return add_months(published, ONLINE_MONTHS) + timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """Same day of a later month, or the last day of that month when it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def next_working_day(day: date) -> date:
    """``day`` itself, or the first following day that is no Saturday, Sunday or public holiday."""
    while day.weekday() >= 5 or day in public_holidays(day.year):
        day += timedelta(days=1)
    return day


def public_holidays(year: int) -> frozenset[date]:
    """Public holidays in mainland France. (Code du travail L3133-1)"""
    easter = easter_sunday(year)
    fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    movable = (easter + timedelta(days=offset) for offset in (1, 39, 50))
    return frozenset({*(date(year, month, day) for month, day in fixed), *movable})


def easter_sunday(year: int) -> date:
    """Easter in the Gregorian calendar (Meeus, Jones and Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)
