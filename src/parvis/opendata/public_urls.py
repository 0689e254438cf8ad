"""Addresses for everybody, under /p/<organisation>/donnees/."""

from django.urls import path

from parvis.opendata import views

app_name = "opendata_public"
urlpatterns = [
    path("", views.public_datasets, name="datasets"),
    path("deliberations/", views.public_deliberations, name="deliberations"),
    path("deliberations.<slug:extension>", views.public_download, name="download"),
]
