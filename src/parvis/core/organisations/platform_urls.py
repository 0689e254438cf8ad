"""Administration of the platform by the métropole, under ``/plateforme/``."""

from django.urls import URLPattern

app_name = "platform"
urlpatterns: list[URLPattern] = []
