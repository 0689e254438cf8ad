"""Addresses: ``/o/<organisation>/`` for agents, ``/p/<organisation>/`` for the public, the rest for everybody."""

from importlib.util import find_spec

from django.urls import include, path

AGENT = [
    ("seances/", "parvis.edemat.seances.urls"),
    ("parapheur/", "parvis.edemat.parapheur.urls"),
    ("actes/", "parvis.edemat.actes.urls"),
    ("archives/", "parvis.edemat.archives.urls"),
    ("donnees/", "parvis.opendata.urls"),
    ("documents/", "parvis.core.documents.urls"),
    ("journal/", "parvis.core.journal.urls"),
    ("administration/", "parvis.core.organisations.urls"),
    ("travaux/", "parvis.core.jobs.urls"),
]
PUBLIC = [
    ("actes/", "parvis.edemat.actes.public_urls"),
    ("donnees/", "parvis.opendata.public_urls"),
    ("documents/", "parvis.core.documents.public_urls"),
]


def present(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


urlpatterns = [
    path("compte/", include("allauth.account.urls")),
    path("compte/mfa/", include("allauth.mfa.urls")),
    *[path(f"o/<slug:organisation_slug>/{prefix}", include(m)) for prefix, m in AGENT if present(m)],
    *[path(f"p/<slug:organisation_slug>/{prefix}", include(m)) for prefix, m in PUBLIC if present(m)],
    *[path("bureau/", include(m)) for m in ["parvis.core.routing.urls"] if present(m)],
    *[path("", include(m)) for m in ["parvis.core.web.urls"] if present(m)],
]

handler400 = "parvis.core.web.views.bad_request"
handler403 = "parvis.core.web.views.forbidden"
handler404 = "parvis.core.web.views.not_found"
handler500 = "parvis.core.web.views.server_error"
