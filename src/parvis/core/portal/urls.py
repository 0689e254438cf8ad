"""The portal's own pages; homes keep the names ``web:home`` and ``web:public_home`` (core/web/urls)."""

from django.urls import path

from parvis.core.portal.views import announcements, help, hosts, logins, search, space

app_name = "portal"
urlpatterns = [
    path("espace/", space.space, name="space"),
    path("espace/commune/", space.choose_commune, name="choose_commune"),
    path("aide/", help.index, name="help"),
    path("aide/contact/", help.contact, name="contact"),
    path("aide/<slug:slug>/", help.page, name="help_page"),
    path("annonces/<uuid:pk>/masquer/", announcements.dismiss, name="dismiss"),
    path("retour/", logins.back, name="back"),
    path("connecte/", logins.arrived, name="arrived"),
    path("bureau/recherche/", search.search, name="search"),
    path("plateforme/noms-de-domaine/", hosts.host_list, name="hosts"),
    path("plateforme/noms-de-domaine/<int:pk>/retirer/", hosts.remove, name="remove_host"),
]
