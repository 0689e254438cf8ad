"""Steps that services register, by code; the route calls them without knowing the services."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from parvis.core.documents.holders import hold
from parvis.core.journal.services import Actor
from parvis.core.routing.models import Route, RouteStep


@dataclass(frozen=True)
class Remedy:
    """The task that a service gives for its failed step, when it knows better than to start the step again."""

    service: str
    verb: str
    title: str
    permission: str
    path: str
    subject: tuple[str, UUID]


class StepPlugin(Protocol):
    """One kind of step. ``start`` runs in the transaction that makes the step current.

    ``permission`` is held by who may start the step again once it has failed. A step that bears the code of an
    ``application`` is left out of the routes of who does not subscribe to it. A plug-in that has a method
    ``remedy(step)`` may answer with a ``Remedy``: the step is then taken up on that page only; ``obstacle(step)``
    with the label and the address of what stands in the way of a failed step. ``dropped_label`` names a step that
    will not be done, where « Non » before the done label does not read well. ``done_as(facts)`` names one that may
    be done in several ways.
    """

    code: str
    label: str
    done_label: str
    permission: str

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


def done_label(step: StepPlugin, done: RouteStep) -> str:
    """« Publiée »: the step once it is done, in the words of its plug-in for what the route knows."""
    said: Callable[[Mapping[str, Any]], str] | None = getattr(step, "done_as", None)
    return said(done.route.facts) if said else step.done_label


def dropped_label(step: StepPlugin) -> str:
    """« Non publiée »: the step once its route has ended without it."""
    return str(getattr(step, "dropped_label", f"Non {step.done_label[:1].lower()}{step.done_label[1:]}"))


def service_of(code: str) -> str:
    """Code of the service that carries out this step."""
    return code.partition(".")[0]


def remedy_of(step: RouteStep) -> Remedy | None:
    """What its service asks for when ``step`` has failed; None when the step has only to be started again."""
    remedy: Callable[[RouteStep], Remedy | None] | None = getattr(plugin(step.code), "remedy", None)
    return remedy(step) if remedy else None


def obstacle_of(step: RouteStep) -> tuple[str, str] | None:
    """Label and address of what stands in the way of ``step``, which has failed, where its service knows it."""
    obstacle: Callable[[RouteStep], tuple[str, str] | None] | None = getattr(plugin(step.code), "obstacle", None)
    return obstacle(step) if obstacle else None


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


Correction = Callable[[Route], str]

_corrections: dict[str, Correction] = {}


def register_correction(kind: str, address: Correction) -> None:
    """Say where the document of a route of this kind is corrected after a refusal (from AppConfig.ready)."""
    _corrections[kind] = address


def correction_of(route: Route) -> str:
    """Address of the page that corrects the document of ``route``; "" when its service has none."""
    address = _corrections.get(route.kind)
    return address(route) if address else ""


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
