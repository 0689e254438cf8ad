"""Second factors to reset, under ``/plateforme/second-facteur/``."""

from django.urls import path

from parvis.core.authentication import administration

app_name = "authentication_platform"
urlpatterns = [
    path("", administration.requests, name="requests"),
    path("<uuid:pk>/", administration.decide, name="decide"),
]
