from django.apps import AppConfig


class SeancesConfig(AppConfig):
    name = "parvis.edemat.seances"
    label = "seances"
    verbose_name = "Séances et délibérations"

    def ready(self) -> None:
        from parvis.core.web import navigation
        from parvis.edemat.seances import actions, steps  # noqa: F401  names its events, registers its step

        navigation.register("seances", "Séances", "seances:list", "seances.lire", application="edemat", rank=10)
