"""Documents for agents, under ``/o/<organisation>/documents/``."""

from django.urls import path

from parvis.core.documents import views

app_name = "documents"
urlpatterns = [
    path("fichiers-infectes/", views.infected, name="infections"),
    path("fichiers-infectes/<uuid:pk>/", views.examined, name="examined"),
    path("<uuid:pk>/", views.download, name="download"),
    path("<uuid:pk>/empreinte/", views.digest, name="digest"),
    path("<uuid:pk>/pages/<int:page>/", views.page, name="page"),
]
