"""Reads of the people of an organisation: the list by key, one person, the table to download."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from parvis.core import clock
from parvis.core.identity.by_name import named, page_by_name, words_of
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.organisations.authority import Authority

PAGE_SIZE: Final = 50
STATES: Final = {
    "en-cours": "En cours",
    "suspendus": "Suspendus",
    "a-venir": "À venir",
    "termines": "Terminés",
}


@dataclass
class Person:
    """One line of the list: an account with its mandates in the organisation."""

    account: Account
    mandates: list[Mandate] = field(default_factory=list)


@dataclass(frozen=True)
class PeoplePage:
    people: list[Person]
    previous: str = ""
    next: str = ""


@dataclass(frozen=True)
class Choice:
    """What the filters ask for."""

    words: str = ""
    role: str = ""
    department: str = ""
    state: str = "en-cours"

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Choice":
        state = query.get("etat", "en-cours")
        return cls(
            words_of(query),
            query.get("role", "").replace("\x00", "")[:60],
            query.get("service", "")[:36],
            state if state in STATES or state == "" else "en-cours",
        )


def mandate_state(mandate: Mandate, today: date) -> str:
    """Key of ``STATES``."""
    if mandate.is_over(today):
        return "termines"
    if mandate.suspended_at is not None:
        return "suspendus"
    return "a-venir" if mandate.start > today else "en-cours"


def mandates_for(by: Authority, choice: Choice) -> "QuerySet[Mandate]":
    """The mandates that ``by`` administers and the filters keep."""
    today = clock.today()
    rows = Mandate.objects.filter(organisation=by.organisation)
    if by.departments is not None:
        rows = rows.filter(department__in=by.departments)
    match choice.state:
        case "en-cours":
            rows = rows.in_force(today)
        case "suspendus":
            rows = rows.not_over(today).filter(suspended_at__isnull=False)
        case "a-venir":
            rows = rows.not_over(today).filter(start__gt=today, suspended_at__isnull=True)
        case "termines":
            rows = rows.over(today)
    if choice.role:
        rows = rows.filter(Q(role=choice.role) | Q(own_role__slug=choice.role))
    if choice.department == "aucun":
        rows = rows.filter(department__isnull=True)
    elif choice.department:
        rows = rows.filter(department=_uuid(choice.department))
    return rows


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def accounts_for(by: Authority, choice: Choice) -> "QuerySet[Account]":
    """Their holders, by name, narrowed to those whose name or address holds every word asked for."""
    held = mandates_for(by, choice).filter(account=OuterRef("pk"))
    return named(Account.objects.filter(Exists(held)), choice.words)


def page_of(by: Authority, choice: Choice, query: Mapping[str, str], *, size: int = PAGE_SIZE) -> PeoplePage:
    """The page that ``query`` asks for (``apres`` or ``avant`` a key): by key, all pages cost the same."""
    page = page_by_name(accounts_for(by, choice), query, size=size)
    return PeoplePage(_people(by, choice, page.rows), page.previous, page.next)


def _people(by: Authority, choice: Choice, accounts: Iterable[Account]) -> list[Person]:
    people = {account.pk: Person(account) for account in accounts}
    rows = mandates_for(by, choice).filter(account__in=people).select_related("own_role", "department")
    for mandate in rows.order_by("start"):
        people[mandate.account_id].mandates.append(mandate)
    return list(people.values())


def one(by: Authority, account_id: int) -> Person | None:
    """A person with all their mandates here that ``by`` administers; None when there is none."""
    rows = mandates_for(by, Choice(state="")).filter(account_id=account_id)
    mandates = list(rows.select_related("account", "own_role", "department", "organisation").order_by("-start"))
    return Person(mandates[0].account, mandates) if mandates else None


def events_about(by: Authority, account: Account, *, limit: int = 30) -> list[SecurityEvent]:
    """The latest security events of ``account`` that concern this organisation."""
    rows = SecurityEvent.objects.filter(account=account, organisation=by.organisation)
    return list(rows.select_related("actor").order_by("-at")[:limit])


EXPORT_HEADER: Final = (
    "Matricule", "Prénom", "Nom", "Courriel", "Rôle", "Qualité", "Service", "Début", "Fin", "État", "Dernier accès",
)  # fmt: skip


def export_rows(by: Authority, choice: Choice) -> Iterator[tuple[object, ...]]:
    """One row per mandate kept by the filters, under ``EXPORT_HEADER``."""
    today = clock.today()
    rows = mandates_for(by, choice).filter(account__in=accounts_for(by, choice))
    rows = rows.select_related("account", "own_role", "department")
    for m in rows.order_by("account__family_name", "account__given_name", "account_id", "start").iterator():
        yield (
            m.staff_number,
            m.account.given_name,
            m.account.family_name,
            m.account.email,
            m.role_label,
            m.title,
            m.department.name if m.department else "",
            m.start,
            m.end,
            STATES[mandate_state(m, today)],
            clock.paris(m.last_used_at).date() if m.last_used_at else None,
        )
