from django.apps import AppConfig


class ActesConfig(AppConfig):
    name = "parvis.edemat.actes"
    label = "actes"
    verbose_name = "Actes"

    def ready(self) -> None:
        from parvis.edemat.actes import routing_steps, tasks  # noqa: F401
