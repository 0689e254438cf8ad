"""Registers the package with Django."""

from django.apps import AppConfig


class BrandingConfig(AppConfig):
    name = "parvis.core.branding"
    label = "branding"
