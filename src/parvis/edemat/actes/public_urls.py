"""Published acts for everybody, under ``/p/<organisation>/actes/``."""

from django.urls import path

from parvis.edemat.actes.views import public

app_name = "actes_public"

urlpatterns = [
    path("", public.register, name="list"),
    path("flux.atom", public.feed, name="feed"),
    path("actes.<slug:extension>", public.export, name="export"),
    path("verification/<str:unique_id>/", public.verification, name="verification"),
    path("<uuid:pk>/", public.detail, name="detail"),
]
