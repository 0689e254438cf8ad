"""Answers the questions that the protocol library asks about clients, codes and tokens.

Built on django-allauth's validator; what it leaves out is here: PKCE for all, exact redirect addresses, secrets
that overlap while they rotate, codes and refresh tokens whose replay ends the whole family, assurance in the ID token.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
from allauth.core import context
from allauth.core.internal import httpkit
from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.internal.oauthlib.utils import get_validator_context
from allauth.idp.oidc.models import Client, Token
from oauthlib.common import Request

from parvis.core import clock
from parvis.core.identity.audit import audit
from parvis.core.provider import assertions, grants, keys
from parvis.core.provider.adapter import Adapter, issuer
from parvis.core.provider.claims import claims_for
from parvis.core.provider.models import Grant
from parvis.core.provider.sites import Site, client_named, is_live
from parvis.core.provider.subjects import is_admitted


class Validator(OAuthLibRequestValidator):
    """One per request: what it found (code, grant) serves its later answers."""

    def __init__(self) -> None:
        self.code: Token | None = None
        self.refresh: Token | None = None
        self.grant: Grant | None = None

    # --- clients ----------------------------------------------------------------------------------------------
    def _lookup_client(self, request: Request, client_id: object) -> Client | None:
        known = get_validator_context().clients
        if client_id not in known:
            known[client_id] = client_named(client_id)  # type: ignore[index]
        client = known[client_id]  # type: ignore[index]
        return client if client is not None and is_live(client) else None

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """By one proof and no more (RFC 6749, 2.3): HTTP Basic, a secret in the body, or a signed assertion."""
        if hasattr(request, "client_assertion") or hasattr(request, "client_assertion_type"):
            return self._authenticate_by_key(request)
        client_id, secret = httpkit.extract_basic_auth(request.headers)
        if client_id is None:
            client_id, secret = request.client_id, request.client_secret
        elif request.client_secret or (request.client_id and request.client_id != client_id):
            return False
        if not isinstance(client_id, str) or not isinstance(secret, str) or not secret:
            return False
        client = self._lookup_client(request, client_id)
        if client is None or client.type != Client.Type.CONFIDENTIAL:
            return False
        site = Site.of(client)
        if site.by_key or not site.accepts(secret):
            return False
        self._use_client(request, client)
        request.client_id = client.pk
        return True

    def _authenticate_by_key(self, request: Request) -> bool:
        assertion = getattr(request, "client_assertion", "")
        sender = assertions.sender(assertion)
        if getattr(request, "client_assertion_type", "") != assertions.TYPE or request.client_secret:
            return False
        if "Authorization" in request.headers or (request.client_id or sender) != sender:
            return False
        client = self._lookup_client(request, sender)
        if client is None or client.type != Client.Type.CONFIDENTIAL or not assertions.proves(client, assertion):
            return False
        self._use_client(request, client)
        request.client_id = client.pk
        return True

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return redirect_uri in request.client.get_redirect_uris()

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return True

    # --- codes ------------------------------------------------------------------------------------------------
    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        grants.issue(
            Token.Type.AUTHORIZATION_CODE,
            code["code"],
            request.grant,
            grants.CODE_LIFETIME,
            {
                "redirect_uri": request.redirect_uri,
                "nonce": request.nonce,
                "challenge": request.code_challenge,
                "used": False,
            },
        )

    def validate_code(self, client_id: str, code: str, client: Client, request: Request, *a: Any, **k: Any) -> bool:
        """The code is locked for the time of the exchange, so that of two at once only one gets something."""
        self.code = self._locked(Token.Type.AUTHORIZATION_CODE, code, client)
        if self.code is None:
            return False
        self.grant = Grant.objects.filter(pk=self.code.data["grant"]).first()
        if self.grant is None:
            return False
        if self.code.data["used"]:
            self._fall("oidc.code.replay", "code_rejoue")
            return False
        if not self._alive(self.code, client):
            return False
        request.user, request.scopes = self.code.user, list(self.grant.scopes)
        return True

    def _locked(self, kind: Token.Type, value: str, client: Client) -> Token | None:
        found = Token.objects.by_value(value).filter(type=kind, client=client)
        return found.select_for_update(of=("self",)).select_related("user").first()

    def _alive(self, token: Token, client: Client) -> bool:
        """The person is admitted each time, not only at login: they may have lost their mandate since."""
        in_time = token.expires_at is not None and token.expires_at.timestamp() > time.time()
        going_on = in_time and self.grant is not None and self.grant.ended_at is None
        return going_on and is_live(client) and is_admitted(token.user, Site.of(client))

    def _fall(self, event: str, reason: str) -> None:
        """Somebody holds what they should not: nothing of this family is honoured any more."""
        assert self.grant is not None
        grants.end([self.grant], reason)
        audit(
            event, account=self.grant.account, request=context.request, outcome="failure", client=self.grant.client_id
        )

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Client, request: Request, *a: Any, **k: Any
    ) -> bool:
        return self.code is not None and redirect_uri == self.code.data["redirect_uri"]

    def get_code_challenge(self, code: str, request: Request) -> str | None:
        return self.code.data["challenge"] if self.code else None

    def get_code_challenge_method(self, code: str, request: Request) -> str | None:
        return "S256"

    def get_authorization_code_scopes(
        self, client_id: str, code: str, redirect_uri: str, request: Request
    ) -> list[str]:
        return ["openid"]

    def get_authorization_code_nonce(
        self, client_id: str, code: str, redirect_uri: str, request: Request
    ) -> str | None:
        return self.code.data["nonce"] if self.code else None

    def invalidate_authorization_code(self, client_id: str, code: str, request: Request, *a: Any, **k: Any) -> None:
        assert self.code is not None
        self.code.data["used"] = True
        self.code.save(update_fields=["data"])

    # --- tokens -----------------------------------------------------------------------------------------------
    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        self.refresh = self._locked(Token.Type.REFRESH_TOKEN, refresh_token, client)
        if self.refresh is None:
            return False
        self.grant = Grant.objects.filter(pk=self.refresh.data["grant"]).first()
        if self.grant is None:
            return False
        if self.refresh.data.get("used"):
            self._fall("oidc.refresh.reuse", "jeton_rejoue")
            return False
        if not self._alive(self.refresh, client):
            return False
        request.user = self.refresh.user
        return True

    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        return list(self.grant.scopes) if self.grant else []

    def rotate_refresh_token(self, request: Request) -> bool:
        return True

    def save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        assert self.grant is not None
        access = grants.issue(Token.Type.ACCESS_TOKEN, token["access_token"], self.grant, token["expires_in"])
        if list(request.scopes) != self.grant.scopes:
            access.set_scopes(list(request.scopes))
            access.save(update_fields=["scopes"])
        if self.refresh is not None:
            self.refresh.data["used"] = True
            self.refresh.save(update_fields=["data"])
        if "refresh_token" in token:
            # The family ends when the first of its refresh tokens would have: rotating does not prolong it.
            end = self.refresh.data["until"] if self.refresh else time.time() + Site.of(request.client).refresh_lifetime
            lifetime = max(0, int(end - time.time()))
            grants.issue(Token.Type.REFRESH_TOKEN, token["refresh_token"], self.grant, lifetime, {"until": end})

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Request) -> str:
        """Sign who logged in, how surely, when, and in which session of the site (Core, 2)."""
        assert self.grant is not None
        site = Site.of(request.client)
        id_token.update(
            iss=issuer(),
            sub=self.grant.sub,
            aud=request.client.pk,
            exp=id_token["iat"] + site.id_lifetime,
            jti=uuid.uuid4().hex,
            auth_time=self.grant.auth_time,
            acr=self.grant.acr,
            amr=self.grant.amr,
            sid=self.grant.sid,
        )
        return sign(id_token)

    def validate_bearer_token(self, token: str | None, scopes: list[str], request: Request) -> bool:
        """In the header only: in an address it would end in logs (RFC 9700, 2.2.1)."""
        if not token or request.headers.get("Authorization", "").split(" ")[0].lower() != "bearer":
            return False
        found = Token.objects.by_value(token).filter(type=Token.Type.ACCESS_TOKEN)
        instance = found.select_related("user", "client").first()
        if instance is None or instance.client is None:
            return False
        self.grant = Grant.objects.filter(pk=instance.data["grant"]).first()
        if not self._alive(instance, instance.client) or not set(scopes) <= set(instance.get_scopes()):
            return False
        request.user, request.scopes = instance.user, instance.get_scopes()
        self._use_client(request, instance.client)
        get_validator_context().access_token = instance
        return True

    def get_userinfo_claims(self, request: Request) -> dict[str, Any]:
        """What the person agreed to at this login, less what the registration has given up since."""
        assert self.grant is not None
        site = Site.of(request.client)
        kept = set(self.grant.claims) & set(site.claims)
        role = self.grant.entity
        entity = role if role is not None and role.is_in_force(clock.today()) else None
        return {"sub": self.grant.sub, **claims_for(request.user, site, request.scopes, kept, entity)}

    def revoke_token(self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any) -> None:
        """A site revokes its own tokens; with a refresh token falls the whole family (RFC 7009, 2.1)."""
        kinds = [Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN]
        found = Token.objects.by_value(token).filter(type__in=kinds, client=request.client).first()
        if found is None:
            return
        if found.type == Token.Type.REFRESH_TOKEN:
            grants.end(Grant.objects.filter(pk=found.data["grant"]), "revoquee")
        else:
            found.delete()


def know(client: Client | None) -> None:
    """A site that this request has read already is not read again when it says its name."""
    if client is not None:
        get_validator_context().clients[client.pk] = client


def sign(claims: dict[str, Any], *, kind: str = "JWT") -> str:
    """A JWT in RS256 under the key in force; ``kind`` is its ``typ``."""
    jwk, key = keys.load(Adapter().get_signing_key().pem)
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": jwk["kid"], "typ": kind})
