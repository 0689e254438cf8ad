"""Announcements of an organisation, under ``/o/<organisation>/administration/annonces/``."""

from django.urls import path

from parvis.core.portal.views import announcements as views

app_name = "announcements"
urlpatterns = [
    path("", views.announcement_list, name="list"),
    path("nouvelle/", views.new, name="new"),
    path("<uuid:pk>/", views.edit, name="edit"),
    path("<uuid:pk>/retirer/", views.withdraw, name="withdraw"),
]
