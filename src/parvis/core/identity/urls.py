"""A person's own account, under ``/mon-compte/``."""

from django.urls import URLPattern

app_name = "identity"
urlpatterns: list[URLPattern] = []
