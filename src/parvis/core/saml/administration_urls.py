"""Sites that speak SAML, under ``/o/<organisation>/administration/saml/``."""

from django.urls import path

from parvis.core.saml import administration

app_name = "saml_sites"
urlpatterns = [
    path("", administration.sites, name="list"),
    path("nouveau/", administration.propose, name="propose"),
    path("<uuid:pk>/", administration.detail, name="detail"),
    path("<uuid:pk>/modifier/", administration.edit, name="edit"),
    path("<uuid:pk>/etat/", administration.switch, name="switch"),
]
