"""Addresses: ``/o/<organisation>/`` for agents, ``/p/<organisation>/`` for the public, the rest for everybody."""

from allauth.account import urls as account
from django.urls import include, path
from django.views.generic import RedirectView

from parvis.core.authentication.views import step_up

AGENT = [
    ("seances/", "parvis.edemat.seances.urls"),
    ("parapheur/", "parvis.edemat.parapheur.urls"),
    ("actes/", "parvis.edemat.actes.urls"),
    ("archives/", "parvis.edemat.archives.urls"),
    ("donnees/", "parvis.opendata.urls"),
    ("documents/", "parvis.core.documents.urls"),
    ("journal/", "parvis.core.journal.urls"),
    ("administration/annonces/", "parvis.core.portal.administration_urls"),
    ("administration/charte/", "parvis.core.branding.urls"),
    ("administration/services-relies/", "parvis.core.provider.administration_urls"),
    ("administration/saml/", "parvis.core.saml.administration_urls"),
    ("administration/api/", "parvis.core.api.administration_urls"),
    ("administration/teletransmission/", "parvis.edemat.actes.administration_urls"),
    ("administration/activations/", "parvis.core.federation.administration_urls"),
    ("administration/annuaire/", "parvis.core.federation.directory_urls"),
    ("administration/comptes/", "parvis.core.identity.administration_urls"),
    ("administration/certificats/", "parvis.core.trust.administration_urls"),
    ("administration/second-facteur/", "parvis.core.authentication.administration_urls"),
    ("administration/", "parvis.core.organisations.urls"),
    ("travaux/", "parvis.core.jobs.urls"),
    ("cheminements/", "parvis.core.routing.step_urls"),
]
PUBLIC = [
    ("seances/", "parvis.edemat.seances.public_urls"),
    ("actes/", "parvis.edemat.actes.public_urls"),
    ("donnees/", "parvis.opendata.public_urls"),
    ("documents/", "parvis.core.documents.public_urls"),
    ("charte/", "parvis.core.branding.public_urls"),
]
# An account is known by its address, to which an organisation gives mandates: nobody changes it alone, without
# proof that it is theirs, and so receives what was meant for another person.
ACCOUNT = [page for page in account.urlpatterns if page.name != "account_email"]
# One page asks again for every proof that the account can give, whoever asks for it.
STEP_UP = [
    path("reauthenticate/", step_up, name="account_reauthenticate"),
    path("mfa/reauthenticate/", step_up, name="mfa_reauthenticate"),
    path("mfa/webauthn/reauthenticate/", step_up, name="mfa_reauthenticate_webauthn"),
    # Every factor is on one page too.
    path("mfa/", RedirectView.as_view(pattern_name="authentication:security"), name="mfa_index"),
    path("mfa/webauthn/", RedirectView.as_view(pattern_name="authentication:security"), name="mfa_list_webauthn"),
]

urlpatterns = [
    path("compte/", include(STEP_UP)),
    path("compte/", include(ACCOUNT)),
    path("compte/mfa/", include("allauth.mfa.urls")),
    *[path(f"o/<slug:organisation_slug>/{prefix}", include(m)) for prefix, m in AGENT],
    *[path(f"p/<slug:organisation_slug>/{prefix}", include(m)) for prefix, m in PUBLIC],
    path("bureau/", include("parvis.core.routing.urls")),
    path("plateforme/travaux/", include("parvis.core.jobs.platform_urls")),
    path("plateforme/saml/", include("parvis.core.saml.platform_urls")),
    path("plateforme/annuaires/", include("parvis.core.federation.platform_urls")),
    path("inscription/", include("parvis.core.identity.registration_urls")),
    path("plateforme/", include("parvis.core.identity.platform_urls")),
    path("plateforme/second-facteur/", include("parvis.core.authentication.platform_urls")),
    path("plateforme/", include("parvis.core.organisations.platform_urls")),
    path("invitation/", include("parvis.core.organisations.invitation_urls")),
    path("federation/", include("parvis.core.federation.urls")),
    path("saml/", include("parvis.core.saml.urls")),
    path("", include("parvis.core.provider.urls")),
    path("api/", include("parvis.core.api.urls")),
    path("mon-compte/", include("parvis.core.identity.urls")),
    path("mon-compte/entreprises/", include("parvis.core.entities.urls")),
    path("mon-compte/securite/", include("parvis.core.authentication.urls")),
    path("", include("parvis.core.portal.urls")),
    path("", include("parvis.core.web.urls")),
]

handler400 = "parvis.core.web.views.bad_request"
handler403 = "parvis.core.web.views.forbidden"
handler404 = "parvis.core.web.views.not_found"
handler500 = "parvis.core.web.views.server_error"
