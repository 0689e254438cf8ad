"""French typography in templates: dates, times, amounts and numbers as printers write them."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from parvis.core import clock
from parvis.core.branding.look import stylesheet_url
from parvis.core.identity.models import Account
from parvis.core.organisations.naming import of_it, with_article
from parvis.core.web.glossary import TERMS

register = template.Library()

NBSP = "\u00a0"
NARROW_NBSP = "\u202f"
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip


def _as_date(value: Any) -> date | None:
    """The day in Paris of a date, an aware datetime or an ISO 8601 string; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return _in_paris(value).date()
    return value if isinstance(value, date) else None


def _in_paris(value: datetime) -> datetime:
    return clock.paris(value) if value.tzinfo else value


def _day_number(day: date) -> str:
    return "1er" if day.day == 1 else str(day.day)


@register.filter
def date_longue(value: Any) -> str:
    """« lundi 1er juillet 2019 » (day in Paris); empty for no date."""
    day = _as_date(value)
    if day is None:
        return ""
    return f"{DAYS[day.weekday()]} {_day_number(day)}{NBSP}{MONTHS[day.month - 1]} {day.year}"


@register.filter
def date_moyenne(value: Any) -> str:
    """« 1er juillet 2019 »."""
    day = _as_date(value)
    return f"{_day_number(day)}{NBSP}{MONTHS[day.month - 1]} {day.year}" if day else ""


@register.filter
def date_courte(value: Any) -> str:
    """« 01/07/2019 »."""
    day = _as_date(value)
    return day.strftime("%d/%m/%Y") if day else ""


@register.filter
def mois_court(value: Any) -> str:
    """« juil. »."""
    day = _as_date(value)
    return SHORT_MONTHS[day.month - 1] if day else ""


@register.filter
def heure(value: Any) -> str:
    """« 14 h 30 », in Paris; « 14 h » on the hour. Non-breaking spaces hold it together."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return ""
    if isinstance(value, datetime):
        value = _in_paris(value)
    if not hasattr(value, "hour"):
        return ""
    return f"{value.hour}{NBSP}h{NBSP}{value.minute:02d}" if value.minute else f"{value.hour}{NBSP}h"


@register.filter
def date_heure(value: Any) -> str:
    """« 3 juillet 2019, 10 h 31 », in Paris."""
    return f"{date_moyenne(value)}, {heure(value)}" if value else ""


@register.filter
def jour_heure(value: Any) -> str:
    """« 3 juil. 10 h 31 », for tight lists; the year is added when it is not the present one."""
    day = _as_date(value)
    if day is None:
        return ""
    year = "" if day.year == clock.today().year else f" {day.year}"
    return f"{_day_number(day)}{NBSP}{SHORT_MONTHS[day.month - 1]}{year} {heure(value)}".strip()


@register.filter
def exposant(value: Any) -> SafeString:
    """Raise the « er » of « 1er » in a text that a date filter wrote."""
    text = conditional_escape(value)
    return mark_safe(text.replace("1er", "1<sup>er</sup>"))  # noqa: S308 - escaped just above


@register.filter
def iso(value: Any) -> str:
    """Machine form for the datetime attribute of <time>."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=clock.PARIS)).astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _grouped(digits: str) -> str:
    """Digits in threes from the right, separated by narrow non-breaking spaces."""
    return f"{int(digits):,}".replace(",", NARROW_NBSP)


