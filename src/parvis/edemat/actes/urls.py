"""Acts for agents, under ``/o/<organisation>/actes/``."""

from django.urls import path

from parvis.edemat.actes.views import acts

app_name = "actes"

urlpatterns = [
    path("", acts.list_acts, name="list"),
    path("actes.<slug:extension>", acts.export, name="export"),
    path("<uuid:pk>/", acts.detail, name="detail"),
    path("<uuid:pk>/publier/", acts.publish, name="publish"),
    path("<uuid:pk>/retirer/", acts.withdraw, name="withdraw"),
]
