"""What sites call: discovery, keys, tokens, userinfo, revocation. The rules are in ``validator`` and ``grants``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc.internal.oauthlib.utils import convert_response, extract_params
from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from parvis.core.identity.access import open_view
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider import assertions, grants, keys
from parvis.core.provider.adapter import Adapter, issuer, token_endpoint
from parvis.core.provider.claims import SCOPES
from parvis.core.provider.server import Server
from parvis.core.provider.validator import know

KEYS_KEPT = 3600
PROOFS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
Answer = tuple[dict[str, str], Any, int]


def _url(name: str) -> str:
    return issuer() + reverse(f"provider:{name}")


@require_safe
@open_view
def configuration(request: HttpRequest) -> HttpResponse:
    """OpenID Connect Discovery 1.0, section 3: what is offered, and nothing that is not."""
    response = JsonResponse(
        {
            "issuer": issuer(),
            "authorization_endpoint": _url("authorize"),
            "token_endpoint": token_endpoint(),
            "userinfo_endpoint": _url("userinfo"),
            "revocation_endpoint": _url("revoke"),
            "end_session_endpoint": _url("logout"),
            "jwks_uri": _url("jwks"),
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "acr_values_supported": ["parvis:1", "eidas1", "parvis:2"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": PROOFS,
            "token_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS),
            "revocation_endpoint_auth_methods_supported": PROOFS,
            "revocation_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "consent"],
            "claim_types_supported": ["normal"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce"]
            + [claim.name for scope in SCOPES.values() for claim in scope.claims],
            "claims_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "ui_locales_supported": ["fr"],
        }
    )
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = f"public, max-age={KEYS_KEPT}"
    return response


@require_safe
@open_view
def jwks(request: HttpRequest) -> HttpResponse:
    """Public keys, the next one included before it signs."""
    adapter = Adapter()
    response = JsonResponse({"keys": [keys.load(k.pem)[0] for k in adapter.list_private_keys(is_active=True)]})
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = f"public, max-age={KEYS_KEPT}, must-revalidate"
    return response


def _twice(*args: Any) -> Answer:
    raise InvalidRequestError(description="A parameter is given twice")


def _readable_by(request: HttpRequest, client: Client | None, response: HttpResponse) -> None:
    """Let the pages of an application without a secret read the answer: those of its own return addresses."""
    response["Vary"] = "Origin"
    if client is None or client.type != Client.Type.PUBLIC:
        return
    own = {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in client.get_redirect_uris()}
    if request.headers.get("Origin") in own:
        response["Access-Control-Allow-Origin"] = request.headers["Origin"]


def _asked_first() -> HttpResponse:
    """To a browser that asks before it calls (Fetch, 3.2): anybody may call, the answer says who may read it."""
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "GET, POST"
    response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response["Access-Control-Max-Age"] = str(KEYS_KEPT)
    return response


def _answer(request: HttpRequest, kinds: tuple[Any, ...], value: str, call: Callable[..., Answer]) -> HttpResponse:
    """Run one call of the protocol library in a transaction that acts for the person whom ``value`` concerns."""
    if any(len(values) > 1 for _, values in request.POST.lists()):
        call = _twice
    assertions.fetch(request.POST.dict())
    handed = next((found for kind in kinds if value and (found := grants.handed(kind, value))), None)
    if handed is not None:
        know(handed.client)
    try:
        with identity_of(handed.user_id) if handed and handed.user_id else transaction.atomic():
            response = convert_response(*call(*extract_params(request)))
    except OAuth2Error as error:
        response = HttpResponse(error.json, status=error.status_code, content_type="application/json")
        for name, content in error.headers.items():
            response[name] = content
    response["Cache-Control"] = "no-store"
    _readable_by(request, handed.client if handed else None, response)
    if response.status_code == 401 and "WWW-Authenticate" not in response:
        response["WWW-Authenticate"] = 'Basic realm="Parvis"'
    return response


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
@open_view
def token(request: HttpRequest) -> HttpResponse:
    """Code or refresh token against tokens (RFC 6749, 4.1.3 and 6). No cookie is read."""
    if request.method == "OPTIONS":
        return _asked_first()
    refreshing = request.POST.get("grant_type") == "refresh_token"
    kind = Token.Type.REFRESH_TOKEN if refreshing else Token.Type.AUTHORIZATION_CODE
    value = request.POST.get("refresh_token" if refreshing else "code", "")
    return _answer(request, (kind,), value, Server().create_token_response)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
@open_view
def userinfo(request: HttpRequest) -> HttpResponse:
    """Claims of the scopes that were granted (Core, 5.3)."""
    if request.method == "OPTIONS":
        return _asked_first()
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    value = value.strip() if scheme.lower() == "bearer" else ""
    return _answer(request, (Token.Type.ACCESS_TOKEN,), value, Server().create_userinfo_response)


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
@open_view
def revoke(request: HttpRequest) -> HttpResponse:
    """RFC 7009."""
    if request.method == "OPTIONS":
        return _asked_first()
    kinds = (Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN)
    return _answer(request, kinds, request.POST.get("token", ""), Server().create_revocation_response)
