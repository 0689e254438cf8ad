"""Services that trust an organisation's accounts."""

from django.urls import path

from parvis.core.provider.views import administration as views

app_name = "clients"
urlpatterns = [
    path("", views.services_list, name="list"),
    path("nouveau/", views.new, name="new"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/modifier/", views.edit, name="edit"),
    path("<uuid:pk>/secret/", views.secret, name="secret"),
    path("<uuid:pk>/etat/", views.switch, name="switch"),
]
