"""What the tests of access hold by hand: whoever adds an address that everybody reaches writes it here with its reason.

An agents' page is closed by its own decorator, so nothing is written for it. A page that anybody, the public or any
account reaches has to say why, for no mandate protects it.
"""

from parvis.core.identity.access import Access

ORG = "<slug:organisation_slug>"

# Declared ``open_view``: address -> why anybody may reach it, and what keeps it from telling something.
OPEN = {
    "": "home of the platform: names of the partners",
    "aide/": "help",
    "aide/<slug:slug>/": "one page of the help",
    "aide/contact/": "form to the support; nothing of anybody is shown",
    "accessibilite/": "statement required by law",
    "mentions-legales/": "statement required by law",
    "robots.txt": "for search engines",
    "composants/": "gallery of the interface, with invented content",
    "health": "for the supervision: up or down, nothing else",
    "theme/<slug:name>.css": "colours of an organisation's published look",
    "annonces/<uuid:pk>/masquer/": "hides a published announcement in this browser alone",
    "connecte/": "end of a login asked on another host",
    "inscription/": "makes a citizen's account",
    "inscription/envoye/": "says that a message was sent, to whoever asks",
    "inscription/<str:token>/": "the token of the message proves the address",
    "invitation/exploitation/<str:token>/": "the token of the message names the invitation",
    "invitation/<slug:organisation>/<str:token>/": "the token of the message names the invitation",
    "mon-compte/adresse/annuler/<str:token>/": "for the holder whose address was taken; the token proves it",
    "mon-compte/suppression/<str:token>/": "the token proves the address; the holder may be logged out",
    "mon-compte/suppression/<str:token>/attestation/": "the holder has no account any more; the token proves it",
    "mon-compte/securite/mot-de-passe/criteres/": "judges the password being chosen, at registration too",
    "federation/choix/": "goes on with the identity just verified, kept sealed in this session",
    "federation/nouveau-compte/": "goes on with the identity just verified, kept sealed in this session",
    "federation/agent/": "goes on with the identity just verified, kept sealed in this session",
    "federation/deconnexion/": "leads a session that has just ended out of its providers",
    "federation/jwks/": "public keys",
    "federation/qu-est-ce-que-franceconnect/": "explanation required by FranceConnect",
    "federation/qu-est-ce-que-proconnect/": "explanation required by ProConnect",
    "federation/<slug:provider>/bouton.svg": "official drawing of a button of the login page",
    "federation/franceconnect/": "begins a login",
    "federation/proconnect/": "begins a login",
    "federation/<slug:provider>/": "begins a login by a directory in service",
    "federation/<slug:provider>/retour/": "end of a login, bound to this session by its state",
    "federation/<slug:provider>/sortie/": "end of a logout, bound to this session by its state",
    "saml/metadata/": "public description of the identity provider",
    "saml/connexion/": "protocol: a site's request, which leads to the login",
    "saml/deconnexion/": "protocol: a site's request to log out",
    ".well-known/openid-configuration": "public description of the identity provider",
    ".well-known/jwks.json": "public keys",
    "identite/o/authorize": "protocol: a site's request, which leads to the login",
    "identite/o/consentement": "goes on with a signed request; leads to the login",
    "identite/o/suite": "goes on with a signed request; leads to the login",
    "identite/o/token": "protocol: clients prove themselves by their secret or their key",
    "identite/o/userinfo": "protocol: proved by the access token",
    "identite/o/revoke": "protocol: clients prove themselves by their secret or their key",
    "identite/o/logout": "protocol: a site's request to log out",
    "identite/logos/<str:client_id>/<str:sha256>.<str:extension>": "the approved logo of a site",
    "api/": "documentation of the API",
    "api/v1/openapi.json": "description of the API",
}

# Declared ``public_view``: address -> what it makes public; row security shows nothing else of the organisation.
PUBLIC = {
    f"p/{ORG}/": "home of an organisation",
    f"p/{ORG}/actes/": "published acts (CGCT, R2131-1)",
    f"p/{ORG}/actes/flux.atom": "published acts",
    f"p/{ORG}/actes/actes.<slug:extension>": "published acts",
    f"p/{ORG}/actes/verification/<str:unique_id>/": "whether a slip is that of a published act",
    f"p/{ORG}/actes/<uuid:pk>/": "one published act",
    f"p/{ORG}/seances/": "lists of deliberations (CGCT, L2121-25)",
    f"p/{ORG}/seances/<uuid:pk>/": "one list of deliberations",
    f"p/{ORG}/donnees/": "datasets that are online",
    f"p/{ORG}/donnees/deliberations/": "rows of a dataset that is online",
    f"p/{ORG}/donnees/deliberations.<slug:extension>": "rows of a dataset that is online",
    f"p/{ORG}/documents/<uuid:pk>": "a published file",
    f"p/{ORG}/documents/<uuid:pk>/pages/<int:page>/": "a page of a published file",
    f"p/{ORG}/charte/<str:sha256>.<str:extension>": "a picture of the published look",
}

