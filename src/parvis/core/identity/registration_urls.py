"""Registration of citizens, under ``/inscription/``."""

from django.urls import path

from parvis.core.identity.views import registration

app_name = "registration"
urlpatterns = [
    path("", registration.ask, name="ask"),
    path("envoye/", registration.sent, name="sent"),
    path("<str:token>/", registration.follow, name="open"),
]
