"""Registers the package with Django."""

from django.apps import AppConfig


class AuthenticationConfig(AppConfig):
    name = "parvis.core.authentication"
    label = "authentication"
    verbose_name = "Authentification"

    def ready(self) -> None:
        from parvis.core.authentication import stepup
        from parvis.core.identity.access import step_up_with
        from parvis.core.web.navigation import register_account_page

        step_up_with(stepup.ask)
        register_account_page("securite", "Sécurité", "authentication:security", rank=20)
