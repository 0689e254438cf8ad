"""The branding editor of an organisation, under ``/o/<organisation>/administration/charte/``."""

from django.urls import path

from parvis.core.branding import views

app_name = "branding"
urlpatterns = [
    path("", views.editor, name="editor"),
    path("contrastes/", views.measured, name="measures"),
    path("versions/", views.listing, name="versions"),
    path("images/<str:sha256>.<str:extension>", views.draft_picture, name="picture"),
    path("<uuid:pk>/", views.version, name="version"),
    path("<uuid:pk>/theme.css", views.theme, name="theme"),
    path("<uuid:pk>/apercu/<slug:sample>/", views.sample, name="sample"),
    path("<uuid:pk>/publication/", views.publish, name="publish"),
    path("<uuid:pk>/reprise/", views.restore, name="restore"),
    path("<uuid:pk>/abandon/", views.discard, name="discard"),
]
