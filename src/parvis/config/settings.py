"""Settings of Parvis: one module, every value that changes between installations comes from the environment."""

import os
from pathlib import Path

from parvis.config.database import from_url
from parvis.core.web.csp import POLICY

PROJECT_DIR = Path(__file__).resolve().parents[3]
VAR_DIR = Path(os.environ.get("PARVIS_VAR_DIR", PROJECT_DIR / "var"))


def flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, str(int(default))).lower() in ("1", "true", "yes", "oui")


def words(name: str, default: str = "") -> list[str]:
    return [word for word in os.environ.get(name, default).replace(",", " ").split() if word]


# --- what kind of installation this is ----------------------------------------------------------------------
DEBUG = flag("PARVIS_DEBUG")
# A demo or test installation: simulated State servers, simulated clock, invented accounts; nothing has legal value.
DEMO = flag("PARVIS_DEMO")
VERSION = "0.1.0"

SECRET_KEY = os.environ.get("PARVIS_SECRET_KEY", "")
if not SECRET_KEY and DEMO:
    SECRET_KEY = "demonstration-sans-valeur-" + "x" * 32  # a public key for a demo whose accounts are public too
ALLOWED_HOSTS = words("PARVIS_ALLOWED_HOSTS", "localhost 127.0.0.1" if DEMO else "")
CSRF_TRUSTED_ORIGINS = words("PARVIS_TRUSTED_ORIGINS")
BASE_URL = os.environ.get("PARVIS_BASE_URL", "http://localhost:8000")

# --- database: the application role; migrations run as the owner (``bin/parvis migrate``) -------------------
PARVIS_DB_APP_ROLE = os.environ.get("PARVIS_DB_APP_ROLE", "parvis_app")
_role_url = "DATABASE_OWNER_URL" if os.environ.get("PARVIS_DB_ROLE") == "owner" else "DATABASE_URL"
DATABASES = {"default": from_url(os.environ.get(_role_url, "postgresql://parvis_app@localhost/parvis"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_cotton",
    "django_htmx",
    "django_vite",
    "procrastinate.contrib.django",
    "parvis.core.organisations",
    "parvis.core.identity",
    "parvis.core.jobs",
    "parvis.core.journal",
    "parvis.core.documents",
    "parvis.core.trust",
    "parvis.core.routing",
    "parvis.core.notifications",
    "parvis.core.authentication",
    "parvis.core.entities",
    "parvis.core.provider",
    "parvis.core.saml",
    "parvis.core.federation",
    "parvis.core.branding",
    "parvis.core.portal",
    "parvis.core.api",
    "parvis.core.web",
    # After the core, whose templates of the same names (identity/templates/account, mfa) are the ones shown.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "parvis.edemat.seances",
    "parvis.edemat.parapheur",
    "parvis.edemat.actes",
    "parvis.edemat.archives",
    "parvis.opendata",
]

MIDDLEWARE = [
    "parvis.core.web.middleware.CorrelationMiddleware",
    "parvis.core.web.proxy.ProxyMiddleware",
    "parvis.core.portal.middleware.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "parvis.core.api.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "parvis.core.web.uploads.UploadLimitsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "parvis.core.authentication.middleware.SessionLimitsMiddleware",
    "parvis.core.identity.middleware.ActorMiddleware",
    "parvis.core.identity.middleware.SecondFactorMiddleware",
    "parvis.core.provider.middleware.SessionFollowingMiddleware",
    "parvis.core.web.middleware.NullCharacterMiddleware",
    "parvis.core.web.middleware.LastOrganisationMiddleware",
]

ROOT_URLCONF = "parvis.config.urls"
WSGI_APPLICATION = "parvis.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "parvis.core.web.context.page",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django_cotton.cotton_loader.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton"],
        },
    }
]
COTTON_DIR = "cotton"

# Shared by every process: throttling counts and authorization codes must not depend on who answers.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "parvis_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
PARVIS_CLOCK_FILE = os.environ.get("PARVIS_CLOCK_FILE", "") if DEMO else ""

