"""What the SIRET of ProConnect names: an organisation of the platform, or the company of a usager."""

import re
from typing import Final

from django.http import HttpRequest

from parvis.core.entities import services as entities
from parvis.core.federation.client import Identity
from parvis.core.federation.configuration import PROCONNECT
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation
from parvis.core.referentials.sirene import luhn_key_holds, siret_holds

SIRET: Final = re.compile(r"[0-9]{14}")


def organisation_of(identity: Identity) -> Organisation | None:
    """The organisation that the SIRET names: its first nine digits are the SIREN of one legal person."""
    siret = identity.text("siret")
    if not SIRET.fullmatch(siret) or not luhn_key_holds(siret[:9]):
        return None
    return Organisation.objects.filter(siren=siret[:9]).first()


def is_checked(identity: Identity) -> bool:
    """True where somebody else than the person answers that they belong to the establishment."""
    return bool(identity.acr) and "self-asserted" not in identity.acr


def attach(account: Account, identity: Identity, *, request: HttpRequest | None) -> None:
    """Add to the usager ``account`` the company that ProConnect names, or mark as verified the one it declared.

    A company of before stays: somebody may work for two. Nothing is done for a SIRET that is wrong or ours.
    """
    siret = identity.text("siret")
    if identity.provider != PROCONNECT or account.population != Account.Population.USAGER or not siret_holds(siret):
        return
    if organisation_of(identity) is not None:
        return
    entities.told_by_proconnect(
        account,
        siret,
        name=identity.text("organizational_unit"),
        checked=is_checked(identity),
        represents=identity.acr.endswith("/certification-dirigeant"),
        issuer=identity.issuer,
        request=request,
    )
