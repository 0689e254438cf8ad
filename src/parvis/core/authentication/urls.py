"""Passwords, factors and sessions of a person, under ``/mon-compte/securite/``."""

from django.urls import path

from parvis.core.authentication import views

app_name = "authentication"
urlpatterns = [
    path("", views.security, name="security"),
    path("confirmer/", views.step_up, name="step_up"),
    path("reprendre/", views.resume, name="resume"),
    path("appareils/", views.devices, name="devices"),
    path("appareils/fermer/", views.close_session, name="close_session"),
    path("prolonger/", views.extend, name="extend"),
    path("mot-de-passe/criteres/", views.password_criteria, name="password_criteria"),
    path("remise-a-zero/annuler/", views.cancel_reset, name="cancel_reset"),
]
