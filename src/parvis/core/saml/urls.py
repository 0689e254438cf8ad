"""The SAML identity provider, under ``/saml/``."""

from django.urls import path

from parvis.core.saml import views

app_name = "saml"
urlpatterns = [
    path("metadata/", views.description, name="metadata"),
    path("connexion/", views.login, name="login"),
    path("suite/<str:token>/", views.go_on, name="go_on"),
    path("deconnexion/", views.end, name="end"),
    path("accord/<uuid:site_id>/retirer/", views.withdraw, name="withdraw"),
]
