"""Agents to be let in, under ``/o/<organisation>/administration/activations/``."""

from django.urls import path

from parvis.core.federation.views import administration

app_name = "activations"
urlpatterns = [
    path("", administration.queue, name="queue"),
    path("domaines/", administration.declare_domain, name="declare_domain"),
    path("domaines/<uuid:pk>/retirer/", administration.withdraw_domain, name="withdraw_domain"),
    path("<uuid:pk>/accepter/", administration.approve, name="approve"),
    path("<uuid:pk>/refuser/", administration.refuse, name="refuse"),
]
