"""Documents for agents, under ``/o/<organisation>/documents/``."""

from django.urls import path

from parvis.core.documents import views

app_name = "documents"
urlpatterns = [
    path("<uuid:pk>/", views.download, name="download"),
    path("<uuid:pk>/empreinte/", views.digest, name="digest"),
    path("<uuid:pk>/pages/<int:page>/", views.page, name="page"),
]
