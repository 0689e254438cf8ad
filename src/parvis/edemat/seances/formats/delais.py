"""Delay between the sending of the convocation and the meeting, in jours francs (CGCT L2121-11, L2121-12).

Full days lie between the day of sending and the day of the meeting, both left out. Saturdays, Sundays and
holidays are days like the others and nothing is carried over. The hour of sending, in Paris, changes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from parvis.edemat.seances.formats.lettres import date_longue, plural
from parvis.edemat.seances.formats.regimes import Regime

PARIS = ZoneInfo("Europe/Paris")


def paris_date(moment: datetime) -> date:
    """Return the calendar day of an aware instant in Europe/Paris; a naive one is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs its time zone before its day can be told")
    return moment.astimezone(PARIS).date()


def jours_francs(sent: date, meets: date) -> int:
    """Count the whole calendar days strictly between the sending and the meeting (-1 on the same day)."""
    return (meets - sent).days - 1


def minimum_days(regime: Regime, *, urgency: bool = False) -> int:
    """Return the number of days the regime asks for, shortened by urgency where the law allows it."""
    if urgency and regime.urgency_days is not None:
        return regime.urgency_days
    return regime.minimum_days


def last_sending_day(regime: Regime, meets: date, *, urgency: bool = False) -> date:
    """Return the last day on which the convocation may still be sent regularly."""
    days = minimum_days(regime, urgency=urgency)
    if days == 0:
        return meets
    return meets - timedelta(days=days + 1 if regime.franc else days)


def earliest_meeting_day(regime: Regime, sent: date, *, urgency: bool = False) -> date:
    """Return the first day on which a meeting convened on `sent` may be held."""
    days = minimum_days(regime, urgency=urgency)
    if days == 0:
        return sent
    return sent + timedelta(days=days + 1 if regime.franc else days)


@dataclass(frozen=True, slots=True)
class Delay:
    """The delay of one sending: what was counted, what was due, and the French sentence to show."""

    francs: int
    minimum: int
    regular: bool
    last_day: date
    sentence: str


def delay_between(regime: Regime, sent: date, meets: date, *, urgency: bool = False) -> Delay:
    """Judge the sending of a convocation on `sent` for a meeting on `meets` under `regime`."""
    last_day = last_sending_day(regime, meets, urgency=urgency)
    minimum = minimum_days(regime, urgency=urgency)
    regular = sent <= last_day
    unit = "franc" if regime.franc else ""
    counted = jours_francs(sent, meets) if regime.franc else (meets - sent).days
    if minimum == 0:
        sentence = "Aucun délai n’est fixé par la loi pour cette assemblée."
    elif regular:
        sentence = f"{_days(counted, unit)} entre l’envoi et la séance, pour {minimum} au moins ({regime.basis})."
    else:
        sentence = (
            f"{_days(max(counted, 0), unit)} seulement entre l’envoi et la séance : il en faut {minimum} "
            f"({regime.basis}). Le dernier jour d’envoi régulier était le {date_longue(last_day)}."
        )
    return Delay(jours_francs(sent, meets), minimum, regular, last_day, sentence)


def _days(count: int, unit: str) -> str:
    words = plural(count, "jour")
    return f"{words} {unit}{'s' if count > 1 else ''}" if unit else words
