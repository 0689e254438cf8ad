"""Pages of the platform itself: home, an organisation's public home, theme, health, gallery, statements."""

from django.urls import path

from parvis.core.portal.views import homes
from parvis.core.web import gallery, views

app_name = "web"
urlpatterns = [
    path("", homes.platform, name="home"),
    path("o/<slug:slug>/", views.choose, name="choose"),
    path("p/<slug:organisation_slug>/", homes.organisation, name="public_home"),
    path("theme/<slug:name>.css", views.theme, name="theme"),
    path("health", views.health, name="health"),
    path("accessibilite/", views.accessibility, name="accessibility"),
    path("mentions-legales/", views.legal, name="legal"),
    path("robots.txt", views.robots, name="robots"),
    path("composants/", gallery.gallery, name="gallery"),
]
