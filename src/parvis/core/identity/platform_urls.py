"""Namesakes of the whole platform, under ``/plateforme/doublons/``."""

from django.urls import path

from parvis.core.identity.views import administration

app_name = "identity_platform"
urlpatterns = [
    path("", administration.namesakes, name="namesakes"),
    path("<uuid:pk>/ecarter/", administration.dismiss_anywhere, name="dismiss"),
]
