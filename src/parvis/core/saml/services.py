"""Registering sites, putting them in service, and knowing people's agreement.

An organisation proposes, the platform approves: what is in force changes only at the approval. Suspending is immediate.
"""

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


def _locked(site: SamlSite) -> SamlSite:
    return SamlSite.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=site.pk)


def _log(site: SamlSite, action: str, event: str, actor: Actor, **data: Any) -> None:
    record(site.organisation, action, subject=("service_saml", site.pk), actor=actor, details=data)
    audit(event, organisation=site.organisation, client=site.entity_id, data=data)


def change(site: SamlSite, values: dict[str, Any], content: bytes | None = None, *, actor: Actor) -> list[str]:
    """Propose other values, and other metadata; returns the fields that changed. What is in force stays until the
    approval; a suspended site stays suspended, and the platform is asked once it is put back.

    Raises ``MetadataRefused`` and ``SiteRefused``.
    """
    with acting_for(site.organisation_id):
        site = _locked(site)
        wanted = {**site.proposed, **values}
        if content is not None:
            if metadata.read(content, now=datetime.now(UTC), local=settings.DEMO).entity_id != site.entity_id:
                raise SiteRefused("Ces métadonnées sont celles d’un autre service : leur entityID est différent.")
            wanted["metadata"] = content.decode()
        changed = sorted(name for name, value in wanted.items() if site.proposed[name] != value)
        if not changed:
            return []
        if site.approved_at is not None and {"relation", "name_id"} & set(changed):
            raise SiteRefused(
                "La nature et l’identifiant transmis d’un service approuvé ne changent plus : les personnes y "
                "changeraient d’identifiant."
            )
        site.put_forward(wanted)
        site.save()
        _log(site, "saml.modifie", "manager.service.edit", actor, fields=changed)
        return changed


def approve(site: SamlSite, *, seen: str, by: Account | None, actor: Actor) -> None:
    """Put in force, in the name of the platform, what was proposed when ``seen`` (its ``fingerprint``) was shown.

    Raises ``SiteRefused`` when nothing waits or the organisation has changed it since, ``MetadataRefused`` when the
    metadata have expired.
    """
    with acting_for(site.organisation_id):
        site = _waiting(site)
        if site.fingerprint != seen:
            raise SiteRefused(
                "L’organisation a modifié sa proposition entre-temps : relisez-la avant de la mettre en service."
            )
        metadata.read(site.proposed["metadata"].encode(), now=datetime.now(UTC), local=settings.DEMO)
        site.put_in_service(by)
        site.save()
        _log(site, "saml.en_service", "manager.service.edit", actor, decision="approve")


def refuse(site: SamlSite, reason: str, *, actor: Actor) -> None:
    """The platform refuses the proposal and says why; what was in force before stays so. Raises ``SiteRefused``."""
    with acting_for(site.organisation_id):
        site = _waiting(site)
        site.turn_down(reason)
        site.save(update_fields=["state", "refusal"])
        _log(site, "saml.refuse", "manager.service.edit", actor, decision="refuse")


def _waiting(site: SamlSite) -> SamlSite:
    site = _locked(site)
    if not site.waits:
        raise SiteRefused("Rien n’attend l’approbation de la plateforme.")
    return site


def suspend(site: SamlSite, *, actor: Actor) -> None:
    """Answer a site no more, at once. Raises ``SiteRefused`` when it is not in service."""
    with acting_for(site.organisation_id):
        site = _locked(site)
        if site.state != SamlSite.State.LIVE:
            raise SiteRefused("Ce service n’est pas en service.")
        site.state = SamlSite.State.SUSPENDED
        site.save(update_fields=["state"])
        _log(site, "saml.suspendu", "manager.service.deletion", actor, decision="suspend")


def reactivate(site: SamlSite, *, actor: Actor) -> None:
    """Put a suspended site back as the platform had approved it. Raises ``SiteRefused`` when it is not suspended."""
    with acting_for(site.organisation_id):
        site = _locked(site)
        if site.state != SamlSite.State.SUSPENDED:
            raise SiteRefused("Ce service n’est pas suspendu.")
        site.state = SamlSite.State.LIVE if site.approved_at else SamlSite.State.PROPOSED
        site.save(update_fields=["state"])
        _log(site, "saml.reactive", "manager.service.edit", actor, decision="reactivate")


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
