"""Second factors of an organisation's people, under ``/o/<organisation>/administration/second-facteur/``."""

from django.urls import path

from parvis.core.authentication import administration

app_name = "authentication_administration"
urlpatterns = [
    path("", administration.people, name="people"),
    path("<int:pk>/", administration.ask, name="ask"),
    path("demandes/<uuid:pk>/annuler/", administration.cancel, name="cancel"),
]
