"""The branding editor of an organisation."""

from django.urls import URLPattern

app_name = "branding"
urlpatterns: list[URLPattern] = []
