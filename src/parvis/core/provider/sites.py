"""What the endpoints know of a site: the approved registration, read from the library's client."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from allauth.idp.oidc.models import Client


@dataclass(frozen=True)
class Site:
    """The registration in force.

    Lifetimes are in seconds; ``secrets`` are digests with their last second; ``logo`` is « digest.extension ».
    """

    organisation: int
    service: str
    sector: str
    live: bool = False
    own: bool = False
    agreement: str = "demander"
    acr: str = ""
    claims: tuple[str, ...] = ()
    populations: tuple[str, ...] = ()
    members_only: bool = False
    roles: tuple[str, ...] = ()
    home: str = ""
    logo: str = ""
    backchannel: str = ""
    access_lifetime: int = 300
    id_lifetime: int = 300
    refresh_lifetime: int = 28800
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    secrets: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, client: Client) -> Site:
        """The registration that ``client`` carries. Raises KeyError for a client that Parvis did not make."""
        facts = client.data["site"].items()
        data: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts}
        return cls(**data)

    def kept(self, scopes: Iterable[str]) -> list[str]:
        """The claims that this site takes of ``scopes``, by the keys of ``claims.choices``."""
        wanted = set(scopes)
        return [key for key in self.claims if key.partition(".")[0] in wanted]

    @property
    def by_key(self) -> bool:
        """True when the site proves itself by a key, and by no secret."""
        return bool(self.jwks or self.jwks_uri)

    def accepts(self, secret: str) -> bool:
        """True when ``secret`` is one of those in force."""
        given = digest(secret)
        now = time.time()
        good = [hmac.compare_digest(given, s["sha256"]) for s in self.secrets if s["until"] is None or s["until"] > now]
        return any(good)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal: enough for a random secret of 256 bits, and as quick as an exchange needs."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


def is_live(client: Client) -> bool:
    """True for a client that Parvis made, approved and did not suspend."""
    return bool(client.data and client.data.get("site", {}).get("live"))


def client_named(identifier: object) -> Client | None:
    """The live site that says it is ``identifier``; None without a query for what could not be one."""
    if not isinstance(identifier, str) or not 0 < len(identifier) <= 100:
        return None
    if not (identifier.isascii() and identifier.isprintable()):
        return None
    client = Client.objects.filter(pk=identifier).first()
    return client if client is not None and is_live(client) else None
