"""Passwords, factors and sessions of a person, under ``/mon-compte/securite/``."""

from django.urls import URLPattern

app_name = "authentication"
urlpatterns: list[URLPattern] = []
