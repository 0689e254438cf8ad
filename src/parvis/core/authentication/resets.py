"""Resetting a lost second factor: an administrator of the agent asks, an operator approves, the holder is told first.

Nobody asks for oneself nor approves what they asked; twenty-four hours pass after the notice, unless the identity
was checked face to face, which is recorded. The rules are checked here and, for the four eyes, by the database too.
"""

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication import factors, notices, sessions
from parvis.core.authentication.models import FactorReset
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
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
        details={"in_person": reset.in_person},
    )


def agents_of(organisation: Organisation) -> list[tuple[Account, factors.Held]]:
    """Those who act today for ``organisation`` (acted for by the caller), with the factors they hold, by name."""
    mandates = Mandate.objects.filter(organisation=organisation).in_force(clock.today()).select_related("account")
    accounts = {mandate.account_id: mandate.account for mandate in mandates}
    ordered = sorted(accounts.values(), key=lambda account: (account.family_name, account.given_name))
    return [(account, factors.held_by(account)) for account in ordered]


@transaction.atomic
def ask(
    organisation: Organisation, account: Account, *, reason: str, in_person: bool, by: Account, request: HttpRequest
) -> FactorReset:
    """Ask that the factors of ``account`` be reset, and tell its holder. Raises ``ResetRefused``."""
    if account.pk == by.pk:
        raise ResetRefused("Vous ne pouvez pas demander la remise à zéro de votre propre second facteur.")
    if account.is_platform_administrator:
        raise ResetRefused("Les exploitants de la plateforme ne dépendent pas d’une organisation.")
    if not factors.held_by(account).number:
        raise ResetRefused("Cette personne n’a pas de second facteur : il n’y a rien à remettre à zéro.")
    try:
        with transaction.atomic():
            reset = FactorReset.objects.create(
                organisation=organisation,
                account=account,
                reason=reason,
                in_person=in_person,
                asked_by=by,
                asked_at=clock.now(),
            )
    except IntegrityError:
        raise ResetRefused("Une demande est déjà en cours pour cette personne.") from None
    _journal(reset, "second_facteur.demande", by)
    audit("manager.mfa.reset.request", account=account, request=request, organisation=organisation)
    moment = clock.paris(reset.possible_from)
    notices.tell(
        account,
        "factor.reset.asked",
        organisation=organisation.name,
        **{"from": f"{date_longue(moment)} à {heure(moment)}"},
    )
    return reset


@transaction.atomic
def approve(reset: FactorReset, *, by: Account, request: HttpRequest) -> None:
    """Take the factors of the account away and end its sessions. Raises ``ResetRefused``."""
    reset = FactorReset.objects.select_for_update().select_related("account", "organisation").get(pk=reset.pk)
    if reset.state != FactorReset.State.ASKED:
        raise ResetRefused("Cette demande n’attend plus de réponse.")
    if by.pk in (reset.asked_by_id, reset.account_id):
        raise ResetRefused("Une autre personne que celle qui demande doit approuver.")
    if clock.now() < reset.possible_from:
        moment = clock.paris(reset.possible_from)
        raise ResetRefused(f"Il faut attendre jusqu’au {date_longue(moment)} à {heure(moment)}.")
    _end(reset, FactorReset.State.DONE, by)
    Authenticator.objects.filter(user=reset.account).delete()
    sessions.end_all(reset.account)
    _journal(reset, "second_facteur.remis", by)
    audit("manager.mfa.reset", account=reset.account, request=request, organisation=reset.organisation)
    notices.tell(reset.account, "factor.reset.done")


@transaction.atomic
def cancel(reset: FactorReset, *, by: Account, request: HttpRequest) -> None:
    """Drop the request: its holder, the administration that asked or an operator may. Raises ``ResetRefused``."""
    reset = FactorReset.objects.select_for_update().select_related("account", "organisation").get(pk=reset.pk)
    if reset.state != FactorReset.State.ASKED:
        raise ResetRefused("Cette demande n’attend plus de réponse.")
    _end(reset, FactorReset.State.CANCELLED, by)
    _journal(reset, "second_facteur.annule", by)
    audit(
        "manager.mfa.reset.request",
        account=reset.account,
        request=request,
        organisation=reset.organisation,
        outcome="cancelled",
    )


def _end(reset: FactorReset, state: str, by: Account) -> None:
    reset.state, reset.ended_by, reset.ended_at = state, by, clock.now()
    reset.save(update_fields=["state", "ended_by", "ended_at"])
