"""Sites that speak SAML as the platform sees them, under ``/plateforme/saml/``."""

from django.urls import path

from parvis.core.saml import administration

app_name = "saml_platform"
urlpatterns = [
    path("", administration.proposed, name="list"),
    path("<uuid:pk>/", administration.approval, name="approval"),
]
