"""The desk: what awaits a person, and the search across the routes of the organisations it acts for."""

from django.urls import path

from parvis.core.routing import views

app_name = "routing"
urlpatterns = [
    path("", views.inbox_page, name="inbox"),
    path("recherche/", views.search, name="search"),
]
