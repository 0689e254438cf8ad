"""Directories as the platform sees them, under ``/plateforme/annuaires/``."""

from django.urls import path

from parvis.core.federation.views import directories

app_name = "directories"
urlpatterns = [
    path("", directories.proposed, name="list"),
    path("<uuid:pk>/", directories.approval, name="approval"),
]
