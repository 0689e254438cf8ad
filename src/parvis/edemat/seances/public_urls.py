"""What everybody reads of meetings, under ``/p/<organisation>/seances/``."""

from django.urls import path

from parvis.edemat.seances.views import public

app_name = "seances_public"
urlpatterns = [
    path("", public.lists, name="list"),
    path("<uuid:pk>/", public.detail, name="detail"),
]
