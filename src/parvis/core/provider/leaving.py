"""What the life cycle of an account asks of the provider: the export of its data, its suspension and its end."""

from collections.abc import Iterable
from typing import Any

from allauth.idp.oidc.models import Token
from django.http import HttpRequest

from parvis.core.identity.audit import audit
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


def leave_suspended(account: Account, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """An administration suspended the account: every login on a site ends, and the log names each of these sites."""
    alive = Grant.objects.filter(account=account, ended_at=None).values_list("client_id", flat=True)
    sites = sorted(set(alive))
    logout.end_account(account, "compte_suspendu")
    for client_id in sites:
        audit("manager.user.sso.authorization.deletion", account=account, request=request, client=client_id)


def erase(account: Account) -> int:
    """Forget what the sites were allowed and under which names they knew ``account``; returns how many rows."""
    Token.objects.filter(user=account).delete()
    return sum(model.objects.filter(account=account).delete()[0] for model in (Grant, Consent, Subject))
