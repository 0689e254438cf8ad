"""Steps that services register, by code; the route calls them without knowing the services."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from parvis.core.routing.models import Route, RouteStep


class StepPlugin(Protocol):
    """One kind of step. ``start`` runs in the transaction that makes the step current."""

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


_pages: dict[str, Callable[[Route], str]] = {}


def register_page(kind: str, address: Callable[[Route], str]) -> None:
    """Say where the page of a route of this kind is (called from AppConfig.ready)."""
    _pages[kind] = address


def page_of(route: Route) -> str:
    """Address of the page of the object that follows this route; empty when no service shows one."""
    address = _pages.get(route.kind)
    return address(route) if address else ""
