"""Opening, changing, suspending and ending mandates, and the rule that an organisation keeps an administrator.

What could remove the last administrator locks the organisation's row first: two administrators who close each
other at once are heard one after the other.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity import addresses
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.authority import WHOLE, Authority, GivenRole, role_named
from parvis.core.organisations.models import Department, Organisation

CHANGEABLE = ("title", "department", "staff_number", "start", "end")


class MandateRefused(DomainError):
    """The mandate cannot be opened, changed or ended as asked."""


def lock(organisation: Organisation) -> None:
    """Hold the organisation's row until the end of the transaction; rows that name it are still written."""
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation.pk)


def administrators(organisation: Organisation, on: date) -> set[int]:
    """Accounts that administer the whole organisation on that day."""
    mandates = Mandate.objects.filter(
        organisation=organisation, account__is_active=True, account__suspended_at__isnull=True
    )
    in_force = mandates.in_force(on).select_related("own_role")
    return {m.account_id for m in in_force if WHOLE in m.permissions}


def keep_an_administrator(organisation: Organisation, without: Iterable[Mandate], on: date) -> None:
    """Refuse what would leave nobody to administer ``organisation`` on that day; its row is locked."""
    ending = [m for m in without if WHOLE in m.permissions]
    if not ending:
        return
    others = Mandate.objects.filter(
        organisation=organisation, account__is_active=True, account__suspended_at__isnull=True
    ).exclude(pk__in=[m.pk for m in ending])
    if not any(WHOLE in m.permissions for m in others.in_force(on).select_related("own_role")):
        raise MandateRefused(
            "C’est le dernier mandat d’administration de l’organisation : donnez d’abord ce rôle à une autre personne."
        )


def _for_change(mandate: Mandate, by: Authority | None) -> Mandate:
    """The mandate as it is now, locked, once ``by`` may change it."""
    lock(mandate.organisation)
    fresh = (
        Mandate.objects.select_for_update(of=("self",))
        .select_related("organisation", "account", "own_role", "department")
        .get(pk=mandate.pk)
    )
    if by is not None and fresh.account_id == by.account.pk:
        raise MandateRefused(
            "Personne ne modifie ses propres mandats : demandez-le à une autre personne de l’administration."
        )
    if by is not None and not by.may_manage(fresh):
        raise MandateRefused("Ce mandat donne des droits que vous n’avez pas : vous ne pouvez pas le modifier.")
    return fresh


def check_gift(role: GivenRole | None, department: Department | None, by: Authority) -> GivenRole:
    """The role, once ``by`` may give it there; raises ``MandateRefused``."""
    if role is None:
        raise MandateRefused("Ce rôle n’existe pas dans votre organisation : choisissez-en un de la liste.")
    if not by.may_give(role):
        raise MandateRefused(
            f"Le rôle « {role.label} » donne des droits que vous n’avez pas : "
            "demandez à une personne qui les tient de le donner."
        )
    if not by.covers(department.pk if department else None):
        raise MandateRefused("Choisissez un service dont vous êtes responsable.")
    return role


@transaction.atomic
def open_mandate(
    organisation: Organisation,
    account: Account,
    role: GivenRole,
    *,
    start: date,
    end: date | None = None,
    title: str = "",
    department: Department | None = None,
    staff_number: str = "",
    actor: Actor,
    by: Authority | None = None,
) -> Mandate:
    """Let ``account`` act for the organisation; the journal and the audit log keep the trace.

    Raises ``MandateRefused`` when the account is not an agent's or holds the role already.
    """
    if account.population != Account.Population.AGENT:
        raise MandateRefused("Un mandat se donne à un compte d’agent ou d’élu, jamais à un compte d’usager.")
    if by is not None:
        check_gift(role, department, by)
        if account.pk == by.account.pk:
            raise MandateRefused("Personne ne se donne un mandat : demandez-le à une autre personne.")
    same = Mandate.objects.filter(organisation=organisation, account=account, **role.columns)
    if same.filter(start__lte=end or date.max).not_over(start).exists():
        raise MandateRefused(
            f"{account.full_name} tient déjà ce rôle à cette date : mettez d’abord fin au mandat en cours.",
            role=role.code,
        )
    mandate = Mandate.objects.create(
        organisation=organisation,
        account=account,
        **role.columns,
        title=title,
        department=department,
        staff_number=staff_number,
        start=start,
        end=end,
    )
    record(
        organisation, "mandat.ouvert", subject=("mandat", mandate.pk), actor=actor,
        details={"role": role.code, "account": account.pk, "start": start.isoformat()},
    )  # fmt: skip
    _audit("manager.role.membership.grant", mandate, by)
    return mandate


def _audit(event: str, mandate: Mandate, by: Authority | None, **data: object) -> None:
    audit(
        event,
        account=mandate.account,
        request=by.request if by else None,
        actor=by.account if by else None,
        organisation=mandate.organisation,
        data={"role": mandate.role_code, **data},
    )


