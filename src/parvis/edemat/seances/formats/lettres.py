"""French writing of dates, hours and numbers in the documents of a meeting, in figures and in letters."""

import re
from datetime import date, datetime

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_UNITS = [
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
_TENS = ("", "", "vingt", "trente", "quarante", "cinquante", "soixante")
NBSP = "\u00a0"


def plural(count: int, noun: str) -> str:
    """Return the count and its noun, "6 jours" or "1 jour", joined by a non-breaking space."""
    return f"{count}{NBSP}{noun}{'s' if count > 1 else ''}"


def voices(count: int) -> str:
    """Return "26 voix", a noun that never changes."""
    return f"{count}{NBSP}voix"


def date_longue(day: date) -> str:
    """Return "lundi 1er juillet 2019"."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{WEEKDAYS[day.weekday()]} {number}{NBSP}{MONTHS[day.month - 1]} {day.year}"


def date_courte(day: date) -> str:
    """Return "1er juillet 2019"."""
    return date_longue(day).split(" ", 1)[1]


def heure(moment: datetime) -> str:
    """Return "18 h 30", or "18 h" on the hour, for a moment already in local time."""
    return f"{moment.hour}{NBSP}h{NBSP}{moment.minute:02d}" if moment.minute else f"{moment.hour}{NBSP}h"


def number_in_letters(number: int) -> str:
    """Return a number from 0 to 9999 in letters, in the traditional spelling ("quatre-vingt-dix-neuf")."""
    if not 0 <= number <= 9999:
        raise ValueError(f"{number} is outside 0–9999")
    thousands, rest = divmod(number, 1000)
    words = []
    if thousands:
        words.append("mille" if thousands == 1 else f"{_UNITS[thousands]} mille")
    hundreds, below = divmod(rest, 100)
    if hundreds:
        plural_mark = "s" if hundreds > 1 and not below else ""
        words.append("cent" if hundreds == 1 else f"{_UNITS[hundreds]} cent{plural_mark}")
    if below or not words:
        words.append(_below_hundred(below))
    return " ".join(words)


def _below_hundred(number: int) -> str:
    if number < 20:
        return _UNITS[number]
    tens, unit = divmod(number, 10)
    if tens < 7:
        return _TENS[tens] + ("" if unit == 0 else " et un" if unit == 1 else f"-{_UNITS[unit]}")
    if tens == 7:
        return "soixante" + (" et onze" if unit == 1 else f"-{_UNITS[10 + unit]}")
    if number == 80:
        return "quatre-vingts"
    return f"quatre-vingt-{_UNITS[number - 80]}"


def hour_in_letters(moment: datetime) -> str:
    """Return "dix-huit heures trente" for a moment already in local time; the hour is feminine ("vingt et
    une")."""
    hours = number_in_letters(moment.hour)
    if moment.hour % 10 == 1 and moment.hour != 11:
        hours += "e"
    words = f"{hours} heure{'s' if moment.hour > 1 else ''}"
    return f"{words} {number_in_letters(moment.minute)}" if moment.minute else words


def year_in_letters(year: int) -> str:
    """Return a year in letters; dates of the former millennium take "mil" as registers do."""
    return re.sub(r"^mille ", "mil ", number_in_letters(year))


def date_in_letters(day: date) -> str:
    """Return "l’an deux mille dix-neuf et le premier jour du mois de juillet", the opening of a
    deliberation."""
    month = MONTHS[day.month - 1]
    of = "d’" if month[0] in "ao" else "de "
    ordinal = "premier jour" if day.day == 1 else number_in_letters(day.day)
    return f"l’an {year_in_letters(day.year)} et le {ordinal} du mois {of}{month}"


_DAYS_BY_WORDS = {number_in_letters(day): day for day in range(1, 32)} | {"premier": 1}
_YEARS_BY_WORDS = {year_in_letters(year): year for year in range(1800, 2200)}
_OPENING = re.compile(
    r"l['’]an\s+(?P<year>[\w\s-]+?),?\s+(?:et\s+)?le\s+(?:jour\s+)?(?P<day>[\w\s-]+?)"
    r"(?:\s+jour)?\s+(?:du\s+mois\s+)?(?:de\s+|d['’])?(?P<month>" + "|".join(MONTHS) + r")\b",
    re.IGNORECASE,
)


def parse_opening_date(text: str) -> date | None:
    """Read the date written in letters in an opening formula; None when there is none or it is no date."""
    found = _OPENING.search(text)
    if not found:
        return None
    year = _YEARS_BY_WORDS.get(_spaced(found["year"]))
    day = _DAYS_BY_WORDS.get(_spaced(found["day"]))
    if year is None or day is None:
        return None
    try:
        return date(year, MONTHS.index(found["month"].lower()) + 1, day)
    except ValueError:
        return None


def _spaced(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip().lower()
