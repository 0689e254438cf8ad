"""Registers the package with Django."""

from django.apps import AppConfig


class ProviderConfig(AppConfig):
    name = "parvis.core.provider"
    label = "provider"
