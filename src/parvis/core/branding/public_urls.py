"""Pictures of the published look, under ``/p/<organisation>/charte/``."""

from django.urls import path

from parvis.core.branding import views

app_name = "branding_public"
urlpatterns = [path("<str:sha256>.<str:extension>", views.picture, name="picture")]