# --- identity -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "identity.Account"
AUTHENTICATION_BACKENDS = ["parvis.core.authentication.backend.AccountBackend"]
# The first one hashes; the others only read what other software hashed, until the next login hashes it again.
PASSWORD_HASHERS = [
    "parvis.core.authentication.hashers.NormalisingArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "parvis.core.authentication.passwords.PolicyValidator"}]
# SHA-1 digests of leaked passwords, one per line, sorted (the export of the public lists); none is bundled.
PARVIS_BREACHED_PASSWORDS = (
    Path(os.environ["PARVIS_BREACHED_PASSWORDS"]) if os.environ.get("PARVIS_BREACHED_PASSWORDS") else None
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/bureau/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "parvis.core.identity.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {
    "login": "parvis.core.authentication.forms.LoginForm",
    "change_password": "parvis.core.authentication.forms.ChangePasswordForm",
    "set_password": "parvis.core.authentication.forms.SetPasswordForm",
    "reset_password": "parvis.core.authentication.forms.ResetPasswordForm",
    "user_token": "parvis.core.authentication.forms.ResetLinkForm",
    "reset_password_from_key": "parvis.core.authentication.forms.ResetPasswordKeyForm",
}
# Failed tries are counted by core/authentication/throttle.py, which locks nobody out. Links to choose a new password
# are counted by address where they are sent: refusing the form would let anybody keep somebody else from it.
ACCOUNT_RATE_LIMITS = {
    "login_failed": None,
    "login": "60/m/ip",
    "reset_password": "20/m/ip",
    "reset_password_link": "5/h/key",
}
PASSWORD_RESET_TIMEOUT = 3600
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# A browser takes localhost for a safe place without TLS; only there may the demo do without.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "parvis.core.authentication.forms.AuthenticateForm",
    "activate_totp": "parvis.core.authentication.forms.ActivateTOTPForm",
    "authenticate_webauthn": "parvis.core.authentication.forms.AuthenticateWebAuthnForm",
    "login_webauthn": "parvis.core.authentication.forms.LoginWebAuthnForm",
    "add_webauthn": "parvis.core.authentication.forms.AddWebAuthnForm",
}
MFA_TOTP_ISSUER = "Parvis"
MFA_ADAPTER = "parvis.core.identity.adapters.MfaAdapter"

# --- FranceConnect and ProConnect: their buttons appear once an issuer and a client are named -----------------
# Secrets come from the environment or from files of PARVIS_SECRETS_DIR (core/federation/configuration.py).
PARVIS_FRANCECONNECT_ISSUER = os.environ.get("PARVIS_FRANCECONNECT_ISSUER", "")
PARVIS_FRANCECONNECT_CLIENT_ID = os.environ.get("PARVIS_FRANCECONNECT_CLIENT_ID", "")
PARVIS_FRANCECONNECT_CLIENT_SECRET = os.environ.get("PARVIS_FRANCECONNECT_CLIENT_SECRET", "")
PARVIS_FRANCECONNECT_ACR = os.environ.get("PARVIS_FRANCECONNECT_ACR", "eidas1")
PARVIS_FRANCECONNECT_ALGORITHM = os.environ.get("PARVIS_FRANCECONNECT_ALGORITHM", "ES256")
PARVIS_FRANCECONNECT_SCOPES = words("PARVIS_FRANCECONNECT_SCOPES", "openid identite_pivot preferred_username email")
# Rule of six values (every value of the pivot identity equal to verified ones): links without asking; off.
PARVIS_FRANCECONNECT_LINK_BY_PIVOT = flag("PARVIS_FRANCECONNECT_LINK_BY_PIVOT")
PARVIS_PROCONNECT_ISSUER = os.environ.get("PARVIS_PROCONNECT_ISSUER", "")
PARVIS_PROCONNECT_CLIENT_ID = os.environ.get("PARVIS_PROCONNECT_CLIENT_ID", "")
PARVIS_PROCONNECT_CLIENT_SECRET = os.environ.get("PARVIS_PROCONNECT_CLIENT_SECRET", "")
PARVIS_PROCONNECT_ALGORITHM = os.environ.get("PARVIS_PROCONNECT_ALGORITHM", "ES256")
PARVIS_PROCONNECT_SCOPES = words("PARVIS_PROCONNECT_SCOPES", "openid given_name usual_name email uid siret idp_id")
# Demands a second factor of ProConnect itself; otherwise Parvis asks its own when none was proved.
PARVIS_PROCONNECT_TWO_FACTORS = flag("PARVIS_PROCONNECT_TWO_FACTORS")

# --- sites that trust the platform (OpenID Connect) ----------------------------------------------------------
IDP_OIDC_ADAPTER = "parvis.core.provider.adapter.Adapter"
# Hosts of an internal network that may be told of logouts, and the authority of their certificates.
PARVIS_PROVIDER_INTERNAL_HOSTS = words("PARVIS_PROVIDER_INTERNAL_HOSTS")
PARVIS_PROVIDER_CA = os.environ.get("PARVIS_PROVIDER_CA", "")

# --- the API of machines --------------------------------------------------------------------------------------
# The proxy's own addresses: from them alone are X-Forwarded-For and Client-Cert (RFC 9440) believed.
PARVIS_BEHIND_PROXY = flag("PARVIS_BEHIND_PROXY")
PARVIS_PROXY_ADDRESSES = words("PARVIS_PROXY_ADDRESSES", "127.0.0.1 ::1")
# Calls in any minute.
PARVIS_API_CALLS_PER_ACCOUNT = int(os.environ.get("PARVIS_API_CALLS_PER_ACCOUNT", "600"))
PARVIS_API_CALLS_PER_ADDRESS = int(os.environ.get("PARVIS_API_CALLS_PER_ADDRESS", "1200"))

