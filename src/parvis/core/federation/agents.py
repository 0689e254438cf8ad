"""Agents who come through ProConnect: the SIRET names the collectivity, and its administration lets them in.

No role ever comes from ProConnect. An unknown agent is linked only on an invitation that waits in the organisation of
their SIRET, found by the same identifier (matricule) or by the same address when its domain is declared by that
organisation; otherwise a request waits in the administration's queue.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication.factors import has_passkey
from parvis.core.errors import DomainError
from parvis.core.federation import links
from parvis.core.federation.client import Identity
from parvis.core.federation.companies import is_checked, organisation_of
from parvis.core.federation.models import ActivationRequest, DeclaredDomain
from parvis.core.identity.access import AgentRequest, mandates_of
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations import invitations
from parvis.core.organisations.models import Invitation, Organisation
from parvis.core.organisations.naming import of_it
from parvis.core.organisations.tenancy import acting_for
from parvis.core.referentials.cog import folded

DOMAIN = re.compile(r"(?=.{4,190}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}")
# Addresses that anybody may open: no collectivity can say that they are its agents'.
PUBLIC_DOMAINS = frozenset(
    (
        "gmail.com", "googlemail.com", "outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "live.fr", "live.com",
        "yahoo.fr", "yahoo.com", "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "neuf.fr", "laposte.net", "bbox.fr",
        "icloud.com", "me.com", "proton.me", "protonmail.com", "gmx.fr", "gmx.com", "yopmail.com", "aol.com",
    )
)  # fmt: skip

register_subject("demande_activation", "Demande d’activation")
register_subject("domaine_messagerie", "Domaine de messagerie")
register_action("federation.activation_demandee", "Activation demandée par un agent")
register_action("federation.activation_acceptee", "Demande d’activation acceptée")
register_action("federation.activation_refusee", "Demande d’activation refusée")
register_action("federation.agent_relie", "Agent relié à son compte")
register_action("federation.domaine_declare", "Domaine de messagerie déclaré")
register_action("federation.domaine_retire", "Domaine de messagerie retiré")


class ActivationRefused(DomainError):
    """The request of an agent cannot be decided as asked, or the agent cannot be linked."""


@dataclass(frozen=True)
class Way:
    """How an unknown agent may be let in: by an invitation or by a request that was accepted, into ``account``."""

    organisation: Organisation
    account: Account | None
    invitation: Invitation | None = None
    activation: ActivationRequest | None = None


def way_in(identity: Identity, organisation: Organisation) -> Way | None:
    """What the administration of ``organisation`` prepared for this agent; None when nothing is."""
    with acting_for(organisation):
        asked = ActivationRequest.objects.filter(
            organisation=organisation, issuer=identity.issuer, subject=identity.subject
        ).select_related("account")
        accepted = asked.filter(state=ActivationRequest.State.APPROVED, account__isnull=False).first()
        if accepted is not None:
            return Way(organisation, accepted.account, activation=accepted)
        found = _invitation(identity, organisation)
        if found is None:
            return None
    account = Account.objects.filter(email=found.email).first()
    return Way(organisation, account, invitation=found)


def _invitation(identity: Identity, organisation: Organisation) -> Invitation | None:
    now = clock.now()
    waiting = [one for one in invitations.pending(organisation) if one.state(now) == "sent"]
    uid = identity.text("uid")
    # A number is no secret: it counts only where ProConnect checked the agent, and for somebody of the same name.
    family = folded(identity.text("usual_name"))
    numbered = [one for one in waiting if uid and is_checked(identity) and one.staff_number == uid]
    by_number = [one for one in numbered if family and folded(one.family_name) == family]
    declared = DeclaredDomain.objects.filter(organisation=organisation, domain=identity.email.rpartition("@")[2])
    by_address = [one for one in waiting if identity.email and one.email.lower() == identity.email]
    if not declared.exists():
        by_address = []
    return next(iter(by_number or by_address), None)


def must_log_in_first(way: Way) -> bool:
    """True when the account has a holder who can log in, or acts for other organisations: no administration alone may
    open it to somebody."""
    if way.account is None:
        return False
    if way.account.is_platform_administrator or way.account.population != Account.Population.AGENT:
        return True
    if way.account.has_usable_password() or has_passkey(way.account):
        return True
    return any(mandate.organisation_id != way.organisation.pk for mandate in mandates_of(way.account))


def enter(identity: Identity, way: Way, *, request: HttpRequest) -> Account:
    """Link the agent who confirmed, on what the administration prepared; takes the invitation if there is one.

    Raises ActivationRefused, LinkRefused or the refusal of the invitation.
    """
    if must_log_in_first(way):
        raise ActivationRefused(
            "Votre compte sert déjà : connectez-vous d’abord avec votre mot de passe ou votre clé d’accès, puis reliez"
            " ProConnect."
        )
    with transaction.atomic():
        account = way.account or _new_account(identity, way)
        links.link(account, identity, request=request)
        if way.invitation is not None:
            invitations.accept(way.invitation, account, request=request)
        with acting_for(way.organisation, account=account.pk):
            ActivationRequest.objects.filter(
                organisation=way.organisation, issuer=identity.issuer, subject=identity.subject
            ).update(state=ActivationRequest.State.LINKED, account=account)
            _record(way.organisation, "federation.agent_relie", ("compte", account.pk), account)
    return account


def _new_account(identity: Identity, way: Way) -> Account:
    assert way.invitation is not None
    proved = identity.email == way.invitation.email.lower()
    return Account.objects.create_user(
        way.invitation.email,
        given_name=way.invitation.given_name,
        family_name=way.invitation.family_name,
        population=Account.Population.AGENT,
        email_verified_at=clock.now() if proved else None,
    )


def ask(identity: Identity, organisation: Organisation, *, request: HttpRequest) -> ActivationRequest:
    """Put the agent in the queue of the administration, once; a refused one stays refused."""
    told = ActivationRequest.described({**identity.claims, "email": identity.email})
    with acting_for(organisation):
        asked, created = ActivationRequest.objects.get_or_create(
            organisation=organisation,
            issuer=identity.issuer,
            subject=identity.subject,
            defaults={**told, "asked_at": clock.now()},
        )
        if created:
            record(
                organisation,
                "federation.activation_demandee",
                subject=("demande_activation", asked.pk),
                actor=Actor("anonymous", ""),
            )
            audit("user.registration.request", request=request, organisation=organisation, method=identity.provider)
    return asked


def has_mandate_in(account: Account, organisation: Organisation) -> bool:
    return any(mandate.organisation_id == organisation.pk for mandate in mandates_of(account))


def check_own_link(account: Account, identity: Identity) -> None:
    """An agent who is logged in links the ProConnect of an organisation that they act for, a usager none of them.

    Raises LinkRefused.
    """
    organisation = organisation_of(identity)
    if account.population == Account.Population.USAGER:
        if organisation is not None:
            raise links.LinkRefused(
                f"Ce compte ProConnect est celui d’un agent {of_it(organisation.name)} : il ne se relie pas à un compte"
                " d’usager. Déconnectez-vous, puis recommencez avec ProConnect."
            )
    elif organisation is None or not has_mandate_in(account, organisation):
        raise links.LinkRefused(
            "Le SIRET transmis par ProConnect n’est celui d’aucune organisation pour laquelle vous avez un mandat."
        )


# --- the administration's side ----------------------------------------------------------------------------


def queue(organisation: Organisation) -> list[ActivationRequest]:
    """Requests to decide, oldest first."""
    waiting = ActivationRequest.objects.filter(organisation=organisation, state=ActivationRequest.State.WAITING)
    return list(waiting)


def candidates(organisation: Organisation) -> list[Account]:
    """Agents of the organisation to whom a request may be given, by name."""
    today = clock.today()
    mandates = Mandate.objects.filter(organisation=organisation).in_force(today).select_related("account")
    found = {m.account_id: m.account for m in mandates if m.account.population == Account.Population.AGENT}
    return sorted(found.values(), key=lambda account: (account.family_name, account.given_name))


def approve(activation: ActivationRequest, account: Account, *, request: AgentRequest) -> None:
    """Say whose account it is; the agent confirms at their next login. Raises ActivationRefused."""
    by = request.user
    if account.pk == by.pk:
        raise ActivationRefused("Personne ne décide pour son propre compte : une autre personne doit le faire.")
    if account.pk not in {one.pk for one in candidates(activation.organisation)}:
        raise ActivationRefused("Cette personne n’a pas de mandat en cours dans votre organisation.")
    _decide(activation, ActivationRequest.State.APPROVED, account, request)
    _record(activation.organisation, "federation.activation_acceptee", ("demande_activation", activation.pk), by)
    audit("manager.user.activation", account=account, request=request, organisation=activation.organisation)


def refuse(activation: ActivationRequest, *, request: AgentRequest) -> None:
    """Refuse a request. Raises ActivationRefused when it was decided meanwhile."""
    _decide(activation, ActivationRequest.State.REFUSED, None, request)
    _record(
        activation.organisation, "federation.activation_refusee", ("demande_activation", activation.pk), request.user
    )


def _decide(activation: ActivationRequest, state: str, account: Account | None, request: AgentRequest) -> None:
    fresh = ActivationRequest.objects.select_for_update().get(pk=activation.pk)
    if fresh.state != ActivationRequest.State.WAITING:
        raise ActivationRefused("Cette demande a déjà été traitée.")
    fresh.state, fresh.account, fresh.decided_by, fresh.decided_at = state, account, request.user, clock.now()
    fresh.save(update_fields=["state", "account", "decided_by", "decided_at"])


def declare_domain(organisation: Organisation, domain: str, *, request: AgentRequest) -> DeclaredDomain:
    """Say that addresses of ``domain`` are given to agents only. Raises ActivationRefused."""
    domain = domain.strip().lower().removeprefix("@")
    if not DOMAIN.fullmatch(domain):
        raise ActivationRefused("Un nom de domaine est attendu, comme « mairie-exemple.fr ».")
    if domain in PUBLIC_DOMAINS:
        raise ActivationRefused("N’importe qui peut ouvrir une adresse dans ce domaine : il ne désigne pas vos agents.")
    declared, created = DeclaredDomain.objects.get_or_create(
        organisation=organisation,
        domain=domain,
        defaults={"declared_by": request.user, "declared_at": clock.now()},
    )
    if created:
        _record(organisation, "federation.domaine_declare", ("domaine_messagerie", declared.pk), request.user)
    return declared


def withdraw_domain(declared: DeclaredDomain, *, request: AgentRequest) -> None:
    """Addresses of this domain no longer count as those of agents."""
    _record(declared.organisation, "federation.domaine_retire", ("domaine_messagerie", declared.pk), request.user)
    declared.delete()


def _record(organisation: Organisation, action: str, subject: tuple[str, Any], by: Account) -> None:
    record(organisation, action, subject=subject, actor=Actor("account", str(by.pk)))
