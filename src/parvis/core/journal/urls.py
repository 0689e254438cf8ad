"""The journal for agents, under ``/o/<organisation>/journal/``."""

from django.urls import path

from parvis.core.journal import views

app_name = "journal"
urlpatterns = [
    path("", views.index, name="index"),
    path("sceller/", views.seal_now, name="seal"),
    path("<int:seq>/", views.proof, name="proof"),
    path("<int:seq>/verifier/", views.verify, name="verify"),
    path("<int:seq>/preuve.json", views.proof_file, name="proof_file"),
    path("<slug:kind>/<str:identifier>/", views.about, name="about"),
]
