from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "parvis.core.identity"
    label = "identity"
    verbose_name = "Identités"
