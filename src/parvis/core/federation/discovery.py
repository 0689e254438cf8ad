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
OF_A_DIRECTORY: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
"""What a directory must announce; it may have no logout, and its userinfo, which it does not sign, is not read."""
ENDPOINTS: Final = (*OF_A_DIRECTORY, "userinfo_endpoint", "end_session_endpoint")


@dataclass(frozen=True)
class Metadata:
    """Addresses of one provider, all under the origin of its issuer; "" for what a directory lacks.

    ``names_itself``: it promises to give its issuer with each answer (RFC 9207).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str
    pkce: bool
    names_itself: bool = True


def metadata(issuer: str, line: Line, needed: tuple[str, ...] = ENDPOINTS) -> Metadata:
    """The provider's addresses, ``needed`` ones at least. Raises Silent when they cannot be had or lead elsewhere."""
    key = _key("discovery", issuer)
    told = cache.get(key)
    if told is not None:
        return checked(issuer, told, needed)
    if cache.get(_key("silent", issuer)):
        raise Silent(issuer=issuer, cause="silent a moment ago")
    try:
        told = line.get_json(address(issuer))
        read = checked(issuer, told, needed)
    except Silent:
        cache.set(_key("silent", issuer), True, SILENT)
        raise
    cache.set(key, told, KEPT)
    return read


def address(issuer: str) -> str:
    """Where the provider describes itself."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def checked(issuer: str, told: dict[str, Any], needed: tuple[str, ...]) -> Metadata:
    """What the description ``told`` says, once it is that of ``issuer`` and leads nowhere else. Raises Silent."""
    if told.get("issuer") != issuer:
        raise Silent(issuer=issuer, cause="the discovery document names another issuer")
    for name in needed:
        if not _within(issuer, told.get(name)):
            raise Silent(issuer=issuer, cause=f"{name} is missing or leads elsewhere", name=name)
    methods = told.get("code_challenge_methods_supported") or []
    return Metadata(
        issuer=issuer,
        pkce="S256" in methods,
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        **{name: told[name] if _within(issuer, told.get(name)) else "" for name in ENDPOINTS},
    )


def _within(issuer: str, told: object) -> bool:
    try:
        return isinstance(told, str) and origin_of(told) == origin_of(issuer)
    except (Silent, ValueError):
        return False


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
