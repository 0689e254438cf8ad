"""What the life cycle of an account asks of the provider: the export of its data, and its end."""

from collections.abc import Iterable
from typing import Any

from allauth.idp.oidc.models import Token

from parvis.core.identity.models import Account
from parvis.core.provider import logout, services
from parvis.core.provider.models import Consent, Grant, Subject


def export(account: Account) -> Iterable[dict[str, Any]]:
    """The sites that know ``account``, for its holder."""
    for found in services.consents_of(account):
        yield {
            "service": found.name,
            "organisation": found.organisation,
            "données": list(found.data),
            "accord donné le": found.given_at.isoformat() if found.given_at else "",
            "dernière connexion": found.last_login_at.isoformat() if found.last_login_at else "",
        }


def tell_sites(account: Account, **kwargs: Any) -> None:
    """The account closes: nothing issued for it is honoured any more, and the sites are told."""
    logout.end_account(account)


def erase(account: Account) -> int:
    """Forget what the sites were allowed and under which names they knew ``account``; returns how many rows."""
    Token.objects.filter(user=account).delete()
    return sum(model.objects.filter(account=account).delete()[0] for model in (Grant, Consent, Subject))
