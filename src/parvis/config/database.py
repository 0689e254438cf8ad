"""Reads a PostgreSQL address (``postgresql://role:password@host/name?host=/socket``) into Django's settings."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def from_url(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for ``url``; ValueError when it is not a PostgreSQL address."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("DATABASE_URL must begin with postgresql://")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # Statements are planned once per connection: under row security, planning costs more than running.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 2, **query},
    }
