"""Background jobs of an organisation, under ``/o/<organisation>/travaux/``."""

from django.urls import path

from parvis.core.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.listing, name="list"),
    path("<int:job_id>/relance/", views.retry, name="retry"),
]
