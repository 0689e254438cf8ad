"""The services that packages offer in the rail of agents and on the public home of an organisation.

A package registers from its ``AppConfig.ready``::

    navigation.register("actes", "Actes", "actes:list", "actes.lire", application="edemat", rank=30)
    navigation.register_public("actes", "Actes publiés", "actes_public:list", application="edemat",
                               description="Délibérations, arrêtés et décisions en texte intégral.")
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from parvis.core import clock
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation

Count = Callable[[HttpRequest, Organisation], int]

EDEMAT: Final = "Administration électronique"
SERVICES: Final = "Services"
FOOT: Final = ""


@dataclass(frozen=True)
class Service:
    """One line of the rail. Without ``count``, the number shown is that of the open tasks of ``code``."""

    code: str
    label: str
    url_name: str
    permission: str
    application: str = ""
    count: Count | None = None
    group: str = EDEMAT
    rank: int = 100

    def url(self, organisation: Organisation) -> str:
        return reverse(self.url_name, kwargs={"organisation_slug": organisation.slug})


@dataclass(frozen=True)
class PublicService:
    """One service that everybody may use on an organisation's own pages."""

    code: str
    label: str
    url_name: str
    application: str = ""
    description: str = ""
    rank: int = 100

    def url(self, organisation: Organisation) -> str:
        return reverse(self.url_name, kwargs={"organisation_slug": organisation.slug})


@dataclass(frozen=True)
class Link:
    """What a template draws."""

    code: str
    label: str
    url: str
    count: int = 0
    active: bool = False
    description: str = ""
    reading_only: bool = False  # the subscription is over: what was produced is read, nothing more


@dataclass(frozen=True)
class Group:
    label: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Tab:
    """One page of a set that several packages fill: administration, own account, platform."""

    code: str
    label: str
    url_name: str
    rank: int = 100
    permission: str = ""
    application: str = ""
    population: str = ""


_services: dict[str, Service] = {}
_public: dict[str, PublicService] = {}
_administration: dict[str, Tab] = {}
_account: dict[str, Tab] = {}
_platform: dict[str, Tab] = {}


def register(
    code: str,
    label: str,
    url_name: str,
    permission: str,
    application: str = "",
    *,
    count: Count | None = None,
    group: str = EDEMAT,
    rank: int = 100,
) -> None:
    """Add a service to the rail of those who hold ``permission`` (its last registration wins)."""
    _services[code] = Service(code, label, url_name, permission, application, count, group, rank)


def register_public(
    code: str, label: str, url_name: str, application: str = "", *, description: str = "", rank: int = 100
) -> None:
    """Add a service to the public pages of the organisations that subscribed to ``application``."""
    _public[code] = PublicService(code, label, url_name, application, description, rank)


def register_administration(
    code: str,
    label: str,
    url_name: str,
    *,
    rank: int = 100,
    permission: str = "administration.organisation",
    application: str = "",
) -> None:
    """Add a page to the administration of an organisation; its address takes ``organisation_slug``.

    With ``application``, only the organisations that subscribe to it have the page.
    """
    _administration[code] = Tab(code, label, url_name, rank, permission, application)


def register_account_page(code: str, label: str, url_name: str, *, rank: int = 100, population: str = "") -> None:
    """Add a page to « Mon compte », for everybody who is logged in or for the accounts of one population."""
    _account[code] = Tab(code, label, url_name, rank, population=population)


def register_platform_page(code: str, label: str, url_name: str, *, rank: int = 100) -> None:
    """Add a page to the administration of the platform itself."""
    _platform[code] = Tab(code, label, url_name, rank)


def _drawn(tabs: dict[str, Tab], active: str, held: frozenset[str] | None, **arguments: str) -> list[dict[str, object]]:
    ordered = sorted(tabs.values(), key=lambda tab: (tab.rank, tab.label))
    return [
        {"label": tab.label, "url": reverse(tab.url_name, kwargs=arguments or None), "active": tab.code == active}
        for tab in ordered
        if not tab.permission or held is None or tab.permission in held
    ]


def administration_tabs(
    organisation: Organisation, permissions: frozenset[str], active: str
) -> list[dict[str, object]]:
    """Items of ``<c-tabs>`` over the administration pages that these permissions open."""
    today = clock.today()
    tabs = {
        code: tab
        for code, tab in _administration.items()
        if not tab.application or organisation.subscribes_to(tab.application, today)
    }
    return _drawn(tabs, active, permissions, organisation_slug=organisation.slug)


def account_tabs(active: str, account: Account) -> list[dict[str, object]]:
    """Items of ``<c-tabs>`` over the pages of « Mon compte » that ``account`` has."""
    mine = {code: tab for code, tab in _account.items() if tab.population in ("", account.population)}
    return _drawn(mine, active, None)


def platform_tabs(active: str) -> list[dict[str, object]]:
    """Items of ``<c-tabs>`` over the pages of the platform's administration."""
    return _drawn(_platform, active, None)


def services() -> list[Service]:
    return sorted(_services.values(), key=lambda s: (s.rank, s.label))


def public_services() -> list[PublicService]:
    return sorted(_public.values(), key=lambda s: (s.rank, s.label))


def label_of(code: str) -> str:
    """French name of a service by its code; the code itself when nobody registered it."""
    return _services[code].label if code in _services else code


def application_of(code: str) -> str:
    """The application that an organisation subscribes to for this service; "" when it needs none."""
    return _services[code].application if code in _services else ""


def _took(organisation: Organisation, application: str) -> bool:
    """True when the organisation has, or once had, the application: what was produced stays readable."""
    return not application or organisation.has_subscribed_to(application, clock.today())


def _active(links: Iterable[tuple[Service | PublicService, str]], path: str) -> str:
    """The address, among those of ``links``, that is the longest beginning of ``path``."""
    return max((url for _, url in links if path.startswith(url)), key=len, default="")


def _reachable(
    offered: Iterable[Service | PublicService], organisation: Organisation
) -> list[tuple[Service | PublicService, str]]:
    """Those that the organisation took, with their address; one without address is told by a system check."""
    prefetch_related_objects([organisation], "subscriptions")  # asks nothing when they are known already
    found = []
    for service in offered:
        if not _took(organisation, service.application):
            continue
        try:
            found.append((service, service.url(organisation)))
        except NoReverseMatch:
            continue
    return found


def rail(
    request: HttpRequest, organisation: Organisation, permissions: frozenset[str], open_tasks: dict[str, int]
) -> list[Group]:
    """The groups of the rail for one organisation, each link with what waits there."""
    links = _reachable([s for s in services() if s.permission in permissions], organisation)
    here = _active(links, request.path)
    groups: dict[str, list[Link]] = {}
    for service, url in links:
        assert isinstance(service, Service)
        count = service.count(request, organisation) if service.count else open_tasks.get(service.code, 0)
        over = bool(service.application) and not organisation.subscribes_to(service.application, clock.today())
        link = Link(service.code, service.label, url, count, url == here, reading_only=over)
        groups.setdefault(service.group, []).append(link)
    return [Group(label, tuple(found)) for label, found in groups.items()]


def public_links(request: HttpRequest, organisation: Organisation) -> list[Link]:
    """The public services of an organisation, for its header and its home page."""
    links = _reachable(public_services(), organisation)
    here = _active(links, request.path)
    return [
        Link(s.code, s.label, url, 0, url == here, s.description if isinstance(s, PublicService) else "")
        for s, url in links
    ]
