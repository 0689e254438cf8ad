from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "parvis.core.web"
    label = "web"
    verbose_name = "Pages"

    def ready(self) -> None:
        from parvis.core.web import checks, services  # noqa: F401
