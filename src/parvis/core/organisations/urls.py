"""Administration of an organisation, under ``/o/<organisation>/administration/``."""

from django.urls import path

from parvis.core.organisations.views import settings as views

app_name = "organisations"
urlpatterns = [
    path("", views.overview, name="settings"),
    path("identite/", views.identity, name="identity"),
    path("couleurs/", views.branding, name="branding"),
    path("personnes/", views.people, name="people"),
    path("personnes/nouvelle/", views.new_mandate, name="new_mandate"),
    path("personnes/<uuid:pk>/fin/", views.end_mandate, name="end_mandate"),
]
