"""What a provider says of itself (OpenID Connect Discovery 1.0) and its keys, kept an hour for every process."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from parvis.core.federation.outgoing import Line, Silent, origin_of

KEPT: Final = 3600
REFETCH_GAP: Final = 60
SILENT: Final = 5
"""Seconds during which a provider that did not answer is not called again: each call would hold a worker."""
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint")


@dataclass(frozen=True)
class Metadata:
    """Addresses of one provider, all under the origin of its issuer."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str
    pkce: bool


def metadata(issuer: str, line: Line) -> Metadata:
    """The provider's addresses. Raises Silent when they cannot be had or lead elsewhere."""
    key = _key("discovery", issuer)
    told = cache.get(key)
    if told is not None:
        return _checked(issuer, told)
    if cache.get(_key("silent", issuer)):
        raise Silent(issuer=issuer, cause="silent a moment ago")
    try:
        told = line.get_json(f"{issuer}/.well-known/openid-configuration")
        read = _checked(issuer, told)
    except Silent:
        cache.set(_key("silent", issuer), True, SILENT)
        raise
    cache.set(key, told, KEPT)
    return read


def _checked(issuer: str, told: dict[str, Any]) -> Metadata:
    if told.get("issuer") != issuer:
        raise Silent(issuer=issuer, cause="the discovery document names another issuer")
    for name in ENDPOINTS:
        if not isinstance(told.get(name), str) or origin_of(told[name]) != origin_of(issuer):
            raise Silent(issuer=issuer, cause=f"{name} is missing or leads elsewhere")
    methods = told.get("code_challenge_methods_supported") or []
    return Metadata(issuer=issuer, pkce="S256" in methods, **{name: told[name] for name in ENDPOINTS})


def signing_key(facts: Metadata, kid: str, line: Line) -> ECKey | RSAKey | None:
    """The published key named ``kid``, or None.

    Keys are fetched anew once when ``kid`` is unknown, and not again within a minute whatever the number of
    unknown names: a stranger must not make Parvis call the provider at will.
    """
    key = _key("jwks", facts.issuer)
    kept = cache.get(key)
    if kept is not None:
        found = _named(kept, kid)
        if found is not None or not cache.add(_key("refetched", facts.issuer), True, REFETCH_GAP):
            return found
    keys = line.get_json(facts.jwks_uri).get("keys")
    if not isinstance(keys, list):
        raise Silent(issuer=facts.issuer, cause="no keys")
    cache.set(key, keys, KEPT)
    return _named(keys, kid)


def _named(keys: list[dict[str, Any]], kid: str) -> ECKey | RSAKey | None:
    for one in keys:
        if isinstance(one, dict) and one.get("kid") == kid and one.get("use", "sig") == "sig" and "d" not in one:
            try:
                read = KeySet.import_key_set({"keys": [one]}).keys[0]
            except (JoseError, ValueError, TypeError, KeyError):
                return None
            return read if isinstance(read, ECKey | RSAKey) else None
    return None


def _key(kind: str, issuer: str) -> str:
    return f"federation.{kind}.{hashlib.sha256(issuer.encode()).hexdigest()[:32]}"