# --- pages --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
DJANGO_VITE = {
    "default": {
        "manifest_path": PROJECT_DIR / "src/parvis/core/web/static/parvis/manifest.json",
        "static_url_prefix": "parvis",
    }
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MIMETYPES = {".mjs": "text/javascript"}

# --- security headers ---------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not (DEBUG or DEMO)
# A browser accepts a __Host- cookie only over TLS, for this very host: no other host of the domain may plant one.
SESSION_COOKIE_NAME = "__Host-parvis" if SESSION_COOKIE_SECURE else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrf" if CSRF_COOKIE_SECURE else "csrftoken"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if (DEBUG or DEMO) else 31_536_000
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("PARVIS_BEHIND_PROXY") else None
X_FRAME_OPTIONS = "SAMEORIGIN"
CONTENT_SECURITY_POLICY = POLICY
CSRF_FAILURE_VIEW = "parvis.core.web.views.csrf_failure"
# Files have their own limits, declared by the views that take them (core/web/uploads.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 60

# --- files --------------------------------------------------------------------------------------------------
DOCUMENTS_ROOT = Path(os.environ.get("PARVIS_DOCUMENTS_DIR", VAR_DIR / "documents"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "documents": {
        "BACKEND": os.environ.get("PARVIS_DOCUMENTS_BACKEND", "django.core.files.storage.FileSystemStorage"),
        "OPTIONS": {"location": DOCUMENTS_ROOT},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PARVIS_CLAMD_SOCKET = os.environ.get("PARVIS_CLAMD_SOCKET", "")
PARVIS_ARCHIVE_ROOTS = [Path(p) for p in words("PARVIS_ARCHIVE_ROOTS", f"{VAR_DIR / 'ocfl'} {VAR_DIR / 'ocfl-copie'}")]
PARVIS_ARCHIVE_MAX_RATIO = int(os.environ.get("PARVIS_ARCHIVE_MAX_RATIO", "200"))

# --- reference data, secrets, trust -------------------------------------------------------------------------
_beside = PROJECT_DIR.parent / "shared" / "schemas"
PARVIS_REFERENTIALS_DIR = (
    Path(os.environ["PARVIS_REFERENTIALS_DIR"])
    if "PARVIS_REFERENTIALS_DIR" in os.environ
    else (_beside if _beside.is_dir() else None)
)
PARVIS_SECRETS_DIR = Path(os.environ.get("PARVIS_SECRETS_DIR", VAR_DIR / "secrets"))
PARVIS_TRUST_ROOTS_DIR = Path(os.environ.get("PARVIS_TRUST_ROOTS_DIR", VAR_DIR / "trust"))
PARVIS_TSA_URLS = words("PARVIS_TSA_URLS")
PARVIS_TRUST_ALLOWED_HOSTS = words("PARVIS_TRUST_ALLOWED_HOSTS")

# --- the ministry (@CTES) -----------------------------------------------------------------------------------
PARVIS_MINISTRY_URL = os.environ.get("PARVIS_MINISTRY_URL", "")
PARVIS_MINISTRY_CLIENT_CERT = os.environ.get("PARVIS_MINISTRY_CLIENT_CERT", "")
PARVIS_MINISTRY_CLIENT_KEY = os.environ.get("PARVIS_MINISTRY_CLIENT_KEY", "")
PARVIS_MINISTRY_CA = os.environ.get("PARVIS_MINISTRY_CA", "")
PARVIS_ACTES_TRIGRAMME = os.environ.get("PARVIS_ACTES_TRIGRAMME", "PAR")
PARVIS_ACTES_MAILBOX = {
    "host": os.environ.get("PARVIS_ACTES_IMAP_HOST", "localhost"),
    "port": int(os.environ.get("PARVIS_ACTES_IMAP_PORT", "993")),
    "tls": flag("PARVIS_ACTES_IMAP_TLS", default=True),
    "user": os.environ.get("PARVIS_ACTES_IMAP_USER", ""),
    "password": os.environ.get("PARVIS_ACTES_IMAP_PASSWORD", ""),
}
# Who may send the State's returns: exact addresses or @domains; any other mail waits in the error basket.
PARVIS_ACTES_SENDERS = words("PARVIS_ACTES_SENDERS")
# Name of the receiving relay in Authentication-Results: when set, it must vouch for the sender (DKIM or SPF).
PARVIS_ACTES_AUTHSERV_ID = os.environ.get("PARVIS_ACTES_AUTHSERV_ID", "")

# --- mail ---------------------------------------------------------------------------------------------------
EMAIL_HOST = os.environ.get("PARVIS_SMTP_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("PARVIS_SMTP_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("PARVIS_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("PARVIS_SMTP_PASSWORD", "")
EMAIL_USE_TLS = flag("PARVIS_SMTP_TLS")
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = os.environ.get("PARVIS_DEFAULT_SENDER", "ne-pas-repondre@parvis.invalid")

# --- jobs and logs ------------------------------------------------------------------------------------------
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
PROCRASTINATE_ON_APP_READY = "parvis.core.jobs.running.install"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "parvis.core.logs.JsonLines"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("PARVIS_LOG_LEVEL", "WARNING")},
    "loggers": {"django.db.backends": {"level": "INFO"}},  # below, the values of every statement would be written
}
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]