@transaction.atomic
def give_mandate(
    organisation: Organisation,
    *,
    email: str,
    given_name: str,
    family_name: str,
    role: str,
    title: str,
    start: date,
    end: date | None,
    actor: Actor,
) -> Mandate:
    """Let a person act for the organisation; the account is made when the address is a new one.

    For what is installed without anybody in front of the screen: a demonstration, a migration. People are
    invited instead (``invitations``), so that nobody learns whether an address has an account.
    """
    given = role_named(organisation, role)
    if given is None:
        raise MandateRefused("Ce rôle n’existe pas dans l’organisation.", role=role)
    email = addresses.canonical(email)
    account = Account.objects.filter(email=email).first()
    if account is None:
        account = Account.objects.create_user(email, given_name=given_name, family_name=family_name)
    return open_mandate(organisation, account, given, title=title, start=start, end=end, actor=actor)


@transaction.atomic
def change_mandate(mandate: Mandate, values: dict[str, object], *, by: Authority) -> list[str]:
    """Write those of ``values`` (``CHANGEABLE``) that differ; returns the names of the fields changed."""
    mandate = _for_change(mandate, by)
    today = clock.today()
    changed = [n for n in CHANGEABLE if n in values and getattr(mandate, n) != values[n]]
    if not changed:
        return []
    if mandate.is_over(today):
        raise MandateRefused("Ce mandat est terminé : donnez-en un nouveau.")
    department = values.get("department", mandate.department)
    if "department" in changed and not by.covers(department.pk if isinstance(department, Department) else None):
        raise MandateRefused("Choisissez un service dont vous êtes responsable.")
    for name in changed:
        setattr(mandate, name, values[name])
    if mandate.end is not None and mandate.end < mandate.start:
        raise MandateRefused("La fin précède le début : corrigez l’une des deux dates.")
    if "start" in changed and mandate.start > today:
        keep_an_administrator(mandate.organisation, [mandate], today)
    if "end" in changed and mandate.end is not None:
        keep_an_administrator(mandate.organisation, [mandate], max(today, mandate.end + timedelta(days=1)))
    mandate.save(update_fields=changed)
    record(
        mandate.organisation, "mandat.modifie", subject=("mandat", mandate.pk), actor=by.actor,
        details={"fields": sorted(changed)},
    )  # fmt: skip
    _audit("manager.role.membership.edit", mandate, by, fields=sorted(changed))
    return changed


@transaction.atomic
def close_mandate(mandate: Mandate, *, actor: Actor, by: Authority | None = None) -> None:
    """Close a mandate at this instant: it lets nothing more be done, and its dates go on saying what was.

    Raises ``MandateRefused`` for the last administration mandate, which would lock everybody out, for a mandate
    already over, and for one's own.
    """
    mandate = _for_change(mandate, by)
    today = clock.today()
    if mandate.is_over(today):
        raise MandateRefused("Ce mandat est déjà terminé.")
    keep_an_administrator(mandate.organisation, [mandate], today)
    mandate.closed_at, mandate.end = clock.now(), max(mandate.start, today)  # one to come never takes effect
    mandate.save(update_fields=["closed_at", "end"])
    record(
        mandate.organisation, "mandat.clos", subject=("mandat", mandate.pk), actor=actor,
        details={"role": mandate.role_code},
    )  # fmt: skip
    _audit("manager.role.membership.removal", mandate, by)


@transaction.atomic
def suspend_access(organisation: Organisation, account: Account, *, by: Authority) -> int:
    """Suspend every mandate of ``account`` in the organisation, not the account; returns how many."""
    mandates = _all_of(organisation, account, by, suspended=False)
    keep_an_administrator(organisation, mandates, clock.today())
    return _set_suspended(organisation, mandates, account, by, suspended=True)


@transaction.atomic
def reactivate_access(organisation: Organisation, account: Account, *, by: Authority) -> int:
    """Give back the mandates suspended; returns how many."""
    mandates = _all_of(organisation, account, by, suspended=True)
    return _set_suspended(organisation, mandates, account, by, suspended=False)


def _all_of(organisation: Organisation, account: Account, by: Authority, *, suspended: bool) -> list[Mandate]:
    lock(organisation)
    mandates = Mandate.objects.filter(organisation=organisation, account=account, suspended_at__isnull=not suspended)
    found = list(mandates.not_over(clock.today()).select_related("own_role", "account", "organisation"))
    if account.pk == by.account.pk:
        raise MandateRefused("Personne ne suspend ni ne rétablit son propre accès.")
    if not found:
        raise MandateRefused("Cette personne n’a aucun mandat à suspendre ou à rétablir.")
    if not all(by.may_manage(m) for m in found):
        raise MandateRefused(
            "Un des mandats de cette personne n’est pas de votre ressort : adressez-vous à l’administration."
        )
    return found


def _set_suspended(
    organisation: Organisation, mandates: list[Mandate], account: Account, by: Authority, *, suspended: bool
) -> int:
    rows = Mandate.objects.filter(pk__in=[m.pk for m in mandates])
    number = rows.update(suspended_at=clock.now() if suspended else None)
    for mandate in mandates:
        record(
            organisation,
            "mandat.suspendu" if suspended else "mandat.retabli",
            subject=("mandat", mandate.pk),
            actor=by.actor,
        )
    audit(
        "manager.access.suspension" if suspended else "manager.access.restoration",
        account=account,
        request=by.request,
        actor=by.account,
        organisation=organisation,
        data={"mandates": number},
    )
    return number
