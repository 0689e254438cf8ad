"""Registration: an address asked for, proved by a link, then an account.

Asking does the same work and gives the same answer whatever accounts exist: only the job that writes the mail looks.
No account row exists before the link is followed. The commune that a person comes from is a preference and a look.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity import addresses, links, profile
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Link
from parvis.core.organisations.models import Organisation

TAKEN: Final = "Un compte existe déjà à cette adresse : connectez-vous."
PER_ADDRESS: Final = 3
PERIOD: Final = timedelta(hours=1)


class AlreadyRegistered(DomainError):
    """The address got an account since the link was sent."""


@transaction.atomic
def ask(email: str, *, commune: Organisation | None, next: str = "", request: HttpRequest | None = None) -> None:
    """Send to the canonical address ``email`` what it takes to register, or to log in if it has an account.

    Beyond three messages an hour to one address nothing is sent; the answer is the same.
    """
    from parvis.core.identity.tasks import send_link  # the tasks import this package

    audit("user.registration.request", request=request)
    lately = Link.objects.filter(email=email, purpose=Link.Purpose.REGISTRATION, created_at__gt=clock.now() - PERIOD)
    if lately.count() < PER_ADDRESS:
        link = links.make(Link.Purpose.REGISTRATION, email, commune=commune, next=next)
        send_link.defer(link=str(link.pk))


@transaction.atomic
def complete(
    token: str,
    *,
    given_names: str,
    family_name: str,
    password: str,
    civility: str = "",
    request: HttpRequest | None = None,
) -> tuple[Account, Link]:
    """Open the account that the link is for. Raises ``LinkRefused``, ``AlreadyRegistered``, ``ValueRefused``."""
    link = links.take(Link.Purpose.REGISTRATION, token)
    account = open_account(
        link.email, given_names, family_name, password=password, civility=civility, email_proved=True,
        commune=link.commune, method="password", request=request,
    )  # fmt: skip
    Link.objects.filter(email=link.email, purpose=link.purpose, used_at=None).update(used_at=clock.now())
    return account, link


@transaction.atomic
def open_account(
    email: str,
    given_names: str | Iterable[str],
    family_name: str,
    *,
    email_proved: bool,
    password: str | None = None,
    civility: str = "",
    commune: Organisation | None = None,
    method: str = "",
    request: HttpRequest | None = None,
) -> Account:
    """A new account of a citizen at a canonical address, without a password when ``password`` is None.

    Raises ``AlreadyRegistered`` when the address has an account, ``ValueRefused`` for a name that is none.
    """
    names = profile.values.first_names(given_names if isinstance(given_names, str) else list(given_names))
    family = profile.values.name(family_name)
    if addresses.account_at(email) is not None:
        raise AlreadyRegistered(TAKEN)
    try:
        with transaction.atomic():
            account = Account.objects.create_user(
                email, password, given_name=names[0], family_name=family, commune=commune,
                population=Account.Population.USAGER,
            )  # fmt: skip
    except IntegrityError:  # somebody was quicker
        raise AlreadyRegistered(TAKEN) from None
    if email_proved:
        addresses.give(account, account.email)
    audit("user.registration", account=account, request=request, method=method)
    declared = {"civilite": civility, "nom_naissance": family, "prenoms": names}
    profile.declare(account, {k: v for k, v in declared.items() if v}, request=request)
    return account