# Declared ``account_view``: address -> why no mandate in one organisation is asked for.
ACCOUNT = {
    "compte/reauthenticate/": "proof of one's own identity",
    "compte/mfa/reauthenticate/": "proof of one's own identity",
    "compte/mfa/webauthn/reauthenticate/": "proof of one's own identity",
    "bureau/": "what waits for the person, in the organisations of their mandates",
    "bureau/dossiers/": "the dossiers that the person may read, in the organisations of their mandates",
    "bureau/recherche/": "what the person may read, in the organisations of their mandates",
    "o/<slug:slug>/": "chooses one of the organisations of one's mandates",
    "retour/": "goes back to the host that asked for the login",
    "espace/": "one's own space",
    "espace/commune/": "one's own preference",
    "mon-compte/": "one's own account",
    "mon-compte/profil/": "one's own account",
    "mon-compte/evenements/": "events of one's own account",
    "mon-compte/donnees/": "export of one's own account",
    "mon-compte/donnees/avancement/": "export of one's own account",
    "mon-compte/donnees/<uuid:pk>/<slug:name>.zip": "export of one's own account",
    "mon-compte/adresse/": "one's own address",
    "mon-compte/adresse/confirmer/<str:token>/": "one's own address",
    "mon-compte/suppression/": "one's own account",
    "mon-compte/entreprises/": "one's own roles in companies and associations",
    "mon-compte/entreprises/ajouter/": "one's own roles in companies and associations",
    "mon-compte/entreprises/agir/": "for whom one acts in one's own session",
    "mon-compte/entreprises/<uuid:pk>/": "a role of one's own; that of another is missing",
    "mon-compte/entreprises/<uuid:pk>/terminer/": "a role of one's own; that of another is missing",
    "mon-compte/securite/": "one's own factors",
    "mon-compte/securite/confirmer/": "proof of one's own identity",
    "mon-compte/securite/reprendre/": "what one was sending before the proof",
    "mon-compte/securite/appareils/": "one's own sessions",
    "mon-compte/securite/appareils/fermer/": "one's own sessions",
    "mon-compte/securite/prolonger/": "one's own session",
    "mon-compte/securite/remise-a-zero/annuler/": "a reset asked for one's own factors",
    "federation/annuaire/": "asks one's own directory for a fresh proof",
    "federation/annuaire/relier/": "links an identity of a directory to one's own account",
    "federation/relier/": "links an identity to one's own account",
    "federation/relier/abandon/": "links an identity to one's own account",
    "federation/mes-identites/": "identities linked to one's own account",
    "federation/<slug:provider>/delier/": "identities linked to one's own account",
    "saml/suite/<str:token>/": "goes on to a site with a request kept in this session",
    "saml/accord/<uuid:site_id>/retirer/": "sites that one agreed to",
    "identite/services-relies/": "sites that one agreed to",
    "identite/services-relies/<str:client_id>/retrait/": "sites that one agreed to",
}

BY_HAND = {"open": ("OPEN", OPEN), "public": ("PUBLIC", PUBLIC), "account": ("ACCOUNT", ACCOUNT)}

# Tables and archives that are downloaded without a fresh proof: address -> why nobody's personal data are in them.
NOBODY_IN = {
    f"o/{ORG}/actes/actes.<slug:extension>": "acts: number, subject, dates",
    f"p/{ORG}/actes/actes.<slug:extension>": "acts that are published",
    f"o/{ORG}/donnees/deliberations.<slug:extension>": "rows made to be published",
    f"p/{ORG}/donnees/deliberations.<slug:extension>": "rows that are published",
    f"o/{ORG}/archives/registre/": "archives: title, agencies, sizes",
    f"o/{ORG}/seances/assemblees/modele.csv": "invented members",
    f"o/{ORG}/administration/personnes/imports/modele.csv": "invented people",
}

# Services whose addresses ask for one of the applications of the convention, by the beginning of the address.
APPLICATIONS = {
    f"o/{ORG}/seances/": "edemat",
    f"o/{ORG}/parapheur/": "edemat",
    f"o/{ORG}/actes/": "edemat",
    f"o/{ORG}/archives/": "edemat",
    f"o/{ORG}/donnees/": "opendata",
    f"p/{ORG}/seances/": "edemat",
    f"p/{ORG}/actes/": "edemat",
    f"p/{ORG}/donnees/": "opendata",
}

