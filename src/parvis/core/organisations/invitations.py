"""Invitations: a mandate offered to an address, taken by whoever proves to hold it.

The administration learns whether the invitation was accepted and nothing else: neither at sending nor in the
list does anything say whether the address already has an account. The link is drawn when the message leaves,
works once and for seven days; only its digest is kept.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.authentication import passwords
from parvis.core.errors import DomainError
from parvis.core.identity import addresses
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.roles import ROLES
from parvis.core.journal.services import Actor, record
from parvis.core.notifications.services import send
from parvis.core.organisations.authority import WHOLE, Authority, GivenRole, role_named
from parvis.core.organisations.mandates import administrators, check_gift, lock, open_mandate
from parvis.core.organisations.models import Department, Invitation, Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web.templatetags.parvis import date_longue


class InvitationRefused(DomainError):
    """The invitation cannot be sent, accepted or withdrawn as asked."""


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def pending(organisation: Organisation) -> "QuerySet[Invitation]":
    """Invitations neither accepted nor withdrawn, newest first."""
    rows = Invitation.objects.filter(organisation=organisation, accepted_at__isnull=True, revoked_at__isnull=True)
    return rows.select_related("own_role", "department", "invited_by").order_by("-created_at")


@transaction.atomic
def invite(
    organisation: Organisation,
    *,
    email: str,
    given_name: str,
    family_name: str,
    role: GivenRole | None,
    values: Mapping[str, Any],
    by: Authority,
) -> Invitation:
    """Offer a mandate; ``values`` are its ``title``, ``department``, ``staff_number``, ``start`` and ``end``.

    Raises ``InvitationRefused`` or ``MandateRefused``: one's own address, a role above one's rights, a role that
    the person holds here already, an invitation that still waits; ``AddressRefused`` for one that no account may have.
    """
    department = values.get("department")
    role = check_gift(role, department if isinstance(department, Department) else None, by)
    email = addresses.canonical(email)
    _refuse_double(organisation, email, role, by)
    invitation = _create(organisation, email, given_name, family_name, role, values, invited_by=by.account)
    _trace(invitation, "invitation.envoyee", "manager.user.invitation", by)
    _deliver_later(invitation)
    return invitation


def _refuse_double(organisation: Organisation, email: str, role: GivenRole, by: Authority) -> None:
    if email == by.account.email.lower():
        raise InvitationRefused("C’est votre adresse : personne ne se donne un mandat.")
    here = Mandate.objects.filter(organisation=organisation, account__email=email, **role.columns)
    if here.not_over(clock.today()).exists():
        raise InvitationRefused("Cette personne tient déjà ce rôle dans votre organisation.")
    waiting = pending(organisation).filter(email=email, **role.columns)
    if waiting.exists():
        raise InvitationRefused(
            "Une invitation à ce rôle attend déjà à cette adresse : renvoyez-la depuis la liste des invitations."
        )


def _create(
    organisation: Organisation,
    email: str,
    given_name: str,
    family_name: str,
    role: GivenRole,
    values: Mapping[str, Any],
    **more: Any,
) -> Invitation:
    return Invitation.objects.create(
        organisation=organisation,
        email=email,
        given_name=given_name,
        family_name=family_name,
        **role.columns,
        title=values.get("title", ""),
        department=values.get("department"),
        staff_number=values.get("staff_number", ""),
        start=values["start"],
        end=values.get("end"),
        created_at=clock.now(),
        **more,
    )


# --- the administration of an organisation that has none, offered by the platform ----------------------------


def lost_its_administration(organisation: Organisation) -> bool:
    """Whether somebody administered ``organisation``, acted for by the caller, and nobody does today."""
    if administrators(organisation, clock.today()):
        return False
    codes = [code for code, (_, held) in ROLES.items() if WHOLE in held]
    held = Q(role__in=codes) | Q(own_role__permissions__contains=[WHOLE])
    return Mandate.objects.filter(held, organisation=organisation).exists()


def proposals(*organisations: Organisation) -> "QuerySet[Invitation]":
    """Administrations that a second operator has to agree to, oldest first."""
    rows = Invitation.objects.filter(
        organisation__in=organisations,
        needs_approval=True,
        approved_by__isnull=True,
        accepted_at__isnull=True,
        revoked_at__isnull=True,
    )
    return rows.select_related("organisation", "invited_by").order_by("created_at")


@transaction.atomic
def invite_first_administrator(
    organisation: Organisation,
    *,
    email: str,
    given_name: str,
    family_name: str,
    by: Account,
    request: HttpRequest,
    reason: str = "",
) -> Invitation:
    """Offer the administration of an organisation that has no administrator, in the name of the platform.

    Where it had one before, nothing leaves until a second operator agrees (``approve_administrator``).
    """
    with acting_for(organisation, account=by.pk):
        lock(organisation)
        _refuse_administered(organisation)
        emergency = lost_its_administration(organisation)
        if emergency and not reason.strip():
            raise InvitationRefused("Dites pourquoi l’administration est à rétablir : un second exploitant le lira.")
        role = role_named(organisation, "administrateur")
        assert role is not None
        for former in pending(organisation).filter(by_platform=True):
            former.revoked_at = clock.now()
            former.save(update_fields=["revoked_at"])
        invitation = _create(
            organisation,
            addresses.canonical(email),
            given_name,
            family_name,
            role,
            {"start": clock.today()},
            invited_by=by,
            by_platform=True,
            needs_approval=emergency,
            reason=reason.strip(),
        )
        if emergency:
            _trace_platform(invitation, "invitation.proposee", "manager.user.invitation.proposal", by, request)
        else:
            _trace_platform(invitation, "invitation.envoyee", "manager.user.invitation", by, request)
            _deliver_later(invitation)
    return invitation


@transaction.atomic
def approve_administrator(invitation: Invitation, *, by: Account, request: HttpRequest) -> None:
    """Agree to what another operator proposed: the invitation leaves. Raises ``InvitationRefused``."""
    with acting_for(invitation.organisation, account=by.pk):
        lock(invitation.organisation)
        invitation = _proposed(invitation)
        if invitation.invited_by_id == by.pk:
            raise InvitationRefused("Un second exploitant doit approuver votre proposition.")
        _refuse_administered(invitation.organisation)
        invitation.approved_by = by
        invitation.save(update_fields=["approved_by"])
        _trace_platform(invitation, "invitation.approuvee", "manager.user.invitation.approval", by, request)
        _deliver_later(invitation)


@transaction.atomic
def refuse_administrator(invitation: Invitation, *, by: Account, request: HttpRequest) -> None:
    """Set the proposal aside; who made it may too. Raises ``InvitationRefused``."""
    with acting_for(invitation.organisation, account=by.pk):
        invitation = _proposed(invitation)
        invitation.revoked_at = clock.now()
        invitation.save(update_fields=["revoked_at"])
        _trace_platform(invitation, "invitation.retiree", "manager.user.invitation.revocation", by, request)


def _refuse_administered(organisation: Organisation) -> None:
    if administrators(organisation, clock.today()):
        raise InvitationRefused("Cette organisation a déjà une administration : c’est elle qui invite désormais.")


def _proposed(invitation: Invitation) -> Invitation:
    fresh = Invitation.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=invitation.pk)
    if fresh.state(clock.now()) != "proposed":
        raise InvitationRefused("Cette proposition a déjà reçu sa réponse.")
    return fresh


def _trace_platform(invitation: Invitation, action: str, event: str, by: Account, request: HttpRequest) -> None:
    organisation, actor = invitation.organisation, Actor("account", str(by.pk))
    record(organisation, action, subject=("invitation", invitation.pk), actor=actor)
    data = {"invitation": str(invitation.pk), "first": True}
    audit(event, request=request, actor=by, organisation=organisation, data=data)


def _deliver_later(invitation: Invitation) -> None:
    from parvis.core.organisations.tasks import deliver_invitation

    deliver_invitation.enqueue(invitation.organisation, invitation_id=str(invitation.pk))


def deliver(invitation: Invitation) -> None:
    """Draw the link and send it; the former link of the same invitation stops working."""
    token = secrets.token_urlsafe(32)
    invitation.digest, invitation.sent_at = digest_of(token), clock.now()
    invitation.save(update_fields=["digest", "sent_at"])
    organisation = invitation.organisation
    address = settings.BASE_URL.rstrip("/") + reverse(
        "invitations:accept", kwargs={"organisation": organisation.slug, "token": token}
    )
    assert invitation.expires_at is not None
    send(
        organisation,
        invitation.email,
        f"{organisation.name} vous invite à agir en son nom",
        f"Bonjour {invitation.full_name},\n\n"
        f"{organisation.name} vous propose le rôle « {invitation.role_label} »"
        + (f", en qualité de « {invitation.title} »" if invitation.title else "")
        + f", à partir du {date_longue(invitation.start)}.\n\n"
        f"Pour l’accepter, ouvrez cette adresse :\n{address}\n\n"
        f"Elle ne sert qu’une fois, et jusqu’au {date_longue(invitation.expires_at)}. Ne la transmettez à personne : "
        "elle donne accès en votre nom.\n\n"
        "Si vous n’attendiez pas cette invitation, ne faites rien : elle s’éteindra d’elle-même.\n",
        headers={"Auto-Submitted": "auto-generated"},
    )


@transaction.atomic
def resend(invitation: Invitation, *, by: Authority) -> None:
    """Send a new link, good for seven days; the former one stops working at once."""
    invitation = _open_one(invitation, by)
    if invitation.awaits_approval:
        raise InvitationRefused("Cette invitation attend l’accord d’un second exploitant de la plateforme.")
    invitation.digest, invitation.sent_at = "", None
    invitation.save(update_fields=["digest", "sent_at"])
    _trace(invitation, "invitation.renvoyee", "manager.user.invitation", by)
    _deliver_later(invitation)


@transaction.atomic
def revoke(invitation: Invitation, *, by: Authority) -> None:
    """Withdraw an invitation: its link answers that it is no longer good."""
    invitation = _open_one(invitation, by)
    invitation.revoked_at = clock.now()
    invitation.save(update_fields=["revoked_at"])
    _trace(invitation, "invitation.retiree", "manager.user.invitation.revocation", by)


def _open_one(invitation: Invitation, by: Authority) -> Invitation:
    fresh = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if fresh.accepted_at or fresh.revoked_at:
        raise InvitationRefused("Cette invitation n’attend plus : elle a été acceptée ou retirée.")
    if not by.covers(fresh.department_id):
        raise InvitationRefused("Cette invitation n’est pas de votre ressort.")
    check_gift(role_named(fresh.organisation, fresh.role_code), fresh.department, by)
    return fresh


# --- the invited person's side ----------------------------------------------------------------------------


def find(slug: str, token: str) -> Invitation | None:
    """The invitation behind a link, whatever its state; None when nothing ever had this link."""
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is None:
        return None
    with acting_for(organisation):
        rows = Invitation.objects.select_related("organisation", "own_role", "department", "invited_by")
        return rows.filter(organisation=organisation, digest=digest_of(token)).first()


def refusal_for(invitation: Invitation, account: Account) -> str:
    """Why ``account`` may not accept, said to its holder only; "" when it may."""
    if account.population != Account.Population.AGENT:
        return (
            "Vous êtes connecté avec un compte d’usager, fait pour vos démarches personnelles : il ne peut pas "
            "recevoir de mandat. Déconnectez-vous, puis demandez une invitation à votre adresse professionnelle."
        )
    if account.email.lower() != invitation.email.lower():
        return (
            "Cette invitation n’est pas adressée au compte avec lequel vous êtes connecté. Déconnectez-vous pour "
            "l’accepter avec le bon compte, ou demandez qu’elle soit envoyée à votre adresse."
        )
    if invitation.invited_by_id == account.pk:
        return "Vous avez envoyé cette invitation : une autre personne doit vous la proposer."
    return ""


def accept(invitation: Invitation, account: Account, *, request: HttpRequest) -> Mandate:
    """Open the mandate for ``account``; raises ``InvitationRefused`` or ``MandateRefused``."""
    with acting_for(invitation.organisation, account=account.pk):
        fresh = _still_open(invitation)
        if sentence := refusal_for(fresh, account):
            raise InvitationRefused(sentence)
        return _take(fresh, account, request)


def accept_with_new_account(invitation: Invitation, password: str, *, request: HttpRequest) -> Account:
    """Make the agent's account of the address, proved by the link, and open the mandate.

    Raises ``InvitationRefused`` when the address has an account, whose holder must log in; ``ValidationError``
    when the password is not good enough.
    """
    with acting_for(invitation.organisation):
        fresh = _still_open(invitation)
        if Account.objects.filter(email=fresh.email).exists():
            raise InvitationRefused("Cette adresse a déjà un compte : connectez-vous pour accepter l’invitation.")
        account = Account(email=fresh.email, given_name=fresh.given_name, family_name=fresh.family_name)
        passwords.check(password, account, joining=[fresh.organisation])
        account = Account.objects.create_user(
            fresh.email,
            password,
            given_name=fresh.given_name,
            family_name=fresh.family_name,
            population=Account.Population.AGENT,
            email_verified_at=clock.now(),
        )
        audit("user.registration", account=account, request=request, organisation=fresh.organisation, actor=account)
        _take(fresh, account, request)
        return account


def _still_open(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",))
    fresh = rows.select_related("organisation", "own_role", "department").get(pk=invitation.pk)
    if fresh.state(clock.now()) != "sent" or fresh.digest != invitation.digest:
        raise InvitationRefused("Cette invitation n’est plus valable : demandez-en une nouvelle.")
    return fresh


def _take(invitation: Invitation, account: Account, request: HttpRequest) -> Mandate:
    role = GivenRole(invitation.role_code, invitation.role_label, invitation.permissions, invitation.own_role)
    mandate = open_mandate(
        invitation.organisation,
        account,
        role,
        start=invitation.start,
        end=invitation.end,
        title=invitation.title,
        department=invitation.department,
        staff_number=invitation.staff_number,
        actor=Actor("account", str(account.pk)),
    )
    invitation.accepted_at, invitation.accepted_by = clock.now(), account
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    record(
        invitation.organisation,
        "invitation.acceptee",
        subject=("invitation", invitation.pk),
        actor=Actor("account", str(account.pk)),
        details={"mandate": str(mandate.pk)},
    )
    audit(
        "manager.user.invitation.acceptance",
        account=account,
        request=request,
        actor=account,
        organisation=invitation.organisation,
        data={"role": invitation.role_code},
    )
    return mandate


def _trace(invitation: Invitation, action: str, event: str, by: Authority) -> None:
    record(
        invitation.organisation,
        action,
        subject=("invitation", invitation.pk),
        actor=by.actor,
        details={"role": invitation.role_code},
    )
    audit(
        event,
        request=by.request,
        actor=by.account,
        organisation=invitation.organisation,
        data={"invitation": str(invitation.pk), "role": invitation.role_code},
    )
