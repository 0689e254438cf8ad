"""Published documents for everybody, under ``/p/<organisation>/documents/``."""

from django.urls import path

from parvis.core.documents import views

app_name = "public_documents"
urlpatterns = [
    path("<uuid:pk>", views.public_download, name="download"),
    path("<uuid:pk>/pages/<int:page>/", views.public_page, name="page"),
]
