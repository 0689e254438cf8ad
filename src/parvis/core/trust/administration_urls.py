"""Signing certificates, under ``/o/<organisation>/administration/certificats/``."""

from django.urls import path

from parvis.core.trust import administration

app_name = "certificates"
urlpatterns = [
    path("", administration.register, name="list"),
    path("nouveau/", administration.enrol, name="enrol"),
    path("les-miens/", administration.mine, name="mine"),
    path("<uuid:pk>/", administration.detail, name="detail"),
    path("<uuid:pk>/attribuer/", administration.assign, name="assign"),
    path("<uuid:pk>/revoquer/", administration.revoke, name="revoke"),
]
