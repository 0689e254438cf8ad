"""Sites that prove who they are by a key of theirs (OpenID Connect Core, 9: ``private_key_jwt``; RFC 7523, 3).

The protocol library knows secrets only. An assertion is signed with an algorithm of ours by a key that the
registration names, is addressed to us alone, lives five minutes at most and serves once.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from allauth.idp.oidc.models import Client
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from parvis.core.errors import DomainError
from parvis.core.provider.adapter import issuer, token_endpoint
from parvis.core.provider.models import AssertionUse
from parvis.core.provider.outgoing import Unreachable, get_json
from parvis.core.provider.sites import Site, client_named

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final[Mapping[str, type[RSAKey] | type[ECKey]]] = {"RS256": RSAKey, "PS256": RSAKey, "ES256": ECKey}
LIFETIME, LEEWAY, MAX_LENGTH, MAX_NAME = 300, 60, 8192, 255
MAX_KEYS, MAX_ANSWER = 10, 64 * 1024
MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
KEPT, REFETCH_GAP, SILENT_GAP = 3600, 60, 5


class KeysRefused(DomainError):
    """A key set that nothing can be verified with, or that holds what must stay secret."""


def public_keys(given: object) -> dict[str, Any]:
    """The key set (RFC 7517, 5) with nothing but what verifies. Raises KeysRefused."""
    keys = given.get("keys") if isinstance(given, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise KeysRefused('Les clés s’écrivent en JSON sous la forme {"keys": [\u2026]}, dix au plus.')
    found = [_public_key(one) for one in keys]
    if len({key["kid"] for key in found}) != len(found):
        raise KeysRefused("Deux clés portent le même nom « kid ».")
    return {"keys": found}


def _public_key(given: object) -> dict[str, str]:
    kid = given.get("kid") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(kid, str) or not 0 < len(kid) <= MAX_NAME:
        raise KeysRefused("Chaque clé porte un nom « kid », que l’assertion répète.")
    said = f"La clé « {kid[:60]} »"
    if {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(given):
        raise KeysRefused(f"{said} contient sa partie privée : ne donnez que la partie publique, et changez-en.")
    if given.get("use", "sig") != "sig" or given.get("alg", "") not in ("", *ALGORITHMS):
        raise KeysRefused(f"{said} n’est pas faite pour signer avec {', '.join(ALGORITHMS)}.")
    members = MEMBERS.get(str(given.get("kty")))
    if members is None:
        raise KeysRefused(f"{said} n’est ni RSA ni sur la courbe P-256.")
    kept = {"kty": given["kty"], "kid": kid, "use": "sig", **{m: given[m] for m in members if m in given}}
    kept |= {"alg": given["alg"]} if given.get("alg") else {}
    key = _imported(kept)
    if key is None or (kept.get("alg") and not isinstance(key, ALGORITHMS[kept["alg"]])):
        raise KeysRefused(f"{said} est mal formée.")
    if isinstance(key, ECKey) and key.curve_name != "P-256":
        raise KeysRefused(f"{said} n’est ni RSA ni sur la courbe P-256.")
    if isinstance(key, RSAKey) and not 2048 <= key.public_key.key_size <= 8192:
        raise KeysRefused(f"{said} compte {key.public_key.key_size} bits : il en faut de 2048 à 8192.")
    return kept


def _imported(kept: Mapping[str, Any]) -> RSAKey | ECKey | None:
    """The key, its numbers checked (a point on its curve); None for what is not one."""
    values: dict[str, Any] = {name: value for name, value in kept.items() if name not in ("use", "alg", "kid")}
    try:
        key = RSAKey.import_key(values) if kept["kty"] == "RSA" else ECKey.import_key(values)
        key.public_key  # noqa: B018  reading it checks it
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return key


# --- keys that a site publishes ---------------------------------------------------------------------------------
def fetch(fields: Mapping[str, str]) -> None:
    """Have the published keys of the site that sends ``fields`` at hand, before any transaction is opened.

    They are kept an hour, and fetched anew for an unknown name at most once a minute: a stranger must not make us
    call the site at will.
    """
    header, claims = _parts(fields.get("client_assertion", ""))
    client, kid = client_named(claims.get("iss")), header.get("kid")
    address = Site.of(client).jwks_uri if client is not None and isinstance(kid, str) else ""
    kept = cache.get(_name("jwks", address)) if address else None
    if not address or _named(kept, str(kid)) is not None or not cache.add(_name("asked", address), True, REFETCH_GAP):
        return
    try:
        keys = public_keys(_usable(get_json(address, MAX_ANSWER)))
    except (Unreachable, KeysRefused):
        cache.set(_name("asked", address), True, SILENT_GAP)
        return
    cache.set(_name("jwks", address), keys, KEPT)


def _usable(told: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that serve other purposes, which a published set may hold as well."""
    keys = told.get("keys")
    signing = (
        [k for k in keys if isinstance(k, dict) and k.get("use", "sig") == "sig"] if isinstance(keys, list) else []
    )
    return {"keys": [k for k in signing if str(k.get("kty")) in MEMBERS and str(k.get("alg", "RS256")) in ALGORITHMS]}


