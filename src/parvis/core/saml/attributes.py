"""What a site may be told of a person, under the names that SAML software expects (RFC 4524, eduPerson)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account
from parvis.core.saml.models import SamlSite


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name on the wire, how a person reads it, and its values for an account."""

    code: str
    label: str
    values: Callable[[Account, SamlSite], list[str]]


def _roles(account: Account, site: SamlSite) -> list[str]:
    """Roles held in the organisation of the site, and in no other."""
    return sorted({m.role_code for m in mandates_of(account) if m.organisation_id == site.organisation_id})


ATTRIBUTES = {
    a.code: a
    for a in (
        Attribute("givenName", "Prénom", lambda account, site: [account.given_name]),
        Attribute("sn", "Nom", lambda account, site: [account.family_name]),
        Attribute("displayName", "Nom complet", lambda account, site: [account.full_name]),
        Attribute("mail", "Adresse électronique", lambda account, site: [account.proved_address]),
        Attribute("eduPersonEntitlement", "Rôles dans l’organisation", _roles),
    )
}


def values_for(account: Account, site: SamlSite) -> dict[str, list[str]]:
    """The attributes that ``site`` receives, without the empty ones."""
    found = {code: ATTRIBUTES[code].values(account, site) for code in site.attributes if code in ATTRIBUTES}
    return {code: values for code, values in found.items() if any(values)}


def labels(codes: Iterable[str]) -> list[str]:
    """How a person reads the attributes ``codes``."""
    return [ATTRIBUTES[code].label for code in codes if code in ATTRIBUTES]


def spelled(account: Account, site: SamlSite) -> Iterable[tuple[str, str]]:
    """Label and value of each attribute, for the page that asks for agreement."""
    return [(ATTRIBUTES[code].label, ", ".join(values)) for code, values in values_for(account, site).items()]
