"""Accounts as those who run the platform reach them, under ``/plateforme/``: namesakes, one citizen's account."""

from django.urls import path

from parvis.core.identity.views import administration, citizens

app_name = "identity_platform"
urlpatterns = [
    path("doublons/", administration.namesakes, name="namesakes"),
    path("doublons/<uuid:pk>/ecarter/", administration.dismiss_anywhere, name="dismiss"),
    path("usagers/", citizens.search, name="citizens"),
    path("usagers/<int:pk>/", citizens.detail, name="citizen"),
    path("usagers/<int:pk>/suspendre/", citizens.suspend, name="suspend_citizen"),
    path("usagers/<int:pk>/rouvrir/", citizens.reopen, name="reopen_citizen"),
]
