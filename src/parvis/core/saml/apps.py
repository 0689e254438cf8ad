"""Registers the package with Django."""

from django.apps import AppConfig


class SamlConfig(AppConfig):
    name = "parvis.core.saml"
    label = "saml"