# The account library's addresses, by name. EVERYBODY: login, and what leads to it. HOLDER: somebody logged in.
EVERYBODY, HOLDER = Access("open"), Access("account")
LIBRARY = {
    "account_login": EVERYBODY,
    "account_logout": EVERYBODY,
    "account_inactive": EVERYBODY,
    "account_signup": EVERYBODY,
    "account_email_verification_sent": EVERYBODY,
    "account_confirm_email": EVERYBODY,
    "account_confirm_login_code": EVERYBODY,
    "account_reset_password": EVERYBODY,
    "account_reset_password_done": EVERYBODY,
    "account_reset_password_from_key": EVERYBODY,
    "account_reset_password_from_key_done": EVERYBODY,
    "mfa_authenticate": EVERYBODY,  # between the password and the session
    "mfa_login_webauthn": EVERYBODY,
    "account_reauthenticate": HOLDER,
    "account_change_password": HOLDER,
    "account_set_password": HOLDER,
    "mfa_index": HOLDER,
    "mfa_reauthenticate": HOLDER,
    "mfa_activate_totp": HOLDER,
    "mfa_deactivate_totp": HOLDER,
    "mfa_view_recovery_codes": HOLDER,
    "mfa_generate_recovery_codes": HOLDER,
    "mfa_download_recovery_codes": HOLDER,
    "mfa_list_webauthn": HOLDER,
    "mfa_add_webauthn": HOLDER,
    "mfa_reauthenticate_webauthn": HOLDER,
    "mfa_remove_webauthn": HOLDER,
    "mfa_edit_webauthn": HOLDER,
}
# Only ever send elsewhere, where the declaration of the page they lead to is checked.
SIGNPOSTS = {"mfa_index", "mfa_list_webauthn"}

# Taken without CSRF token, and why.
WITHOUT_TOKEN = {
    "saml/connexion/": "protocol: a site posts its request, which changes nothing by itself",
    "identite/o/authorize": "protocol: OpenID Connect lets a site post its request",
    "identite/o/token": "protocol: clients prove themselves by their secret or their key",
    "identite/o/userinfo": "protocol: proved by the token",
    "identite/o/revoke": "protocol: clients prove themselves by their secret or their key",
    "identite/o/logout": "protocol: a site posts its request; the person is asked, by a form with its token",
}

# Layers that may answer before any view does: each with what it answers by itself, by example, or why it never does.
# An example is (method, address, host, status), the same for everybody.
MIDDLEWARE: dict[str, str | list[tuple[str, str, str, int]]] = {
    "parvis.core.web.middleware.CorrelationMiddleware": "numbers requests",
    "parvis.core.web.proxy.ProxyMiddleware": "reads headers",
    "parvis.core.portal.middleware.HostMiddleware": [
        ("get", "/", "nulle-part.test", 400),
        ("get", "/", "voisin.test", 200),
        ("get", "/p/fabregues/", "voisin.test", 302),
        ("get", "/o/fabregues/actes/", "voisin.test", 302),
        ("post", "/o/fabregues/actes/", "voisin.test", 404),
    ],
    "django.middleware.security.SecurityMiddleware": "writes headers",
    "whitenoise.middleware.WhiteNoiseMiddleware": [
        ("get", "/static/../../../etc/passwd", "", 404),
        ("get", "/static/nulle-part.css", "", 404),
    ],
    "csp.middleware.CSPMiddleware": "writes headers",
    "parvis.core.api.middleware.ApiMiddleware": [
        ("get", "/api/v1/nulle-part", "", 404),
        ("post", "/api/v1/nulle-part", "", 404),
    ],
    "django.contrib.sessions.middleware.SessionMiddleware": "reads the session",
    "django.middleware.common.CommonMiddleware": [
        ("get", "/health/", "", 404),
        ("get", "/accessibilite", "", 301),
        ("get", "/o/fabregues/actes", "", 301),
    ],
    "parvis.core.web.uploads.UploadLimitsMiddleware": "refuses what is too heavy: see tests/core/web/test_uploads.py",
    "django.middleware.csrf.CsrfViewMiddleware": "refuses forms without token: see the test of tokens",
    "django.contrib.auth.middleware.AuthenticationMiddleware": "reads the session",
    "django.contrib.messages.middleware.MessageMiddleware": "reads the session",
    "django.middleware.clickjacking.XFrameOptionsMiddleware": "writes headers",
    "django_htmx.middleware.HtmxMiddleware": "reads headers",
    "allauth.account.middleware.AccountMiddleware": [
        ("get", "/compte/", "", 404),
        ("get", "/.well-known/change-password", "", 404),
    ],
    "allauth.usersessions.middleware.UserSessionsMiddleware": "notes the session",
    "parvis.core.authentication.middleware.SessionLimitsMiddleware": "leads sessions over or in doubt to a new proof",
    "parvis.core.identity.middleware.ActorMiddleware": "names the actor",
    "parvis.core.identity.middleware.SecondFactorMiddleware": "leads to one's own factors",
    "parvis.core.provider.middleware.SessionFollowingMiddleware": "follows the session",
    "parvis.core.web.middleware.NullCharacterMiddleware": [("get", "/o/fabregues/%00/", "", 400)],
    "parvis.core.web.middleware.LastOrganisationMiddleware": "notes the organisation in the session",
}
