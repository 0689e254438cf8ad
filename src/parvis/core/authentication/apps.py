"""Registers the package with Django."""

from django.apps import AppConfig


class AuthenticationConfig(AppConfig):
    name = "parvis.core.authentication"
    label = "authentication"
    verbose_name = "Authentification"

    def ready(self) -> None:
        from parvis.core.authentication import resets, signals, stepup  # noqa: F401  connects its receivers
        from parvis.core.identity.access import step_up_with
        from parvis.core.web.navigation import register_account_page, register_administration, register_platform_page

        step_up_with(stepup.ask)
        register_administration("second-facteur", "Second facteur", "authentication_administration:people", rank=40)
        register_platform_page("second-facteur", "Seconds facteurs", "authentication_platform:requests", rank=40)
        register_account_page("securite", "Sécurité", "authentication:security", rank=20)
