"""Resetting a lost second factor: an administrator of the agent asks, an operator approves, the holder is told first.

Nobody asks for oneself nor approves what they asked; twenty-four hours pass after the notice, unless the identity
was checked face to face, which is recorded. For who administers an organisation alone, an operator asks and a second
one approves: those who answer for the organisation are told too, and nothing shortens the wait. An operator's are
asked by a second operator and approved by a third one, else on the server (``approve_operator_reset``); every
operator is told, and nothing shortens the wait. The rules are checked here and, for the four eyes, by the database
too.
"""

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication import factors, notices, sessions
from parvis.core.authentication.models import FactorReset, OperatorReset, Reset
from parvis.core.errors import DomainError
from parvis.core.identity import addresses
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.mandates import administrators
from parvis.core.organisations.models import Organisation
from parvis.core.web.templatetags.parvis import date_longue, heure

register_action("second_facteur.demande", "Remise à zéro d’un second facteur demandée")
register_action("second_facteur.remis", "Second facteur remis à zéro")
register_action("second_facteur.annule", "Remise à zéro d’un second facteur annulée")
register_subject("remise_second_facteur", "Remise à zéro d’un second facteur")


class ResetRefused(DomainError):
    """The reset may not be asked or made."""


def _journal(reset: FactorReset, action: str, actor: Account) -> None:
    record(
        reset.organisation,
        action,
        subject=("remise_second_facteur", reset.pk),
        actor=Actor("account", str(actor.pk)),
        details={"in_person": reset.in_person, **({"by_platform": True} if reset.by_platform else {})},
    )


def agents_of(organisation: Organisation) -> "QuerySet[Account]":
    """Those who act today for ``organisation`` (acted for by the caller)."""
    held = Mandate.objects.filter(organisation=organisation).in_force(clock.today())
    return Account.objects.filter(Exists(held.filter(account=OuterRef("pk"))))


@transaction.atomic
def ask(
    organisation: Organisation, account: Account, *, reason: str, in_person: bool, by: Account, request: HttpRequest
) -> FactorReset:
    """Ask that the factors of ``account`` be reset, and tell its holder. Raises ``ResetRefused``."""
    if account.pk == by.pk:
        raise ResetRefused("Vous ne pouvez pas demander la remise à zéro de votre propre second facteur.")
    reset = FactorReset(organisation=organisation, account=account, reason=reason, in_person=in_person)
    return _ask(reset, by, request)


@transaction.atomic
def ask_for_administrator(
    organisation: Organisation, address: str, *, reason: str, by: Account, request: HttpRequest
) -> FactorReset:
    """An operator asks it for who administers ``organisation`` (acted for by the caller) alone, found by the address.

    Nobody else could: those who answer for the organisation are told as the holder is, a second operator approves, and
    the day always passes. Raises ``ResetRefused`` or ``AddressRefused``.
    """
    account = addresses.account_at(addresses.canonical(address))
    administer = administrators(organisation, clock.today())
    if account is None or account.pk not in administer:
        raise ResetRefused(f"Personne n’administre {organisation.name} sous cette adresse.")
    if account.pk == by.pk:
        raise ResetRefused("Vous ne pouvez pas demander la remise à zéro de votre propre second facteur.")
    if len(administer) > 1:
        raise ResetRefused(
            f"Une autre personne administre {organisation.name} : elle le demande elle-même, depuis sa page « Second "
            "facteur »."
        )
    reset = FactorReset(organisation=organisation, account=account, reason=reason, by_platform=True)
    _ask(reset, by, request)
    _tell_organisation(reset, "administrator.reset.told")
    return reset


def _ask(reset: FactorReset, by: Account, request: HttpRequest) -> FactorReset:
    account, organisation = reset.account, reset.organisation
    if account.is_platform_administrator:
        raise ResetRefused(
            "Les exploitants de la plateforme ne dépendent pas d’une organisation : un autre exploitant le demande."
        )
    if not factors.held_by(account).number:
        raise ResetRefused("Cette personne n’a pas de second facteur : il n’y a rien à remettre à zéro.")
    reset.asked_by, reset.asked_at = by, clock.now()
    try:
        with transaction.atomic():
            reset.save(force_insert=True)
    except IntegrityError:
        raise ResetRefused("Une demande est déjà en cours pour cette personne.") from None
    _journal(reset, "second_facteur.demande", by)
    audit(
        "manager.mfa.reset.request",
        account=account,
        request=request,
        organisation=organisation,
        data={"by_platform": True} if reset.by_platform else {},
    )
    notices.tell(account, "factor.reset.asked", asker=reset.asker, **_facts(reset))
    return reset


