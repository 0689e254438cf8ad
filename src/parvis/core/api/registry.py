"""What packages offer through the API: scopes, by their code and French name, and routers of operations.

A package registers from its ``AppConfig.ready``::

    register_scope("actes.lire", "Consulter les actes", application="edemat")
    register_router(router)                 # a ninja Router whose operations are made by ``operation``
"""

from dataclasses import dataclass

from ninja import Router


@dataclass(frozen=True)
class Scope:
    """One right of a machine; its code is that of the permission which opens the same thing to people."""

    code: str
    label: str
    application: str = ""
    permission: str = ""  # what somebody must hold to give it, for a scope that writes


_scopes: dict[str, Scope] = {}
_routers: list[Router] = []


def register_scope(code: str, label: str, *, application: str = "", permission: str | None = None) -> None:
    """Name a scope that administrators may give; ``application`` is the one of the convention that it needs.

    ``permission`` is what they must hold themselves; without it, that of the same code unless the scope only reads.
    """
    if permission is None:
        permission = "" if code.endswith(".lire") else code
    _scopes[code] = Scope(code, label, application, permission)


def scopes() -> list[Scope]:
    """Every scope, by code."""
    return sorted(_scopes.values(), key=lambda scope: scope.code)


def label_of(code: str) -> str:
    """French name of a scope; its code when no package offers it any more."""
    return _scopes[code].label if code in _scopes else code


def register_router(router: Router) -> None:
    """Add the operations of a package under ``/api/v1/``."""
    if router not in _routers:
        _routers.append(router)


def routers() -> list[Router]:
    """The routers of every package, in the order of their registration."""
    return list(_routers)