def _named(keys: dict[str, Any] | None, kid: str) -> dict[str, str] | None:
    return next((key for key in (keys or {}).get("keys", []) if key["kid"] == kid), None)


def _name(kind: str, address: str) -> str:
    return f"provider.{kind}.{hashlib.sha256(address.encode()).hexdigest()}"


# --- assertions ---------------------------------------------------------------------------------------------------
def sender(assertion: str) -> str:
    """Whom an assertion claims to come from; empty when it says nobody."""
    claimed = _parts(assertion)[1].get("iss")
    return claimed if isinstance(claimed, str) else ""


def proves(client: Client, assertion: str) -> bool:
    """True when ``assertion`` was made by ``client`` for this provider; it then serves no more."""
    site = Site.of(client)
    header, _ = _parts(assertion)
    algorithm, kid = str(header.get("alg")), header.get("kid")
    if algorithm not in ALGORITHMS or not isinstance(kid, str) or "crit" in header:
        return False
    kept = _named(site.jwks or (cache.get(_name("jwks", site.jwks_uri)) if site.jwks_uri else None), kid)
    key = _imported(kept) if kept is not None else None
    if kept is None or not isinstance(key, ALGORITHMS[algorithm]) or kept.get("alg", algorithm) != algorithm:
        return False
    try:
        claims = json.loads(jws.deserialize_compact(assertion, key, algorithms=[algorithm]).payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return False
    return isinstance(claims, dict) and _is_for_us(claims, client.pk) and _serves_first(client, claims)


def _is_for_us(claims: Mapping[str, Any], client_id: str) -> bool:
    audience = claims.get("aud")
    audience = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return False
    if not isinstance(audience, str) or audience not in (issuer(), token_endpoint()):
        return False
    now = time.time()
    instants = [claims.get("exp"), claims.get("iat", now), claims.get("nbf", now)]
    if any(isinstance(at, bool) or not isinstance(at, int | float) for at in instants):
        return False
    expires, *begun = instants
    return now - LEEWAY < expires <= now + LIFETIME + LEEWAY and all(at <= now + LEEWAY for at in begun)


def _serves_first(client: Client, claims: Mapping[str, Any]) -> bool:
    """Note the ``jti``; False when the site already used it, or gives none."""
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_NAME:
        return False
    until = datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC)
    try:
        with transaction.atomic():
            AssertionUse.objects.create(client=client, jti=hashlib.sha256(jti.encode()).hexdigest(), until=until)
    except IntegrityError:
        return False
    return True


def purge() -> int:
    """Forget the assertions that would be refused by their date; returns how many."""
    return AssertionUse.objects.filter(until__lt=timezone.now()).delete()[0]


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they are written, which prove nothing yet; empty for what is not a signed token."""
    pieces = assertion.split(".")
    if len(pieces) != 3 or len(assertion) > MAX_LENGTH:
        return {}, {}
    try:
        header, claims = (json.loads(urlsafe_b64decode(piece.encode("ascii"))) for piece in pieces[:2])
    except (ValueError, RecursionError):
        return {}, {}
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else ({}, {})
