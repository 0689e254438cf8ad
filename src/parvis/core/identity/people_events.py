"""What happened to the accounts of an organisation's people, for its administration: filtered, by page, as a table.

The database shows an organisation what is written in its name, and what happened to a person while they held a
mandate there and since it was given (policy ``people`` of the migration ``mandate_given_at``); never their logins on
other sites.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from parvis.core import clock
from parvis.core.authentication.devices import describe
from parvis.core.identity.by_name import named, words_of
from parvis.core.identity.events import EVENTS, FAMILIES, family_of
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.organisations.models import Organisation

RECENT: Final = timedelta(days=30)
EXPORT_HEADER: Final = (
    "date", "personne", "adresse", "evenement", "libelle", "resultat", "par", "moyen", "adresse_ip", "appareil",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """What the filters ask for; the period goes from the first day to the last one, both included."""

    words: str = ""
    family: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Choice":
        family = query.get("type", "")
        return cls(
            words_of(query),
            family if family in FAMILIES else "",
            _day(query["du"]) if "du" in query else clock.today() - RECENT,
            _day(query.get("au", "")),
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.PARIS)


def events_of(organisation: Organisation, choice: Choice) -> "QuerySet[SecurityEvent]":
    """The events that the filters keep, in no order; ``organisation`` is acted for by the caller."""
    held = Mandate.objects.filter(organisation=organisation).values("account")
    people = named(Account.objects.filter(pk__in=held), choice.words)
    # Named one by one, so that the database knows how many they are when it chooses its way.
    about = Q(account__in=list(people.values_list("pk", flat=True)))
    rows = SecurityEvent.objects.filter(about if choice.words else about | Q(organisation=organisation))
    if choice.family:
        rows = rows.filter(event__in=[code for code in EVENTS if family_of(code) == choice.family])
    if choice.since:
        rows = rows.filter(at__gte=_midnight(choice.since))
    if choice.until and choice.until < date.max:
        rows = rows.filter(at__lt=_midnight(choice.until + timedelta(days=1)))
    return rows.select_related("account", "actor")


def export_rows(rows: "QuerySet[SecurityEvent]") -> Iterator[tuple[object, ...]]:
    """The lines of the table to download, oldest first."""
    for row in rows.order_by("at", "pk").iterator(chunk_size=2000):
        yield (
            clock.paris(row.at).isoformat(timespec="seconds"),
            row.account.full_name if row.account else "",
            row.account.email if row.account else "",
            row.event,
            EVENTS.get(row.event, row.event),
            row.outcome,
            row.actor.full_name if row.actor and row.actor_id != row.account_id else "",
            row.method,
            row.address or "",
            describe(row.user_agent) if row.user_agent else "",
        )
