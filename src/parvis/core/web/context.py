"""What every template may read: the navigation of the person, the organisation shown, the platform itself.

Everything is computed when a template first asks for it, so that a page without a rail costs no query.
"""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.entities.acting import acting_entity
from parvis.core.entities.models import EntityRole
from parvis.core.identity.access import permissions_in, request_mandates
from parvis.core.identity.aidants import helper_scopes
from parvis.core.identity.models import Mandate
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import current_scope
from parvis.core.portal.hosts import KNOWN_COOKIE, login_address, platform_address
from parvis.core.routing.queries import request_load
from parvis.core.web import navigation

SESSION_KEY = "organisation"
BAR_LINKS = 4
"""How many services the bar of a phone holds beside the desk; « Plus » takes the last place when there are more."""


class Navigation:
    """The rail of one request. Counts only cover the organisations that the request acts for."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def mandates(self) -> list[Mandate]:
        return request_mandates(self.request)

    @cached_property
    def organisations(self) -> list[Organisation]:
        """Those of the person's mandates, once each, by name."""
        found = {m.organisation_id: m.organisation for m in self.mandates}
        return sorted(found.values(), key=lambda o: o.short_name)

    @cached_property
    def organisation(self) -> Organisation | None:
        """The one named in the address, else the last one visited: in this session, else in the former ones."""
        named = getattr(self.request, "organisation", None)
        if named is not None:
            return named
        last = self.request.session.get(SESSION_KEY) if hasattr(self.request, "session") else None
        mine = self.organisations
        if chosen := next((o for o in mine if o.slug == last), None):
            return chosen
        used = {m.last_used_at: m.organisation for m in self.mandates if m.last_used_at}
        return used[max(used)] if used else (mine[0] if mine else None)

    @cached_property
    def title(self) -> str:
        """In what quality the person acts in the organisation shown."""
        return self._quality_in(self.organisation) if self.organisation else ""

    def _quality_in(self, organisation: Organisation) -> str:
        here = [m for m in self.mandates if m.organisation_id == organisation.pk]
        return (here[0].title or here[0].role_label) if here else ""

    @cached_property
    def helped(self) -> bool:
        """Whether a helper of Aidants Connect acts in this session for the person."""
        return self.request.user.is_authenticated and bool(helper_scopes(self.request))

    @cached_property
    def acting(self) -> EntityRole | None:
        """The company or association that a citizen acts for in this session."""
        return acting_entity(self.request) if self.request.user.is_authenticated else None

    @cached_property
    def choices(self) -> list[tuple[Organisation, str]]:
        """Each organisation of the person, with the quality in which they act there."""
        return [(organisation, self._quality_in(organisation)) for organisation in self.organisations]

    @cached_property
    def desk_count(self) -> int:
        """How many things wait on the desk; 0 (not shown) where only a part of them can be seen from here."""
        seen = set(current_scope().organisations)
        return request_load(self.request).total if {m.organisation_id for m in self.mandates} <= seen else 0

    @cached_property
    def groups(self) -> list[navigation.Group]:
        organisation = self.organisation
        if organisation is None:
            return []
        tasks = {s: n for (pk, s), n in request_load(self.request).services.items() if pk == organisation.pk}
        return navigation.rail(self.request, organisation, permissions_in(self.mandates, organisation), tasks)

    @cached_property
    def main_groups(self) -> list[navigation.Group]:
        return [group for group in self.groups if group.label != navigation.FOOT]

    @cached_property
    def under_more(self) -> list[navigation.Link]:
        """On a phone, the services that do not fit beside the desk in a bar of one row."""
        links = [link for group in self.main_groups for link in group.links]
        return links[BAR_LINKS - 1 :] if len(links) > BAR_LINKS else []

    @cached_property
    def count_under_more(self) -> int:
        return sum(link.count for link in self.under_more)

    @cached_property
    def foot(self) -> tuple[navigation.Link, ...]:
        return next((group.links for group in self.groups if group.label == navigation.FOOT), ())

    @cached_property
    def public(self) -> list[navigation.Link]:
        return navigation.public_links(self.request, self.organisation) if self.organisation else []

    @cached_property
    def login_url(self) -> str:
        """Where to log in: on the platform's host, to come back here when this is an organisation's own host."""
        site = getattr(self.request, "own_host", None)
        return login_address(site, self.request.get_full_path()) if site else reverse("account_login")

    @cached_property
    def came_back(self) -> bool:
        """On an organisation's own host: this browser has logged in on the platform's."""
        return bool(getattr(self.request, "own_host", None)) and KNOWN_COOKIE in self.request.COOKIES

    @cached_property
    def home_url(self) -> str:
        """The home of the organisation whose public page this is, « / » on its own host; else the platform's."""
        named = getattr(self.request, "organisation", None)
        own_host = getattr(self.request, "own_host", None)
        return "/" if own_host or named is None else reverse("web:public_home", args=[named.slug])

    @cached_property
    def space_url(self) -> str:
        """The person's own pages, always on the platform's host: the desk of who acts, the space of a citizen."""
        own_host = getattr(self.request, "own_host", None)
        path = self.desk_url if self.mandates else reverse("portal:space")
        return platform_address(path) if own_host else path

    @cached_property
    def desk_url(self) -> str:
        return reverse("routing:inbox")

    @cached_property
    def on_desk(self) -> bool:
        return self.request.path == self.desk_url


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``nav``, ``today`` and ``platform``."""
    return {
        "nav": Navigation(request),
        "today": clock.today(),
        "platform": {"name": "Parvis", "version": settings.VERSION, "demo": settings.DEMO},
    }
