"""Accounts of an organisation's people, under ``/o/<organisation>/administration/comptes/``."""

from django.urls import path

from parvis.core.identity.views import administration, people_events

app_name = "identity_administration"
urlpatterns = [
    path("", administration.accounts, name="accounts"),
    path("evenements/", people_events.listing, name="people_events"),
    path("evenements/export.<str:extension>", people_events.export, name="people_events_export"),
    path("<int:pk>/suspendre/", administration.suspend, name="suspend"),
    path("<int:pk>/rouvrir/", administration.reactivate, name="reactivate"),
    path("doublons/<uuid:pk>/ecarter/", administration.dismiss, name="dismiss"),
]