def _facts(reset: FactorReset) -> dict[str, str]:
    moment = clock.paris(reset.possible_from)
    facts = {"organisation": reset.organisation.name, "from": f"{date_longue(moment)} à {heure(moment)}"}
    return facts | ({"reason": reset.reason} if reset.by_platform else {})


ANSWERABLE = ("maire", "dgs")
"""Roles of those who answer for an organisation beside its administration."""


def _tell_organisation(reset: FactorReset, kind: str) -> None:
    """Tell those who answer for the organisation, if it named any."""
    held = Mandate.objects.filter(organisation=reset.organisation, role__in=ANSWERABLE).in_force(clock.today())
    for account in Account.objects.filter(Exists(held.filter(account=OuterRef("pk")))).exclude(pk=reset.account_id):
        notices.tell(account, kind, holder=reset.account.full_name, **_facts(reset))


def _locked(reset: FactorReset) -> FactorReset:
    found = FactorReset.objects.select_for_update(of=("self",)).select_related("account", "organisation")
    return found.get(pk=reset.pk)


@transaction.atomic
def approve(reset: FactorReset, *, by: Account, request: HttpRequest) -> None:
    """Take the factors of the account away and end its sessions. Raises ``ResetRefused``."""
    reset = _locked(reset)
    _check_approval(reset, by)
    _take_away(reset, by)
    _journal(reset, "second_facteur.remis", by)
    audit("manager.mfa.reset", account=reset.account, request=request, organisation=reset.organisation)
    notices.tell(reset.account, "factor.reset.done")
    if reset.by_platform:
        _tell_organisation(reset, "administrator.reset.done")


@transaction.atomic
def cancel(reset: FactorReset, *, by: Account, request: HttpRequest) -> None:
    """Drop the request: its holder, the administration that asked or an operator may. Raises ``ResetRefused``."""
    reset = _locked(reset)
    _check_waits(reset)
    _end(reset, Reset.State.CANCELLED, by)
    _journal(reset, "second_facteur.annule", by)
    audit(
        "manager.mfa.reset.request",
        account=reset.account,
        request=request,
        organisation=reset.organisation,
        outcome="cancelled",
    )


# --- operators ------------------------------------------------------------------------------------------------


def operators() -> "QuerySet[Account]":
    """Those who run the platform and whose account is open, by name."""
    rows = Account.objects.filter(is_platform_administrator=True, is_active=True, suspended_at=None)
    return rows.order_by("family_name", "given_name")


def approvers(reset: OperatorReset) -> list[Account]:
    """The operators who can approve on screen: neither of the two concerned, and able to log in."""
    others = operators().exclude(pk__in=[reset.account_id, reset.asked_by_id])
    return [account for account in others if factors.has_second_factor(account)]


@transaction.atomic
def ask_for_operator(account: Account, *, reason: str, by: Account, request: HttpRequest) -> OperatorReset:
    """Ask that the factors of an operator be reset, and tell all of them. Raises ``ResetRefused``."""
    if account.pk == by.pk:
        raise ResetRefused("Vous ne pouvez pas demander la remise à zéro de vos propres facteurs.")
    if not operators().filter(pk=account.pk).exists():
        raise ResetRefused("Cette personne n’exploite pas la plateforme.")
    held = factors.held_by(account)
    if not (held.passkeys or held.application):  # an application that no longer counts locks out all the same
        raise ResetRefused("Cette personne n’a pas de second facteur : il n’y a rien à remettre à zéro.")
    try:
        with transaction.atomic():
            reset = OperatorReset.objects.create(account=account, reason=reason, asked_by=by, asked_at=clock.now())
    except IntegrityError:
        raise ResetRefused("Une demande est déjà en cours pour cette personne.") from None
    audit("manager.mfa.reset.request", account=account, request=request, data={"operator": True})
    moment = clock.paris(reset.possible_from)
    facts = {"holder": account.full_name, "asker": by.full_name, "from": f"{date_longue(moment)} à {heure(moment)}"}
    for operator in operators():
        notices.tell(operator, "operator.reset.asked" if operator == account else "operator.reset.told", **facts)
    return reset


