"""The subjects (« matières ») in force for an organisation, filled by the service that receives the nomenclature."""

from collections.abc import Callable

from parvis.core.organisations.models import Organisation

Matieres = Callable[[Organisation], list[tuple[str, str]]]

_find: list[Matieres] = []


def register_matieres(find: Matieres) -> None:
    """Have ``find(organisation)`` give (code, label from the first level down) of at least two levels, in order.

    Called from ``AppConfig.ready``; an organisation without nomenclature gets an empty list.
    """
    if find not in _find:
        _find.append(find)


def matieres_of(organisation: Organisation) -> list[tuple[str, str]]:
    """The subjects that may be chosen today: (« 5.7 », « Institutions et vie politique/Intercommunalité »)."""
    return next((found for find in _find if (found := find(organisation))), [])
