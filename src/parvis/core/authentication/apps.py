"""Registers the package with Django."""

from django.apps import AppConfig


class AuthenticationConfig(AppConfig):
    name = "parvis.core.authentication"
    label = "authentication"
