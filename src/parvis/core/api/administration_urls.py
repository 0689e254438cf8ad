"""The API accounts of an organisation, under ``/o/<organisation>/administration/api/``."""

from django.urls import path

from parvis.core.api import views

app_name = "api_accounts"
urlpatterns = [
    path("", views.accounts, name="list"),
    path("nouveau/", views.create, name="create"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/secret/", views.rotate, name="rotate"),
    path("<uuid:pk>/certificat/", views.rotate_certificate, name="rotate_certificate"),
    path("<uuid:pk>/revocation/", views.revoke, name="revoke"),
]