@register.filter
def nombre(value: Any) -> str:
    """« 12 345 » or « 12 345,5 »; the value unchanged when it is not a number."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    whole, _, decimals = f"{abs(number):f}".partition(".")
    text = _grouped(whole) + (f",{decimals}" if decimals.strip("0") else "")
    return f"−{text}" if number < 0 else text


@register.filter
def euros(value: Any) -> str:
    """« 1 234,56 € » from a number of euros; rounded half up to the cent."""
    try:
        amount = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    except InvalidOperation:
        return ""
    whole, _, cents = f"{abs(amount):f}".partition(".")
    sign = "−" if amount < 0 else ""
    return f"{sign}{_grouped(whole)},{cents}{NBSP}€"


@register.filter
def siren(value: Any) -> str:
    """« 213 401 235 »; a SIRET gives « 213 401 235 00014 »."""
    digits = "".join(str(value or "").split())
    if not digits.isdigit() or len(digits) not in (9, 14):
        return str(value or "")
    groups = [digits[0:3], digits[3:6], digits[6:9], digits[9:]]
    return NBSP.join(group for group in groups if group)


@register.filter
def taille(value: Any) -> str:
    """A size in octets as « 12 ko » or « 3,4 Mo » (thousands, as operating systems in French show it)."""
    try:
        size = float(value)
    except (TypeError, ValueError):
        return ""
    if size < 1000:
        return f"{size:.0f}{NBSP}octet{'s' if size >= 2 else ''}"
    for unit in ("ko", "Mo", "Go", "To"):
        size /= 1000
        if size < 999.5 or unit == "To":
            break
    text = f"{size:.1f}" if size < 10 else f"{size:.0f}"
    return f"{text.removesuffix('.0').replace('.', ',')}{NBSP}{unit}"


@register.filter
def duree(value: Any) -> str:
    """A timedelta (or seconds) as « 26 min », « 2 h 05 », « 3 jours »."""
    if value is None or value == "":
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    minutes, seconds = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}{NBSP}jour{'s' if days > 1 else ''}"
    if hours:
        return f"{hours}{NBSP}h{NBSP}{minutes:02d}" if minutes else f"{hours}{NBSP}h"
    return f"{minutes}{NBSP}min" if minutes else f"{seconds}{NBSP}s"


@register.filter
def pluriel(count: Any, words: str) -> str:
    """``{{ 3|pluriel:"acte,actes" }}`` gives « 3 actes »; French puts 0 and 1 in the singular."""
    one, _, many = words.partition(",")
    return f"{nombre(count)}{NBSP}{many or one + 's' if abs(int(count)) > 1 else one}"


@register.filter
def majuscule(value: Any) -> str:
    """First letter raised, the rest untouched (Django's ``capfirst`` on any value)."""
    text = str(value or "")
    return text[:1].upper() + text[1:]


@register.filter
def de_nom(name: Any) -> str:
    """« Actes {{ organisation.name|de_nom }} »: « Actes de la commune de Juvignac »."""
    return of_it(str(name))


@register.filter
def le_nom(name: Any) -> str:
    """« publié par {{ organisation.name|le_nom }} »: « publié par la commune de Juvignac »."""
    return with_article(str(name))


@register.simple_tag
def definition(term: str) -> str:
    """What the glossary says of ``term``; one that it does not know is a fault of the page."""
    return TERMS[term]


@register.filter
def jours_restants(value: Any) -> int | None:
    """Days from today in Paris to ``value``: 0 today, negative once past; None without a date."""
    day = _as_date(value)
    return (day - clock.today()).days if day else None


@register.filter
def urgence(value: Any, lapsed: str = "") -> dict[str, str]:
    """How a deadline is shown: ``kind`` (danger, warn, plain) and ``text`` (« depuis 2 jours »).

    ``lapsed`` is for a delay that runs for others and ends by itself (appeal, déféré): never an alarm, and
    once it is over these are its words (« délai échu »).
    """
    days = jours_restants(value)
    if days is None:
        return {"kind": "plain", "text": ""}
    if lapsed:
        left = {0: "dernier jour", 1: f"1{NBSP}jour"}.get(days, f"{days}{NBSP}jours")
        return {"kind": "plain", "text": lapsed if days < 0 else left}
    timed = isinstance(value, datetime) and (_in_paris(value).hour, _in_paris(value).minute) not in (
        (0, 0),
        (23, 59),
    )
    if days < 0:
        return {"kind": "danger", "text": f"depuis {-days}{NBSP}jour{'s' if days < -1 else ''}"}
    if days == 0:
        late = timed and value < clock.now()
        text = (f"depuis {heure(value)}" if late else f"avant {heure(value)}") if timed else "aujourd’hui"
        return {"kind": "danger" if late else "warn", "text": text}
    if days == 1:
        return {"kind": "warn", "text": "demain"}
    return {"kind": "plain", "text": f"{days}{NBSP}jours"}


@register.filter
def jour(value: Any) -> SafeString:
    """A day with its machine form, ``<time datetime="2019-07-01">01/07/2019</time>``."""
    return format_html('<time datetime="{}">{}</time>', iso(value), date_courte(value)) if value else mark_safe("")


@register.simple_tag
def deadline_chip(value: Any, label: str = "", lapsed: str = "") -> SafeString:
    """The chip of a deadline, what ``c-deadline`` shows of it; for a list too long to call a component on each row."""
    if not _as_date(value):
        return mark_safe("")
    shown = urgence(value, lapsed)
    mark = mark_safe("" if shown["kind"] == "plain" else f" chip-{shown['kind']} chip-dot")  # noqa: S308
    said = f"{label} " if label else ""
    time = format_html('<time datetime="{}" title="{}">{}</time>', iso(value), date_longue(value), shown["text"])
    return format_html('<span class="chip{}">{}{}</span>', mark, said, time)


@register.filter
def sigle(value: Any) -> str:
    """Two letters for a service or a person: « Actes » gives « Ac », « Secrétariat général » « SG »."""
    words = [word for word in str(value or "").replace("-", " ").split() if word]
    if not words:
        return "?"
    return (words[0][0] + words[1][0]).upper() if len(words) > 1 else words[0][:2].capitalize()


@register.simple_tag
def theme_url(organisation: Any) -> str:
    """Address of the organisation's style sheet; it changes when its colours or its header picture do."""
    return stylesheet_url(organisation)


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """The present query string with some keys changed: ``{% with_query tri="date" apres=None %}``."""
    request = context.get("request")
    query = request.GET.copy() if request else None
    if query is None:
        from django.http import QueryDict

        query = QueryDict(mutable=True)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = value
    return "?" + query.urlencode()


# --- what components need ---------------------------------------------------------------------------------

ACTORS = {
    "job": "Traitement automatique",
    "api": "Logiciel relié (API)",
    "system": "Plateforme",
    "anonymous": "Visiteur",
}
STEP_STATES = {"current": "now", "running": "now", "todo": "waiting"}
STEP_WORDS = {
    "done": "fait",
    "now": "étape en cours",
    "waiting": "à venir",
    "failed": "en échec",
    "dropped": "sans suite",
}


@register.filter
def etape(state: Any) -> str:
    """State of a route's step as the cheminement draws it: done, now, waiting, failed or dropped."""
    return STEP_STATES.get(str(state), str(state))


@register.filter
def etape_dite(state: str) -> str:
    """The same state for those who do not see the drawing."""
    return STEP_WORDS.get(state, "")


SHORT_TYPES = {
    "application/pdf": "PDF",
    "application/xml": "XML",
    "text/xml": "XML",
    "text/csv": "CSV",
    "text/calendar": "ICS",
    "application/gzip": "TAR.GZ",
    "application/x-gzip": "TAR.GZ",
    "application/zip": "ZIP",
    "application/json": "JSON",
    "image/png": "PNG",
    "image/jpeg": "JPEG",
}


@register.filter
def type_court(document: Any) -> str:
    """« PDF/A », « XML »… for a document: its format when known, else its media type, else its extension."""
    if not document:
        return ""
    if "PDF/A" in (getattr(document, "format_name", "") or ""):
        return "PDF/A"
    known = SHORT_TYPES.get(getattr(document, "media_type", ""))
    return known or str(getattr(document, "filename", "")).rpartition(".")[2].upper() or "FICHIER"


@register.simple_tag
def document_links(document: Any, public: Any = "", href: str = "", thumbnail: str = "") -> dict[str, str]:
    """Where a document is read and the address of the picture of its first page (PDF only)."""
    pk = getattr(document, "pk", None)
    if pk is None or not getattr(document, "organisation_id", None):
        return {"href": href, "thumbnail": thumbnail}
    place = {"organisation_slug": document.organisation.slug, "pk": pk}
    space = "public_documents" if public else "documents"
    if not thumbnail and document.media_type == "application/pdf":
        thumbnail = reverse(f"{space}:page", kwargs={**place, "page": 1})
    href = href or reverse(f"{space}:download", kwargs=place)
    return {"href": href, "thumbnail": thumbnail}


@register.simple_tag(takes_context=True)
def traces(context: template.Context, entries: Any) -> list[dict[str, Any]]:
    """Lines of a timeline, from dicts (at, what, who, url) or journal entries (people named at once)."""
    rows = list(entries or [])
    people = {str(e.actor_id) for e in rows if getattr(e, "actor_kind", "") == "account"}
    numbers = {pk for pk in people if pk.isdigit()}
    names = {str(a.pk): a.full_name for a in Account.objects.filter(pk__in=numbers)} if numbers else {}
    here = getattr(context.get("request"), "organisation", None)
    return [row if isinstance(row, dict) else _entry_line(row, names, here) for row in rows]


def _entry_line(entry: Any, names: dict[str, str], here: Any) -> dict[str, Any]:
    """One journal entry; ``here`` is the organisation of the page, which spares a query for each entry."""
    organisation = here if here is not None and here.pk == entry.organisation_id else entry.organisation
    who = names.get(str(entry.actor_id), "") if entry.actor_kind == "account" else ACTORS.get(entry.actor_kind, "")
    url = reverse("journal:proof", kwargs={"organisation_slug": organisation.slug, "seq": entry.seq})
    return {"at": entry.ts, "what": entry.label, "who": who, "url": url}


@register.filter
def triees(checks: Any) -> dict[str, list[Any]]:
    """Checks (``ok``, ``severity``, ``sentence``): ``raised``, blocking first, and ``passed``."""

    def of(check: Any, name: str) -> Any:
        return check.get(name) if isinstance(check, dict) else getattr(check, name, None)

    raised = [check for check in checks or [] if not of(check, "ok")]
    return {
        "raised": sorted(raised, key=lambda check: of(check, "severity") != "bloquant"),
        "passed": [check for check in checks or [] if of(check, "ok")],
    }


@register.simple_tag(takes_context=True)
def sort_link(context: template.Context, column: Any, sort: str) -> dict[str, str]:
    """Address and aria-sort of a column header; ``sort`` is « key » or « -key ». Paging starts over."""
    key = column.get("key") if isinstance(column, dict) else None
    if not key:
        return {"url": "", "order": ""}
    order = {key: "ascending", f"-{key}": "descending"}.get(sort or "", "")
    target = f"-{key}" if order == "ascending" else key
    return {"url": with_query(context, tri=target, apres=None, avant=None), "order": order}


_OPENING = re.compile(r"<(tr|td|th)(?=[\s>])([^>]*)>")


@register.filter
def cellules_nommees(rows: Any, columns: Any) -> SafeString:
    """The rows of a table with, on each cell, the name of its column, which a phone shows (``.stackable``).

    The roles are said in full, for a table whose parts are laid out as blocks is no longer one to screen readers.
    """
    names = ["" if _part(column, "hidden") else conditional_escape(_part(column, "label")) for column in columns or []]
    position = -1

    def named(tag: re.Match[str]) -> str:
        nonlocal position
        name, rest = tag.groups()
        if name == "tr":
            position = -1
            return f'<tr role="row"{rest}>'
        position += 1
        if name == "th":
            return f'<th role="rowheader"{rest}>'
        known = position < len(names) and names[position] and "colspan" not in rest
        label = f' data-label="{names[position]}"' if known else ""
        return f'<td role="cell"{label}{rest}>'

    return mark_safe(_OPENING.sub(named, str(rows)))  # noqa: S308  the rows were escaped by their own template


def _part(column: Any, name: str) -> Any:
    return column.get(name, "") if isinstance(column, dict) else getattr(column, name, "")


@register.simple_tag
def choices_of(options: Iterable[tuple[Any, Any]], value: Any) -> SafeString:
    """The options of a list of choices given as (code, text), the one whose code is ``value`` being chosen."""
    chosen = str(value)
    rows = ((code, mark_safe(" selected") if str(code) == chosen else "", text) for code, text in options)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


@register.filter
def est_case(field: Any) -> bool:
    """True for a single check box, whose label comes after it."""
    return getattr(field.field.widget, "input_type", "") == "checkbox" and not field.use_fieldset


LONGEST_CODE = 60


@register.simple_tag
def wired(field: Any) -> SafeString | str:
    """The field's control with its class and the ARIA attributes that tie it to its help and its error."""
    if not field:
        return ""
    widget = field.field.widget
    kind = getattr(widget, "input_type", "textarea")
    style = {
        "select": "form-select",
        "checkbox": "form-check-input",
        "radio": "form-check-input",
        "hidden": "",
    }
    attributes: dict[str, Any] = {
        "class": " ".join(filter(None, [widget.attrs.get("class", ""), style.get(kind, "form-control")])),
        "placeholder": False,  # the label says it, and stays once something is typed
    }
    limit = getattr(field.field, "max_length", None) or 0
    if limit > LONGEST_CODE:  # a browser would cut in silence what is pasted: it is refused with its length instead
        attributes["maxlength"] = False
        if kind == "textarea":
            attributes["data-limit"] = widget.attrs.get("data-limit", limit)
    described = [f"{field.auto_id}_aide"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}_erreur")
        attributes["aria-invalid"] = "true"
    if described and not field.use_fieldset:
        attributes["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attributes)
