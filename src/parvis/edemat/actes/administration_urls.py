"""How an organisation uses @CTES, under ``/o/<organisation>/administration/teletransmission/``."""

from django.urls import path

from parvis.edemat.actes.views import administration

app_name = "actes_administration"
urlpatterns = [
    path("", administration.settings, name="settings"),
    path("classification/", administration.request_classification, name="request_classification"),
]
