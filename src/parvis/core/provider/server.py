"""The endpoints of the protocol library, with the two grants offered: authorization code and refresh."""

from __future__ import annotations

import secrets
from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.openid.connect.core.endpoints.userinfo import UserInfoEndpoint
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant

from parvis.core.provider.claims import OFFLINE
from parvis.core.provider.sites import Site
from parvis.core.provider.validator import Validator


def _token(request: Request) -> str:
    return secrets.token_urlsafe(48)


class Tokens(BearerToken):
    """Opaque tokens; a refresh token only where ``offline_access`` was granted (Core, 11)."""

    def create_token(self, request: Request, refresh_token: bool = False, **kwargs: Any) -> Any:
        request.extra_credentials = None
        granted = refresh_token and OFFLINE in self.request_validator.grant.scopes
        return super().create_token(request, refresh_token=granted, **kwargs)


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint, UserInfoEndpoint):
    def __init__(self) -> None:
        validator = Validator()
        code, refresh = AuthorizationCodeGrant(validator), RefreshTokenGrant(validator)
        tokens = Tokens(validator, _token, lambda request: Site.of(request.client).access_lifetime, _token)
        AuthorizationEndpoint.__init__(
            self, default_response_type="code", default_token_type=tokens, response_types={"code": code}
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            default_token_type=tokens,
            grant_types={"authorization_code": code, "refresh_token": refresh},
        )
        RevocationEndpoint.__init__(self, validator)
        UserInfoEndpoint.__init__(self, validator)
