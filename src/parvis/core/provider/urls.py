"""Endpoints of the OpenID Connect provider, and the pages that go with them."""

from django.urls import path

from parvis.core.provider.views import account, endpoints, login, logout, platform

app_name = "provider"
urlpatterns = [
    path(".well-known/openid-configuration", endpoints.configuration, name="configuration"),
    path(".well-known/jwks.json", endpoints.jwks, name="jwks"),
    path("identite/o/authorize", login.authorize, name="authorize"),
    path("identite/o/consentement", login.consent, name="consent"),
    path("identite/o/suite", login.resume, name="resume"),
    path("identite/o/token", endpoints.token, name="token"),
    path("identite/o/userinfo", endpoints.userinfo, name="userinfo"),
    path("identite/o/revoke", endpoints.revoke, name="revoke"),
    path("identite/o/logout", logout.logout, name="logout"),
    path("identite/logos/<str:client_id>/<str:sha256>.<str:extension>", login.logo, name="logo"),
    path("identite/services-relies/", account.my_services, name="my_services"),
    path("identite/services-relies/<str:client_id>/retrait/", account.withdraw, name="withdraw"),
    path("identite/approbations/", platform.approvals, name="approvals"),
    path("identite/approbations/<int:organisation>/<uuid:pk>/", platform.approval, name="approval"),
]
