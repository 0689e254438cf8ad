"""Administration of the platform by the métropole, under ``/plateforme/``."""

from django.urls import path

from parvis.core.organisations.views import platform

app_name = "platform"
urlpatterns = [
    path("", platform.listing, name="organisations"),
    path("organisations/nouvelle/", platform.new, name="new_organisation"),
    path("organisations/<slug:slug>/", platform.detail, name="organisation"),
    path("organisations/<slug:slug>/identite/", platform.edit, name="edit_organisation"),
    path("organisations/<slug:slug>/adhesions/", platform.subscribe, name="subscribe"),
    path("organisations/<slug:slug>/adhesions/<int:pk>/", platform.end_subscription, name="end_subscription"),
    path("organisations/<slug:slug>/administration/", platform.first_administrator, name="first_administrator"),
    path(
        "organisations/<slug:slug>/administration/<uuid:pk>/reponse/",
        platform.answer_administrator,
        name="answer_administrator",
    ),
    path("exploitants/", platform.operators, name="operators"),
    path("exploitants/proposition/", platform.propose, name="propose_operator"),
    path("exploitants/<uuid:pk>/reponse/", platform.answer, name="answer_operator"),
    path("exploitants/<int:pk>/retrait/", platform.remove, name="remove_operator"),
]
