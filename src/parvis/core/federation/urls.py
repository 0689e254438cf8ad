"""Login through FranceConnect and ProConnect, under ``/federation/``."""

from django.urls import URLPattern

app_name = "federation"
urlpatterns: list[URLPattern] = []
