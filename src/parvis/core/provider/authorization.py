"""Reading an authorization request (OpenID Connect Core, 3.1.2.1; RFC 7636; RFC 9207; RFC 9700).

What the protocol library does not read is read here: ``prompt``, ``max_age``, ``acr_values``, ``claims``. A request
from an unknown site, or towards an address that the site did not register, is never redirected anywhere.
"""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jwt
from allauth.idp.oidc.internal.tokens import decode_jwt_token
from allauth.idp.oidc.models import Client
from django.core import signing
from django.http import QueryDict

from parvis.core.authentication.assurance import LEVELS
from parvis.core.errors import DomainError
from parvis.core.provider.adapter import issuer
from parvis.core.provider.sites import Site, client_named

PROMPTS = frozenset({"none", "login", "consent"})
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_PARAMETER = 4096
RESUMED_SALT = "provider.authorization"
RESUMED_FOR = 3600


class Unanswerable(DomainError):
    """Nothing proves where the answer should go: a page says so, and nobody is redirected."""


class Refusal(Exception):
    """The site is told why by a redirection. ``description`` is ASCII, for its developer."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error, self.description = error, description


@dataclass(frozen=True)
class Destination:
    """Where answers go: known to be an address of the site."""

    client: Client
    redirect_uri: str
    state: str | None

    @property
    def site(self) -> Site:
        return Site.of(self.client)

    def answer(self, **parameters: str | None) -> str:
        """The address of the site with these parameters, ``state`` and ``iss`` (RFC 9207)."""
        added = {**parameters, "state": self.state, "iss": issuer()}
        parts = urlsplit(self.redirect_uri)
        query = parse_qsl(parts.query, keep_blank_values=True) + [(k, v) for k, v in added.items() if v is not None]
        return urlunsplit(parts._replace(query=urlencode(query)))

    def refuse(self, refusal: Refusal) -> str:
        return self.answer(error=refusal.error, error_description=refusal.description)


@dataclass(frozen=True)
class Asked:
    """A request that may be answered. ``started`` is when it first arrived, in seconds since 1970."""

    to: Destination
    scopes: tuple[str, ...]
    nonce: str | None
    challenge: str
    prompts: frozenset[str]
    max_age: int | None
    levels: tuple[str, ...]
    level_is_essential: bool
    sub: str | None
    started: float
    tried: bool
    parameters: Mapping[str, str]

    @property
    def known_levels(self) -> list[str]:
        """The levels asked for that Parvis announces, in the order of preference of the site."""
        return [level for level in self.levels if level and level in LEVELS]

    def resumed(self, *, tried: bool = False) -> str:
        """What lets the request go on after a detour by the login or step-up pages."""
        kept = {"parameters": dict(self.parameters), "started": self.started, "tried": tried or self.tried}
        return signing.dumps(kept, salt=RESUMED_SALT, compress=True)


def destination(parameters: QueryDict | Mapping[str, str]) -> Destination:
    """Raises Unanswerable unless a known site asks for the answer at one of its own addresses, to the letter."""
    lists = parameters.lists() if isinstance(parameters, QueryDict) else ((k, [v]) for k, v in parameters.items())
    for name, values in lists:
        if name in ("client_id", "redirect_uri", "state") and len(values) != 1:
            raise Unanswerable("La demande de connexion est mal formée : un paramètre y figure deux fois.")
    identifier, redirect_uri = parameters.get("client_id", ""), parameters.get("redirect_uri", "")
    client = client_named(identifier)
    if client is None:
        raise Unanswerable("Le site qui vous envoie n’est pas connu de la plateforme, ou n’y est plus relié.")
    if redirect_uri not in client.get_redirect_uris():
        raise Unanswerable("L’adresse à laquelle ce site veut vous renvoyer n’est pas l’une des siennes.")
    state = parameters.get("state")
    return Destination(client, redirect_uri, state)


def resume(token: str) -> tuple[dict[str, str], float, bool]:
    """Parameters, first arrival and whether a step-up was tried. Raises Unanswerable when too old or not ours."""
    try:
        kept = signing.loads(token, salt=RESUMED_SALT, max_age=RESUMED_FOR)
    except signing.BadSignature as error:
        raise Unanswerable("Cette demande de connexion a expiré. Revenez au site et recommencez.") from error
    return kept["parameters"], kept["started"], kept["tried"]


def entrance(path: str, query: QueryDict) -> dict[str, int] | None:
    """The organisation of the site to which a login leads back, for the look of the page (``branding.entrance``)."""
    if "reprise" not in query:
        return None
    try:
        return {"pk": destination(resume(str(query["reprise"]))[0]).site.organisation}
    except Unanswerable:
        return None


def read(
    to: Destination, parameters: QueryDict | Mapping[str, str], *, started: float | None = None, tried: bool = False
) -> Asked:
    """The request addressed to ``to``. Raises Refusal."""
    if isinstance(parameters, QueryDict):
        for _, values in parameters.lists():
            if len(values) != 1:
                raise Refusal("invalid_request", "A parameter is given twice")
    given = {k: str(v) for k, v in parameters.items() if v}
    if any(len(value) > MAX_PARAMETER for value in given.values()):
        raise Refusal("invalid_request", "A parameter is too long")
    if any(unicodedata.category(c) in ("Cc", "Cs") for value in given.values() for c in value):
        raise Refusal("invalid_request", "A parameter holds a control character")
    for name, error in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported"),
                        ("registration", "registration_not_supported")):  # fmt: skip
        if name in given:
            raise Refusal(error, f"{name} is not supported")
    if "response_type" not in given:
        raise Refusal("invalid_request", "response_type is missing")
    if given["response_type"] != "code":
        raise Refusal("unsupported_response_type", "Only response_type=code is offered")
    if given.get("response_mode", "query") != "query":
        raise Refusal("invalid_request", "Only response_mode=query is offered")
    scopes = tuple(dict.fromkeys(given.get("scope", "").split()))
    if "openid" not in scopes or not set(scopes) <= set(to.client.get_scopes()):
        raise Refusal("invalid_scope", "openid is missing, or a scope was not granted to this client")
    _check_pkce(given)
    if to.site.own and not ("state" in given and "nonce" in given):
        raise Refusal("invalid_request", "state and nonce are required")
    levels, essential, sub = _wanted(to, given)
    return Asked(
        to=to,
        scopes=scopes,
        nonce=given.get("nonce"),
        challenge=given["code_challenge"],
        prompts=_prompts(given),
        max_age=_max_age(given),
        levels=levels,
        level_is_essential=essential,
        sub=sub,
        started=time.time() if started is None else started,
        tried=tried,
        parameters=given,
    )


def _check_pkce(given: Mapping[str, str]) -> None:
    if "code_challenge" not in given:
        raise Refusal("invalid_request", "code_challenge is required (RFC 7636)")
    if given.get("code_challenge_method") != "S256":
        raise Refusal("invalid_request", "Only code_challenge_method=S256 is accepted")
    if not CHALLENGE.fullmatch(given["code_challenge"]):
        raise Refusal("invalid_request", "code_challenge is not the SHA-256 of a verifier")


def _prompts(given: Mapping[str, str]) -> frozenset[str]:
    prompts = frozenset(given.get("prompt", "").split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise Refusal("invalid_request", "prompt is none, login, consent, or login consent")
    return prompts


def _max_age(given: Mapping[str, str]) -> int | None:
    if "max_age" not in given:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", given["max_age"]):
        raise Refusal("invalid_request", "max_age is a number of seconds")
    return int(given["max_age"])


def hinted(token: str, client_id: str | None = None) -> dict[str, Any] | None:
    """The claims of an ID token of ours, even expired; nothing else that we sign is one (RFC 8725, 3.11)."""
    claims = decode_jwt_token(token, client_id=client_id, verify_exp=False, verify_iss=True)
    return claims if claims is not None and jwt.get_unverified_header(token).get("typ") == "JWT" else None


def _wanted(to: Destination, given: Mapping[str, str]) -> tuple[tuple[str, ...], bool, str | None]:
    """Levels asked for (any of them), whether one is essential, and the subject that must answer."""
    sub = None
    if "id_token_hint" in given:
        hint = hinted(given["id_token_hint"], to.client.pk)
        if hint is None:
            raise Refusal("invalid_request", "id_token_hint was not issued to this client")
        sub = hint["sub"]
    claims = _claims(given).get("id_token") or {}
    if isinstance(claims.get("sub"), dict) and "value" in claims["sub"]:
        sub = str(claims["sub"]["value"])
    levels, essential = tuple(given.get("acr_values", "").split()), False
    acr = claims.get("acr")
    if isinstance(acr, dict):
        values = acr["values"] if isinstance(acr.get("values"), list) else [acr["value"]] if "value" in acr else []
        if values:
            levels, essential = tuple(str(v) for v in values), acr.get("essential") is True
    if to.site.acr:  # what the registration demands, nobody may lower
        levels, essential = (to.site.acr,), True
    return levels, essential, sub


def _claims(given: Mapping[str, str]) -> dict[str, Any]:
    try:
        claims = json.loads(given.get("claims", "{}"))
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_request", "claims is not JSON") from error
    if not isinstance(claims, dict) or not isinstance(claims.get("id_token") or {}, dict):
        raise Refusal("invalid_request", "claims is not an object of objects")
    return claims
