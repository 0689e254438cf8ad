"""Registers the package with Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "parvis.core.api"
    label = "api"
