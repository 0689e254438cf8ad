"""What homes show: the partners of the convention with their services, and the latest news of each service."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Prefetch
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.organisations.models import Organisation, Subscription
from parvis.core.web import navigation
from parvis.core.web.searching import Found

GROUPS = {
    Organisation.Kind.METROPOLE: "La métropole",
    Organisation.Kind.COMMUNE: "Les communes",
    Organisation.Kind.CCAS: "Les centres communaux d’action sociale",
}


@dataclass(frozen=True)
class Partner:
    """One organisation with what it offers to everybody."""

    organisation: Organisation
    services: list[navigation.Link]


@dataclass(frozen=True)
class Offer:
    """One public service of the platform and how many partners offer it."""

    label: str
    description: str
    partners: int


Latest = Callable[[Organisation], list[Found]]


@dataclass(frozen=True)
class News:
    """The latest things of one service, as the public home of an organisation shows them."""

    label: str
    items: list[Found]


_latest: dict[str, tuple[int, str, str, Latest]] = {}


def register_latest(code: str, label: str, find: Latest, *, application: str = "", rank: int = 100) -> None:
    """Show on the public homes what ``find(organisation)`` gives, a few items, newest first (AppConfig.ready).

    ``find`` runs in the public view of the organisation.
    """
    _latest[code] = (rank, label, application, find)


def news_of(organisation: Organisation) -> list[News]:
    """The registered news of the organisation's services that have something to show."""
    found = [
        News(label, find(organisation))
        for _, label, application, find in sorted(_latest.values(), key=lambda entry: entry[:2])
        if not application or organisation.has_subscribed_to(application, clock.today())
    ]
    return [news for news in found if news.items]


def plain(text: str) -> str:
    """``text`` without accents, case nor hyphens, as one types it in a hurry: « St Brès » gives « saint bres »."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).lower()
    words = "".join(c if c.isalnum() else " " for c in bare).split()
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)


def partners(request: HttpRequest, terms: str = "") -> list[Partner]:
    """The organisations whose name or postal code begins as ``terms``, by name, with their public services."""
    known = Organisation.objects.prefetch_related(Prefetch("subscriptions", Subscription.objects.order_by("pk")))
    wanted = plain(terms)
    return [
        Partner(organisation, navigation.public_links(request, organisation))
        for organisation in sorted(known, key=lambda o: plain(o.short_name))
        if not wanted or _answers(organisation, wanted)
    ]


def _answers(organisation: Organisation, wanted: str) -> bool:
    if wanted.isdigit():
        return organisation.postal_code.startswith(wanted) or organisation.insee == wanted
    names = f" {plain(organisation.short_name)} {plain(organisation.name)}"
    return all(f" {word}" in names for word in wanted.split())


def grouped(found: Iterable[Partner]) -> list[tuple[str, list[Partner]]]:
    """Partners by kind, the métropole first."""
    listed = list(found)
    groups = [(label, [p for p in listed if p.organisation.kind == kind]) for kind, label in GROUPS.items()]
    return [(label, some) for label, some in groups if some]


def offers(found: Iterable[Partner]) -> list[Offer]:
    """What the platform offers to the public, with the number of partners that offer each service."""
    counted: dict[str, int] = {}
    for partner in found:
        for link in partner.services:
            counted[link.code] = counted.get(link.code, 0) + 1
    return [
        Offer(service.label, service.description, counted[service.code])
        for service in navigation.public_services()
        if counted.get(service.code)
    ]
