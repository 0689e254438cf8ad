"""Keys that sign what the provider says: kept in the secrets folder, several at a time, each with its window.

A new key is published before it signs and an old one stays published after, so that no site ever meets a
signature whose key it could not have fetched (OpenID Connect Core, 10.1.1).
"""

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import fasteners
from allauth.core.internal import jwkkit
from allauth.idp.oidc.models import PrivateKey
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from parvis.core.secretfiles import write_secret

BITS = 3072
PUBLISHED_BEFORE = timedelta(hours=2)
"""How long a new key is published before it signs: sites keep the key set for an hour."""
PUBLISHED_AFTER = timedelta(hours=24)
"""How long a replaced key stays published: longer than any token that it signed."""


def folder() -> Path:
    """Where the keys are; made readable by the platform alone."""
    path = Path(settings.PARVIS_SECRETS_DIR) / "oidc"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _now() -> datetime:
    return datetime.now(UTC)  # real time, even in a demo: sites elsewhere check these windows with their own clock


def _lock() -> fasteners.InterProcessLock:
    return fasteners.InterProcessLock(str(folder() / ".lock"))


def _make(not_before: datetime) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    kid = load(pem)[0]["kid"]
    facts = {"pem": pem, "issued_at": _now().isoformat(), "not_before": not_before.isoformat(), "expires_at": None}
    write_secret(folder() / f"{kid}.json", json.dumps(facts).encode())
    return str(kid)


@lru_cache(maxsize=64)
def load(pem: str) -> tuple[dict[str, str], RSAPrivateKey]:
    """Public JWK (with its ``kid``) and private key of a PEM, parsed once: parsing costs more than signing."""
    jwk, key = jwkkit.load_jwk_from_pem(pem)
    return {**jwk, "use": "sig", "alg": "RS256"}, key


@lru_cache(maxsize=4)
def _read(paths: tuple[tuple[str, int], ...]) -> tuple[PrivateKey, ...]:
    keys = []
    for path, _ in paths:
        facts = json.loads(Path(path).read_text())
        moments = {
            name: datetime.fromisoformat(facts[name]) if facts[name] else None
            for name in ("issued_at", "not_before", "expires_at")
        }
        keys.append(PrivateKey(pem=facts["pem"], **moments))
    return tuple(keys)


def all_keys() -> tuple[PrivateKey, ...]:
    """Every key of the folder; an installation without any gets its first one."""
    listing = _listing()
    if not listing:
        with _lock():
            if not _listing():
                _make(_now())
        listing = _listing()
    return _read(listing)


def _listing() -> tuple[tuple[str, int], ...]:
    return tuple((str(p), p.stat().st_mtime_ns) for p in sorted(folder().glob("*.json")))


def rotate(*, at_once: bool = False) -> str:
    """Publish a new key that takes over after ``PUBLISHED_BEFORE``; give its predecessors an end; returns its kid.

    ``at_once`` (a key may have leaked) makes the new key sign now and withdraws the others now.
    """
    all_keys()
    with _lock():
        takes_over = _now() if at_once else _now() + PUBLISHED_BEFORE
        kid = _make(takes_over)
        for path in folder().glob("*.json"):
            facts = json.loads(path.read_text())
            if path.stem == kid or (facts["expires_at"] and not at_once):
                continue
            end = takes_over if at_once else takes_over + PUBLISHED_AFTER
            facts["expires_at"] = end.isoformat()
            write_secret(path, json.dumps(facts).encode())
    return kid


def purge() -> int:
    """Delete the keys whose window is over; returns how many."""
    gone = 0
    with _lock():
        for path in folder().glob("*.json"):
            end = json.loads(path.read_text())["expires_at"]
            if end and datetime.fromisoformat(end) <= _now():
                path.unlink()
                gone += 1
    return gone