@transaction.atomic
def approve_for_operator(reset: OperatorReset, *, by: Account, request: HttpRequest) -> None:
    """Take the factors of an operator away and end their sessions. Raises ``ResetRefused``."""
    reset = OperatorReset.objects.select_for_update(of=("self",)).select_related("account").get(pk=reset.pk)
    _check_approval(reset, by)
    _take_away(reset, by)
    audit("manager.mfa.reset", account=reset.account, request=request, data={"operator": True})
    _tell_done(reset)


@transaction.atomic
def approve_on_server(address: str, *, approver: str, user: str) -> OperatorReset:
    """The same where no third operator could: ``approver`` names who decides, ``user`` the server's session.

    Raises ``ResetRefused`` or ``AddressRefused``.
    """
    account = addresses.account_at(addresses.canonical(address))
    waiting = OperatorReset.objects.select_for_update(of=("self",)).select_related("account", "asked_by")
    reset = waiting.filter(account=account, state=Reset.State.ASKED).first() if account else None
    if reset is None:
        raise ResetRefused(
            "Aucune demande n’attend pour cette adresse : un exploitant doit d’abord la faire à l’écran."
        )
    _check_time(reset)
    if others := approvers(reset):
        names = ", ".join(account.full_name for account in others)
        raise ResetRefused(f"Un autre exploitant peut approuver à l’écran : {names}.")
    if approver.strip().casefold() in (reset.account.full_name.casefold(), reset.asked_by.full_name.casefold()):
        raise ResetRefused("Une autre personne que les deux exploitants concernés doit approuver.")
    reset.approved_on_server = f"{approver.strip()} ({user})"[:200]
    _take_away(reset, None)
    audit("manager.mfa.reset", account=reset.account, data={"operator": True, "on_server": str(reset.pk)})
    _tell_done(reset)
    return reset


@transaction.atomic
def cancel_for_operator(reset: OperatorReset, *, by: Account, request: HttpRequest) -> None:
    """Drop the request: its holder or any operator may. Raises ``ResetRefused``."""
    reset = OperatorReset.objects.select_for_update(of=("self",)).select_related("account").get(pk=reset.pk)
    _check_waits(reset)
    _end(reset, Reset.State.CANCELLED, by)
    audit(
        "manager.mfa.reset.request",
        account=reset.account,
        request=request,
        outcome="cancelled",
        data={"operator": True},
    )


def _tell_done(reset: OperatorReset) -> None:
    notices.tell(reset.account, "factor.reset.done")
    for operator in operators().exclude(pk=reset.account_id):
        notices.tell(operator, "operator.reset.done", holder=reset.account.full_name)


# --- both -----------------------------------------------------------------------------------------------------


def waiting_for(account: Account) -> FactorReset | OperatorReset | None:
    """The request about ``account`` that its holder may stop."""
    asked = FactorReset.objects.filter(account=account, state=Reset.State.ASKED).select_related("organisation")
    return asked.first() or OperatorReset.objects.filter(account=account, state=Reset.State.ASKED).first()


def stop(reset: FactorReset | OperatorReset, *, by: Account, request: HttpRequest) -> None:
    """« Ce n’est pas moi ». Raises ``ResetRefused``."""
    if isinstance(reset, OperatorReset):
        cancel_for_operator(reset, by=by, request=request)
    else:
        cancel(reset, by=by, request=request)


def _check_waits(reset: Reset) -> None:
    if reset.state != Reset.State.ASKED:
        raise ResetRefused("Cette demande n’attend plus de réponse.")


def _check_time(reset: Reset) -> None:
    if clock.now() < reset.possible_from:
        moment = clock.paris(reset.possible_from)
        raise ResetRefused(f"Il faut attendre jusqu’au {date_longue(moment)} à {heure(moment)}.")


def _check_approval(reset: Reset, by: Account) -> None:
    _check_waits(reset)
    if by.pk in (reset.asked_by_id, reset.account_id):
        raise ResetRefused("Une autre personne que celle qui demande doit approuver.")
    _check_time(reset)


def _take_away(reset: Reset, by: Account | None) -> None:
    _end(reset, Reset.State.DONE, by)
    Authenticator.objects.filter(user=reset.account).delete()
    sessions.end_all(reset.account)


def _end(reset: Reset, state: str, by: Account | None) -> None:
    reset.state, reset.ended_by, reset.ended_at = state, by, clock.now()
    reset.save()
