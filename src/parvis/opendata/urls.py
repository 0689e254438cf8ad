"""Addresses for agents, under /o/<organisation>/donnees/."""

from django.urls import path

from parvis.opendata import views

app_name = "opendata"
urlpatterns = [
    path("", views.datasets, name="datasets"),
    path("deliberations.<slug:extension>", views.download, name="download"),
    path("<slug:slug>/publication/", views.set_public, name="set_public"),
]
