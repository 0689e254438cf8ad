"""Links received by mail, under ``/invitation/``."""

from django.urls import path

from parvis.core.organisations.views import acceptance

app_name = "invitations"
urlpatterns = [
    path("exploitation/<str:token>/", acceptance.operator, name="operator"),
    path("<slug:organisation>/<str:token>/", acceptance.accept, name="accept"),
]
