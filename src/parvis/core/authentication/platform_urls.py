"""Second factors to reset, under ``/plateforme/second-facteur/``."""

from django.urls import path

from parvis.core.authentication import administration

app_name = "authentication_platform"
urlpatterns = [
    path("", administration.requests, name="requests"),
    path("organisations/<slug:slug>/", administration.ask_for_administrator, name="ask_for_administrator"),
    path("exploitants/<int:pk>/", administration.ask_for_operator, name="ask_for_operator"),
    path("exploitants/<uuid:pk>/reponse/", administration.decide_for_operator, name="decide_for_operator"),
    path("<uuid:pk>/", administration.decide, name="decide"),
]
