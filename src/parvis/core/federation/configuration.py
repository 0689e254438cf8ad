"""How Parvis is registered at FranceConnect and ProConnect, as settings and secret files tell, or at a directory.

Secrets are read from the environment or, when it is silent, from ``PARVIS_SECRETS_DIR``:
``franceconnect-client-secret``, ``proconnect-client-secret`` (text) and ``franceconnect-decryption.pem`` (private key
of FranceConnect+, whose tokens are encrypted). The official drawings of the buttons are files of
``PARVIS_REFERENTIALS_DIR``, for this project may not spread them.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.urls import reverse
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, RSAKey

FRANCECONNECT: Final = "franceconnect"
PROCONNECT: Final = "proconnect"
LABELS: Final = {FRANCECONNECT: "FranceConnect", PROCONNECT: "ProConnect"}
DIRECTORY: Final = "annuaire"
"""What a session says of whoever came by the directory of an organisation."""
MAX_DRAWING: Final = 256 * 1024
ALGORITHMS: Final = ("ES256", "RS256")
EIDAS: Final = ("eidas1", "eidas2", "eidas3")
_ASSURANCE = "https://proconnect.gouv.fr/assurance/"
TWO_FACTORS: Final = (
    "eidas2",
    "eidas3",
    f"{_ASSURANCE}self-asserted-2fa",
    f"{_ASSURANCE}consistency-checked-2fa",
)
"""Values of ``acr`` by which ProConnect answers for a second factor."""

DecryptionKey = ECKey | RSAKey


def return_address(code: str) -> str:
    """Where the provider ``code`` sends people back: its own, at the platform's address, never the request's."""
    return settings.BASE_URL + reverse("federation:callback", args=[code])


def logout_address(code: str) -> str:
    """Where the provider ``code`` sends people back once they are logged out there."""
    return settings.BASE_URL + reverse("federation:logged_out", args=[code])


@dataclass(frozen=True)
class Registration:
    """One provider and what it knows us by. ``acr`` is the least level accepted, "" for none.

    A directory has a ``name``, its ``claims`` (attribute -> name of the claim) and, where the platform approved one,
    the (claim, value) that stands for a second ``factor``.
    """

    code: str
    issuer: str
    client_id: str
    client_secret: str
    algorithm: str
    scopes: tuple[str, ...]
    acr: str = ""
    two_factors: bool = False
    decryption_key: DecryptionKey | None = None
    name: str = ""
    claims: dict[str, str] | None = None
    factor: tuple[str, str] | None = None

    @property
    def label(self) -> str:
        return self.name or LABELS[self.code]

    @property
    def is_directory(self) -> bool:
        return self.claims is not None

    @property
    def redirect_uri(self) -> str:
        return return_address(self.code)

    @property
    def post_logout_redirect_uri(self) -> str:
        return logout_address(self.code)


def registration(code: str) -> Registration | None:
    """The registration at ``franceconnect`` or ``proconnect``; None when this installation has none."""
    if code not in LABELS:
        return None
    prefix = f"PARVIS_{code.upper()}"
    issuer, client_id = getattr(settings, f"{prefix}_ISSUER"), getattr(settings, f"{prefix}_CLIENT_ID")
    secret = getattr(settings, f"{prefix}_CLIENT_SECRET") or _secret_file(f"{code}-client-secret")
    algorithm = getattr(settings, f"{prefix}_ALGORITHM")
    if not (issuer and client_id and secret) or algorithm not in ALGORITHMS:
        return None
    common = {
        "code": code,
        "issuer": issuer.rstrip("/"),
        "client_id": client_id,
        "client_secret": secret,
        "algorithm": algorithm,
        "scopes": tuple(dict.fromkeys(["openid", *getattr(settings, f"{prefix}_SCOPES")])),
    }
    if code == PROCONNECT:
        return Registration(**common, two_factors=settings.PARVIS_PROCONNECT_TWO_FACTORS)
    return Registration(**common, acr=settings.PARVIS_FRANCECONNECT_ACR, decryption_key=decryption_key())


def is_directory(code: str) -> bool:
    """Whether ``code``, as sessions keep it, names a directory."""
    return code.startswith(f"{DIRECTORY}-")


def registrations() -> list[Registration]:
    """What this installation offers, FranceConnect first."""
    return [found for code in LABELS if (found := registration(code)) is not None]


def official_drawing(code: str) -> bytes | None:
    """The drawing of the provider's button that the operator installed (``boutons/<code>.svg``), or None."""
    if registration(code) is None or not settings.PARVIS_REFERENTIALS_DIR:
        return None
    path = Path(settings.PARVIS_REFERENTIALS_DIR) / "boutons" / f"{code}.svg"
    if not path.is_file() or path.stat().st_size > MAX_DRAWING:
        return None
    return path.read_bytes()


def decryption_key() -> DecryptionKey | None:
    """Our private key for FranceConnect+, or None with FranceConnect alone."""
    path = Path(settings.PARVIS_SECRETS_DIR) / "franceconnect-decryption.pem"
    return _read_key(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=4)
def _read_key(path: Path, version: int) -> DecryptionKey:
    content = path.read_bytes()
    parameters: KeyParameters = {"use": "enc"}
    try:
        key: DecryptionKey = RSAKey.import_key(content, parameters)
    except (JoseError, ValueError):
        key = ECKey.import_key(content, parameters)
    key.ensure_kid()
    return key


def _secret_file(name: str) -> str:
    path = Path(settings.PARVIS_SECRETS_DIR) / name
    return path.read_text().strip() if path.is_file() else ""
