"""Registering sites, putting them in service, and knowing people's agreement."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import mandates_of
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.saml import metadata
from parvis.core.saml.models import SamlConsent, SamlSite


class SiteRefused(DomainError):
    """The site cannot be registered as asked."""


def register(organisation: Organisation, content: bytes, values: dict[str, Any], *, actor: Actor) -> SamlSite:
    """Propose a site from its metadata. Raises ``MetadataRefused`` and ``SiteRefused``."""
    described = metadata.read(content, now=datetime.now(UTC), local=settings.DEMO)
    site = SamlSite(organisation=organisation, entity_id=described.entity_id, metadata=content.decode(), **values)
    try:
        with transaction.atomic():
            site.save(force_insert=True)
    except IntegrityError as error:
        raise SiteRefused(
            "Un service porte déjà cet identifiant SAML (entityID) : demandez à son éditeur un identifiant propre."
        ) from error
    record(organisation, "saml.propose", subject=("service_saml", site.pk), actor=actor)
    audit("manager.service.creation", organisation=organisation, client=site.entity_id)
    return site


def renew(site: SamlSite, content: bytes, *, actor: Actor) -> None:
    """Replace the metadata of a site, which must be put in service again: its addresses may have changed."""
    described = metadata.read(content, now=datetime.now(UTC), local=settings.DEMO)
    if described.entity_id != site.entity_id:
        raise SiteRefused("Ces métadonnées sont celles d’un autre service : leur entityID est différent.")
    site.metadata, site.state, site.approved_at, site.approved_by = (
        content.decode(),
        SamlSite.State.PROPOSED,
        None,
        None,
    )
    site.save(update_fields=["metadata", "state", "approved_at", "approved_by"])
    record(site.organisation, "saml.renouvele", subject=("service_saml", site.pk), actor=actor)
    audit("manager.service.edit", organisation=site.organisation, client=site.entity_id)


def approve(site: SamlSite, *, seen: str, by: Account | None, actor: Actor) -> None:
    """Put a site in service, in the name of the platform, as it was when ``seen`` (its ``fingerprint``) was shown.

    Raises ``SiteRefused`` when the organisation has changed it since.
    """
    with acting_for(site.organisation_id):
        site = SamlSite.objects.select_for_update().get(pk=site.pk)
        if site.fingerprint != seen:
            raise SiteRefused("L’organisation vient de modifier ce service : relisez-le avant de le mettre en service.")
        if site.state == SamlSite.State.LIVE:
            return
        site.state, site.approved_at, site.approved_by = SamlSite.State.LIVE, clock.now(), by
        site.save(update_fields=["state", "approved_at", "approved_by"])
        record(site.organisation, "saml.en_service", subject=("service_saml", site.pk), actor=actor)
        audit("manager.service.edit", organisation=site.organisation, client=site.entity_id, data={"state": "live"})


def suspend(site: SamlSite, *, actor: Actor) -> None:
    """Answer a site no more, at once."""
    with acting_for(site.organisation_id):
        site.state = SamlSite.State.SUSPENDED
        site.save(update_fields=["state"])
        record(site.organisation, "saml.suspendu", subject=("service_saml", site.pk), actor=actor)
        audit("manager.service.deletion", organisation=site.organisation, client=site.entity_id)


def admits(site: SamlSite, account: Account) -> bool:
    """True when ``account`` may log in on ``site``."""
    if site.populations and account.population not in site.populations:
        return False
    return not site.members_only or any(m.organisation_id == site.organisation_id for m in mandates_of(account))


def agreed(site: SamlSite, account: Account) -> bool:
    """True when ``account`` accepted that ``site`` receives what it asks for today."""
    with identity_of(account.pk):
        given = SamlConsent.objects.filter(account=account, site=site).values_list("attributes", flat=True).first()
    return given is not None and set(site.attributes) <= set(given)


def agree(site: SamlSite, account: Account) -> None:
    """Write down the agreement of ``account``."""
    with identity_of(account.pk):
        SamlConsent.objects.update_or_create(
            account=account, site=site, defaults={"attributes": site.attributes, "given_at": clock.now()}
        )
