from django.apps import AppConfig


class OpendataConfig(AppConfig):
    name = "parvis.opendata"
    label = "opendata"
    verbose_name = "Données ouvertes"

    def ready(self) -> None:
        from parvis.opendata import routing_steps  # noqa: F401
