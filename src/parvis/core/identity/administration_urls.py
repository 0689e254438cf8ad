"""Accounts of an organisation's people, under ``/o/<organisation>/administration/comptes/``."""

from django.urls import path

from parvis.core.identity.views import administration

app_name = "identity_administration"
urlpatterns = [
    path("", administration.accounts, name="accounts"),
    path("<int:pk>/suspendre/", administration.suspend, name="suspend"),
    path("<int:pk>/rouvrir/", administration.reactivate, name="reactivate"),
    path("doublons/<uuid:pk>/ecarter/", administration.dismiss, name="dismiss"),
]
