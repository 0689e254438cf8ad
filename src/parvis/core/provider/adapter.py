"""How the library's provider behaves here: fixed issuer, pairwise subjects, minimal claims, keys of the folder."""

from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.internal.private_keys import filter_keys
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings
from django.urls import reverse

from parvis.core.provider import keys, subjects
from parvis.core.provider.sites import Site


def issuer() -> str:
    """The name of the provider: fixed by the installation, whatever host a request claims to have reached."""
    return str(settings.BASE_URL).rstrip("/")


def token_endpoint() -> str:
    """Where codes are exchanged: with the issuer, the only audience of what sites sign for us."""
    return issuer() + reverse("provider:token")


class Adapter(DefaultOIDCAdapter):
    def get_issuer(self) -> str:
        return issuer()

    def get_user_sub(self, client: Client, user: Any) -> str:
        site = Site.of(client)
        return subjects.subject_of(user, site.organisation, site.sector)

    def get_user_by_sub(self, client: Client, sub: str) -> Any:
        site = Site.of(client)
        return subjects.account_of(site.organisation, site.sector, sub)

    def get_claims(
        self, purpose: Any, user: Any, client: Client, scopes: Any, email: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The name of the person and no more: what they are is read at the userinfo endpoint (``Validator``)."""
        return {"sub": self.get_user_sub(client, user)}

    def list_private_keys(self, *, did_activate: Any = None, is_active: Any = None) -> list[PrivateKey]:
        return filter_keys(list(keys.all_keys()), did_activate=did_activate, is_active=is_active)
