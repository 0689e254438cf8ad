"""Management rules: durations, end dates and access codes (SEDA 2.2; Code du patrimoine L213-1, L213-2)."""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from parvis.edemat.archives.formats.seda import Category, Rule, RuleSet

_ISO_DURATION = re.compile(r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?")
_YEARS_BY_ACCESS_CODE: dict[str, int | None] = {
    "AR038": 0,
    **dict.fromkeys(("AR039", "AR040", "AR041", "AR042", "AR043", "AR044", "AR045", "AR046", "AR047"), 25),
    **dict.fromkeys(("AR048", "AR049", "AR050", "AR051"), 50),
    **dict.fromkeys(("AR052", "AR053", "AR054", "AR055", "AR056", "AR057"), 75),
    **dict.fromkeys(("AR058", "AR059", "AR060"), 100),
    "AR061": 120,
    "AR062": None,
}
_DURATION_CATEGORIES = (Category.APPRAISAL, Category.STORAGE)
KEEP_FOREVER_WORD = "conserver"


@dataclass(frozen=True)
class Duration:
    """A calendar delay."""

    years: int = 0
    months: int = 0
    days: int = 0

    def after(self, start: date) -> date:
        """``start`` plus this delay; a day that does not exist gives the last valid day (29 Feb → 28 Feb)."""
        months = start.month - 1 + self.months
        year, month = start.year + self.years + months // 12, months % 12 + 1
        day = min(start.day, calendar.monthrange(year, month)[1])
        return date.fromordinal(date(year, month, day).toordinal() + self.days)

    def __str__(self) -> str:
        parts = []
        if self.years:
            parts.append(f"{self.years} an" + "s" * (self.years > 1))
        if self.months:
            parts.append(f"{self.months} mois")
        if self.days:
            parts.append(f"{self.days} jour" + "s" * (self.days > 1))
        return ", ".join(parts) or "sans délai"


@dataclass(frozen=True)
class KnownRule:
    """A rule of the referential. ``duration`` is None when the delay never ends."""

    category: Category
    duration: Duration | None


def parse_duration(text: str) -> Duration | None:
    """The delay of an xsd:duration such as ``P10Y`` (years, months, days); None when it is not one."""
    found = _ISO_DURATION.fullmatch(text)
    if not found:
        return None
    years, months, days = (int(part or 0) for part in found.groups())
    return Duration(years, months, days)


class RuleBook:
    """The rules a transfer may name: SIAF access codes, plain durations, a tenant's own referential."""

    def __init__(self, own: Mapping[str, KnownRule] | None = None) -> None:
        self._own = dict(own or {})

    def find(self, identifier: str, category: Category) -> KnownRule | None:
        """The rule ``identifier`` names in ``category``; a rule of another family comes back with its own."""
        if identifier in self._own:
            return self._own[identifier]
        if identifier in _YEARS_BY_ACCESS_CODE:
            years = _YEARS_BY_ACCESS_CODE[identifier]
            return KnownRule(Category.ACCESS, None if years is None else Duration(years))
        if category in _DURATION_CATEGORIES:
            if identifier == KEEP_FOREVER_WORD:
                return KnownRule(category, None)
            duration = parse_duration(identifier)
            if duration is not None:
                return KnownRule(category, duration)
        return None

    def end_date(self, category: Category, identifier: str, start: date | None) -> date | None:
        """The day the rule stops applying; None when it never does or has no start."""
        rule = self.find(identifier, category)
        if rule is None or rule.duration is None or start is None:
            return None
        return rule.duration.after(start)


def access_code_of_acte(nature: str, matiere: str) -> str:
    """AR048 (vie privée, 50 years) for personnel and social matters, else AR038 (free access).

    ``nature`` is the ACTES nature code (3 individual orders, 4 contracts), ``matiere`` a dotted
    classification such as ``8.2.1``. The rule is knowingly restrictive: an act under AR048 stays
    communicable on request.
    """
    personnel = nature in ("3", "4") and _under(matiere, "4")
    social = nature == "3" and _under(matiere, "8.2")
    return "AR048" if personnel or social else "AR038"


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + ".")


# Default delay and final action, to be validated by the directorate of the departmental archives.
APPRAISAL_OF_ACTE = ("P10Y", "Keep")


def rules_of_acte(nature: str, matiere: str, executory: date) -> tuple[RuleSet, ...]:
    """Appraisal and access rules of an acte, both counted from the day it became executory."""
    delay, final_action = APPRAISAL_OF_ACTE
    return (
        RuleSet(Category.APPRAISAL, (Rule(delay, executory),), final_action),
        RuleSet(Category.ACCESS, (Rule(access_code_of_acte(nature, matiere), executory),)),
    )
