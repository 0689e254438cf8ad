"""Passwords, factors and sessions of a person, under ``/mon-compte/securite/``."""

from django.urls import path

from parvis.core.authentication import views

app_name = "authentication"
urlpatterns = [
    path("", views.security, name="security"),
    path("confirmer/", views.step_up, name="step_up"),
    path("reprendre/", views.resume, name="resume"),
]
