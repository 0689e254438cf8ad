"""Registers the package with Django."""

from django.apps import AppConfig


class FederationConfig(AppConfig):
    name = "parvis.core.federation"
    label = "federation"
    verbose_name = "FranceConnect et ProConnect"
