"""Services that trust an organisation's accounts."""

from django.urls import URLPattern

app_name = "clients"
urlpatterns: list[URLPattern] = []
