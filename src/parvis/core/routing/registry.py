"""Steps that services register, by code; the route calls them without knowing the services."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar
from uuid import UUID

from parvis.core.documents.holders import hold
from parvis.core.journal.services import Actor
from parvis.core.routing.models import Route, RouteStep


class StepPlugin(Protocol):
    """One kind of step. ``start`` runs in the transaction that makes the step current.

    A step that bears the code of an ``application`` is left out of the routes of who does not subscribe to it.
    """

    code: str
    label: str
    done_label: str

    def start(self, step: RouteStep) -> None: ...


P = TypeVar("P", bound=StepPlugin)

_plugins: dict[str, StepPlugin] = {}


def register_step(cls: type[P]) -> type[P]:
    """Class decorator: register one instance of ``cls`` under its ``code`` (called from AppConfig.ready)."""
    step = cls()
    if step.code in _plugins and type(_plugins[step.code]) is not cls:
        raise ValueError(f"step {step.code} is registered twice")
    _plugins[step.code] = step
    return cls


def plugin(code: str) -> StepPlugin:
    """The plug-in registered under ``code``; KeyError when no installed service provides it."""
    return _plugins[code]


def registered_codes() -> list[str]:
    return sorted(_plugins)


def application_of(code: str) -> str:
    """The application that an organisation must subscribe to for this step; "" for all."""
    return str(getattr(plugin(code), "application", ""))


Listener = Callable[[Route, Actor], None]

_listeners: dict[str, list[Listener]] = {}


def register_listener(event: str, listener: Listener) -> None:
    """Have ``listener(route, actor)`` called when ``event`` is announced on a route (from AppConfig.ready)."""
    known = _listeners.setdefault(event, [])
    if listener not in known:
        known.append(listener)


def listeners(event: str) -> list[Listener]:
    return list(_listeners.get(event, []))


def open_roles(permission: str, *roles: str) -> None:
    """Say that ``permission`` opens the documents that hold these roles on a route (from AppConfig.ready)."""
    hold("routing.RouteDocument", "document", permission=permission, role__in=roles)


Addresses = Callable[[list[Route]], dict[UUID, str]]

_pages: dict[str, Addresses] = {}


def register_pages(kind: str, addresses: Addresses) -> None:
    """Say where the pages of routes of this kind are, many at once (called from AppConfig.ready)."""
    _pages[kind] = addresses


def pages_of(routes: Iterable[Route]) -> dict[UUID, str]:
    """Address of the page of each route's object, by route; a route that no service shows is left out."""
    by_kind: dict[str, list[Route]] = {}
    for route in routes:
        by_kind.setdefault(route.kind, []).append(route)
    found: dict[UUID, str] = {}
    for kind, some in by_kind.items():
        if kind in _pages:
            found |= _pages[kind](some)
    return found
