"""The API, under ``/api/``: its documentation, its description and its operations.

Whatever ninja serves is declared "api": the test that walks all the URLs then reads each operation's own scope.
"""

from django.urls import URLPattern, URLResolver, include, path

from parvis.core.api import views
from parvis.core.api.api import build
from parvis.core.identity.access import Access

app_name = "api"
api = build()


def _declared() -> list[URLPattern]:
    patterns = [p for p in api.urls[0] if isinstance(p, URLPattern) and p.name != "api-root"]
    for pattern in patterns:
        pattern.callback.access = Access("api")  # type: ignore[attr-defined]
    return patterns


urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.documentation, name="documentation"),
    path("v1/openapi.json", views.description, name="openapi"),
    path("v1/", include(_declared())),
]
