"""The desk: what awaits a person."""

from django.urls import path

from parvis.core.routing import views

app_name = "routing"
urlpatterns = [
    path("", views.inbox_page, name="inbox"),
    path("dossiers/", views.routes_page, name="routes"),
]
