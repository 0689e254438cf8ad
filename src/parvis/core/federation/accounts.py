"""A new citizen's account from a provider: no password, and no address until its holder answers a message.

An address that a provider hands over proves nothing. It is kept apart until its owner answers the message sent there:
whoever it really belongs to can register with it meanwhile, and nobody learns whether it already has an account.
"""

from django.db import transaction
from django.http import HttpRequest

from parvis.core.federation import links as federated
from parvis.core.federation import pivot
from parvis.core.federation.client import Identity
from parvis.core.identity import links
from parvis.core.identity.models import NO_ADDRESS, Account, Link
from parvis.core.identity.registration import open_account
from parvis.core.ids import uuid7


@transaction.atomic
def create(identity: Identity, email: str, given_name: str, family_name: str, *, request: HttpRequest) -> Account:
    """Open the account of whoever this identity is, linked to it. ``email`` is canonical or "".

    Raises LinkRefused when the identity was linked meanwhile, ``ValueRefused`` for a name that is none.
    """
    if federated.account_of(identity) is not None:
        raise federated.LinkRefused("Cette identité vient d’être reliée à un compte. Recommencez la connexion.")
    first_names = pivot.attributes(identity.provider, identity.claims).get("prenoms") or [given_name]
    account = open_account(
        uuid7().hex + NO_ADDRESS,
        first_names,
        family_name,
        email_proved=False,
        method=identity.provider,
        request=request,
    )
    federated.link(account, identity, request=request)
    if email:
        ask_for_proof(account, email)
    return account


def ask_for_proof(account: Account, email: str) -> None:
    """Send to ``email`` the link that makes it the address of ``account``."""
    from parvis.core.identity.tasks import send_link  # the tasks import the whole package

    link = links.make(Link.Purpose.EMAIL, email, account=account)
    send_link.defer(link=str(link.pk))
