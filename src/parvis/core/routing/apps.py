from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "parvis.core.routing"
    label = "routing"
    verbose_name = "Cheminements"
