"""The SAML identity provider, under ``/saml/``."""

from django.urls import URLPattern

app_name = "saml"
urlpatterns: list[URLPattern] = []
