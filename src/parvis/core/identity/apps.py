"""Registers the package with Django."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "parvis.core.identity"
    label = "identity"
    verbose_name = "Identités"

    def ready(self) -> None:
        from parvis.core.identity import audit  # noqa: F401  registers its journal actions
