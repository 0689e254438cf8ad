"""Endpoints of the OpenID Connect provider."""

from django.urls import URLPattern

app_name = "provider"
urlpatterns: list[URLPattern] = []
