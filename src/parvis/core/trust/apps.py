from django.apps import AppConfig


class TrustConfig(AppConfig):
    name = "parvis.core.trust"
    label = "trust"
    verbose_name = "Confiance"
