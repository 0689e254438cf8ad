"""« Mes entreprises et associations », under ``/mon-compte/entreprises/``."""

from django.urls import path

from parvis.core.entities import views

app_name = "entities"
urlpatterns = [
    path("", views.roles, name="list"),
    path("ajouter/", views.add, name="add"),
    path("agir/", views.act, name="act"),
    path("<uuid:pk>/", views.edit, name="edit"),
    path("<uuid:pk>/terminer/", views.end, name="end"),
]
