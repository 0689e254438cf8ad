"""Background jobs of the platform itself, under ``/plateforme/travaux/``."""

from django.urls import path

from parvis.core.jobs import views

app_name = "jobs_platform"
urlpatterns = [
    path("", views.listing_of_platform, name="list"),
    path("<int:job_id>/relance/", views.retry_of_platform, name="retry"),
]
