"""The steps of routes, under /o/<organisation>/cheminements/."""

from django.urls import path

from parvis.core.routing import views

app_name = "route_steps"
urlpatterns = [
    path("etapes/<uuid:pk>/", views.failed_step, name="failed"),
]
