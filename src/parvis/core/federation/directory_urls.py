"""The directory of an organisation, under ``/o/<organisation>/administration/annuaire/``."""

from django.urls import path

from parvis.core.federation.views import directories

app_name = "directory"
urlpatterns = [
    path("", directories.detail, name="detail"),
    path("modifier/", directories.edit, name="edit"),
    path("etat/", directories.switch, name="switch"),
    path("retirer/", directories.remove, name="remove"),
]
