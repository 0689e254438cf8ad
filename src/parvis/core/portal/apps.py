"""Registers the package with Django."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "parvis.core.portal"
    label = "portal"
