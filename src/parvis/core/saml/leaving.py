"""What a person leaves behind on SAML sites: the sessions open there at a logout, the agreements given, the end of an
account."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from parvis.core.authentication.departures import Departure
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider.services import LinkedService
from parvis.core.saml.attributes import labels
from parvis.core.saml.models import SamlConsent, SamlSite

VISITED = "saml.visited"
"""Session key: under the identifier of each site logged in to, its organisation and the subject that it was told."""


def note_visit(request: HttpRequest, site: SamlSite, subject: str) -> None:
    """Remember that this session opened one on ``site``, under ``subject``."""
    visited: dict[str, Any] = request.session.get(VISITED, {})
    request.session[VISITED] = visited | {str(site.pk): {"organisation": site.organisation_id, "subject": subject}}


def forget_visit(request: HttpRequest, site: SamlSite) -> None:
    """``site`` has ended its own session."""
    visited: dict[str, Any] = request.session.get(VISITED, {})
    request.session[VISITED] = {pk: kept for pk, kept in visited.items() if pk != str(site.pk)}


def code_of(entity_id: str, asked: str) -> str:
    """What tells the step of a site from the others: the request that it alone was sent."""
    return f"{entity_id} {asked}"


def departures(request: HttpRequest) -> list[Departure]:
    """One step for each site that this session logged in to: through the browser where the site can be asked."""
    return [
        step
        for pk, visit in request.session.get(VISITED, {}).items()
        if (step := _departure(pk, visit["organisation"], visit["subject"]))
    ]


def _departure(pk: str, organisation: int, subject: str) -> Departure | None:
    with acting_for(organisation):
        site = SamlSite.objects.filter(pk=pk).first()
    if site is None:
        return None
    from parvis.core.saml import messages  # reads the library's schemas, which takes a second

    asked = address = ""
    if site.state == SamlSite.State.LIVE and messages.available():
        with suppress(DomainError):  # its description has expired
            asked, address = messages.logout_request(site, subject)
    return Departure(code_of(site.entity_id, asked), site.name, "browser" if address else "failed", address)


# --- agreements -----------------------------------------------------------------------------------------------
def linked_to(account: Account) -> list[LinkedService]:
    """The SAML sites that ``account`` agreed to, for « Services reliés »; one out of service has no name any more."""
    with identity_of(account.pk):
        consents = list(SamlConsent.objects.filter(account=account))
        reading = SamlSite.objects.select_related("organisation").filter(pk__in=[c.site_id for c in consents])
        sites = {site.pk: site for site in reading}
    found = []
    for consent in consents:
        site = sites.get(consent.site_id)
        found.append(
            LinkedService(
                client_id=str(consent.site_id),
                name=site.name if site else "Service qui n’est plus en service",
                home="",
                organisation=site.organisation.short_name if site else "",
                data=tuple(labels(consent.attributes)) or ("un identifiant propre au service",),
                given_at=consent.given_at,
                last_login_at=None,
                withdrawal=reverse("saml:withdraw", args=[consent.site_id]),
            )
        )
    return found


def withdraw(account: Account, site_id: UUID) -> int:
    """Take back the agreement of ``account`` to a site, which must ask again; returns how many there were."""
    with identity_of(account.pk):
        return SamlConsent.objects.filter(account=account, site_id=site_id).delete()[0]


def export(account: Account) -> Iterable[dict[str, Any]]:
    """The agreements of ``account``, for its holder."""
    for found in linked_to(account):
        yield {
            "service": found.name,
            "organisation": found.organisation,
            "données": list(found.data),
            "accord donné le": found.given_at.isoformat() if found.given_at else "",
        }


def erase(account: Account) -> int:
    """Forget what SAML sites were allowed to know of ``account``."""
    return SamlConsent.objects.filter(account=account).delete()[0]
