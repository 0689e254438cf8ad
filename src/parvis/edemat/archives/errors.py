"""What can go wrong with a transfer, each with the French sentence its reader needs."""

from parvis.core.errors import DomainError


class DossierIncomplete(DomainError):
    """The route does not hold what a transfer needs."""


class TransferNotReady(DomainError):
    """The transfer is not in the state that the action asks for."""


class PackageRefused(DomainError):
    """What was deposited cannot be taken as a package at all."""
