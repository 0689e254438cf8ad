"""The API accounts of an organisation."""

from django.urls import URLPattern

app_name = "api_accounts"
urlpatterns: list[URLPattern] = []
