from django.apps import AppConfig


class SeancesConfig(AppConfig):
    name = "parvis.edemat.seances"
    label = "seances"
    verbose_name = "Séances et délibérations"

    def ready(self) -> None:
        from parvis.edemat.seances import steps  # noqa: F401  registers the step of the vote
