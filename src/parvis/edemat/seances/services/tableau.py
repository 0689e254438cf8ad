"""Members of a body in the order of the tableau: arrival, change, end of term, replacement (CGCT L2121-1).

A meeting already convened keeps the members and addresses that its convocation froze.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from parvis.core import clock
from parvis.core.documents.typesetting import unprintable
from parvis.core.identity import addresses
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.edemat.seances.errors import TableauRefused
from parvis.edemat.seances.formats.lettres import date_longue
from parvis.edemat.seances.models import Channel, Elu, Organe
from parvis.edemat.seances.services.bodies import lock_organe

ASIDE = 10_000
"""Added to ranks while they are dealt again, so that no two members ever hold the same one."""
CHANGEABLE = frozenset(
    {
        "civility",
        "given_name",
        "family_name",
        "function",
        "group",
        "email",
        "channel",
        "postal_address",
        "account",
        "rank",
        "term_start",
    }
)


def add_elu(
    organe: Organe,
    *,
    civility: str,
    family_name: str,
    term_start: date,
    actor: Actor,
    given_name: str = "",
    email: str = "",
    channel: str = Channel.DEMATERIALISE,
    postal_address: str = "",
    function: str = "",
    group: str = "",
    account: Account | None = None,
    rank: int | None = None,
    replaces: Elu | None = None,
    sitting: Sequence[Account] | None = None,
) -> Elu:
    """Add a member at the end of the tableau, or at `rank`; those behind move one place back.

    Without `account`, the one that holds a mandate here under the same address is linked, so that the member
    finds their convocations. `sitting` are the accounts that sit today, for one who adds several members and
    reads them once. Raises TableauRefused.
    """
    organe = lock_organe(organe)
    elu = Elu(
        organisation=organe.organisation,
        organe=organe,
        civility=civility,
        given_name=given_name,
        family_name=family_name,
        function=function,
        group=group,
        email=email,
        channel=channel,
        postal_address=postal_address,
        account=account,
        term_start=term_start,
        replaces=replaces,
    )
    sitting = list(accounts_of(organe.organisation)) if sitting is None else sitting
    elu.account = account or _free_account(elu, sitting)
    _check(elu, sitting)
    others = list(organe.elus.on_tableau().order_by("rank"))
    last = organe.elus.on_tableau().order_by("-rank").values_list("rank", flat=True).first() or 0
    elu.rank = last + 1
    elu.save()
    if rank is not None and rank <= last:
        _deal([*others[: max(rank, 1) - 1], elu, *others[max(rank, 1) - 1 :]])
    record(organe.organisation, "seances.elu_ajoute", subject=("elu", elu.pk), actor=actor)
    return elu


def change_elu(elu: Elu, *, actor: Actor, **changes: Any) -> Elu:
    """Change what the tableau says of a member: address, group, place, account… Raises TableauRefused."""
    organe = lock_organe(elu.organe)
    elu = Elu.objects.select_related("organisation", "organe", "account").get(pk=elu.pk)
    if unknown := set(changes) - CHANGEABLE:
        raise TypeError(f"cannot change {sorted(unknown)}")
    changed = [name for name, value in changes.items() if getattr(elu, name) != value]
    if not changed:
        return elu
    rank = changes.get("rank")
    for name in changed:
        if name != "rank":
            setattr(elu, name, changes[name])
    _check(elu, list(accounts_of(elu.organisation)) if "account" in changed else None)
    elu.save(update_fields=[name for name in changed if name != "rank"])
    if "rank" in changed and (elu.term_end is None or elu.term_end >= clock.today()):
        others = list(organe.elus.on_tableau().exclude(pk=elu.pk).order_by("rank"))
        place = min(max(rank, 1), len(others) + 1) if rank else len(others) + 1
        _deal([*others[: place - 1], elu, *others[place - 1 :]])
    record(
        elu.organisation,
        "seances.elu_modifie",
        subject=("elu", elu.pk),
        actor=actor,
        details={"fields": sorted(changed)},
    )
    return elu


def _deal(members: Sequence[Elu]) -> None:
    """Give these members, who are all those of the tableau, the ranks 1, 2, 3…"""
    Elu.objects.filter(pk__in=[one.pk for one in members]).update(rank=F("rank") + ASIDE)
    for rank, one in enumerate(members, start=1):
        one.rank = rank
    Elu.objects.bulk_update(members, ["rank"])


def _check(elu: Elu, sitting: Sequence[Account] | None) -> None:
    """What the database would refuse without a sentence, and namesakes that a list could not tell apart.

    `sitting` are the accounts that a member may be linked to; None when the account does not change.
    """
    if strange := unprintable(f"{elu.given_name}{elu.family_name}"):
        raise TableauRefused(
            f"« {strange} » ne s’imprime pas sur une délibération : écrivez le nom de ce membre en lettres latines, "
            "comme à l’état civil."
        )
    if elu.channel == Channel.DEMATERIALISE and not elu.email:
        raise TableauRefused(
            f"{elu.long_name} est convoqué par courrier électronique : indiquez une adresse, ou choisissez le papier."
        )
    if elu.term_end and elu.term_end < elu.term_start:
        raise TableauRefused("La fin du mandat précède son début : corrigez l’une des deux dates.")
    others = elu.organe.elus.lasting().exclude(pk=elu.pk)
    if elu.term_end is None and any(one.long_name == elu.long_name for one in others):
        raise TableauRefused(f"{elu.long_name} est déjà au tableau : un même membre n’y figure qu’une fois.")
    if elu.account_id and elu.term_end is None:
        if taken := next((one for one in others if one.account_id == elu.account_id), None):
            raise TableauRefused(f"Ce compte est déjà celui de {taken.long_name} : choisissez-en un autre.")
        if sitting is not None and elu.account_id not in {one.pk for one in sitting}:
            raise TableauRefused(
                "Ce compte n’a pas de mandat en cours qui permette de siéger : donnez-lui d’abord le rôle d’élu."
            )


def accounts_of(organisation: Organisation) -> QuerySet[Account]:
    """The accounts that sit for the organisation today: those that a member may be linked to."""
    in_force = Mandate.objects.filter(organisation=organisation).in_force(clock.today()).select_related("own_role")
    sitting = {mandate.account_id for mandate in in_force if "seances.sieger" in mandate.permissions}
    return Account.objects.filter(pk__in=sitting).order_by("family_name", "given_name")


def _same_address(elu: Elu, sitting: Sequence[Account]) -> list[Account]:
    """Those of `sitting` under the member's own address, however it was typed on the tableau."""
    try:
        address = addresses.canonical(elu.email)
    except addresses.AddressRefused:  # none, or one that no account can have
        return []
    return [one for one in sitting if one.email == address]


def _free_account(elu: Elu, sitting: Sequence[Account]) -> Account | None:
    """The account under the member's own address, unless another member is linked to it."""
    same = _same_address(elu, sitting)
    taken = set(elu.organe.elus.lasting().filter(account__in=same).values_list("account", flat=True)) if same else set()
    return next((one for one in same if one.pk not in taken), None)


def linkable(organe: Organe, members: Sequence[Elu]) -> set[UUID]:
    """Those of `members`, who are all those of the tableau, that `link_accounts` would link."""
    sitting, taken = list(accounts_of(organe.organisation)), {elu.account_id for elu in members}
    free = [one for one in sitting if one.pk not in taken]
    return {elu.pk for elu in members if elu.account_id is None and _same_address(elu, free)}


def link_accounts(organe: Organe, *, actor: Actor) -> list[Elu]:
    """Link to each member without account the one under the same address; return those who were linked."""
    organe = lock_organe(organe)
    linked, sitting = [], list(accounts_of(organe.organisation))
    for elu in organe.elus.on_tableau().filter(account__isnull=True).select_related("organisation", "organe"):
        if account := _free_account(elu, sitting):
            linked.append(change_elu(elu, account=account, actor=actor))
    return linked


def end_term(elu: Elu, *, on: date, actor: Actor) -> Elu:
    """End a member's term (resignation, death, end of mandate): `on` is its last day.

    The member keeps a place on the tableau until then; the ranks close up once it has passed.
    """
    organe = lock_organe(elu.organe)
    elu = Elu.objects.select_related("organisation", "organe").get(pk=elu.pk)
    if elu.term_end is not None:
        raise TableauRefused(f"Le mandat de {elu.long_name} a déjà une fin : le {date_longue(elu.term_end)}.")
    if on < elu.term_start:
        raise TableauRefused(
            f"Le mandat de {elu.long_name} a commencé le {date_longue(elu.term_start)} : il ne peut pas finir avant."
        )
    elu.term_end = on
    elu.save(update_fields=["term_end"])
    close_ranks(organe)
    record(
        organe.organisation,
        "seances.elu_fin_de_mandat",
        subject=("elu", elu.pk),
        actor=actor,
        details={"fin": on.isoformat()},
    )
    return elu


def close_ranks(organe: Organe) -> None:
    """Give the members of the tableau the ranks 1, 2, 3… when those who left have made holes in them."""
    organe = lock_organe(organe)
    members = list(organe.elus.on_tableau().order_by("rank", "term_start"))
    if [one.rank for one in members] != list(range(1, len(members) + 1)):
        _deal(members)


def replace_elu(elu: Elu, *, on: date, actor: Actor, **successor: Any) -> Elu:
    """End a member's term on a day and seat the next on the list from the day after, last of the tableau.

    `successor` are the arguments of `add_elu` for the new member.
    """
    elu = end_term(elu, on=on, actor=actor)
    new = add_elu(elu.organe, term_start=on + timedelta(days=1), replaces=elu, actor=actor, **successor)
    record(
        elu.organisation,
        "seances.elu_remplace",
        subject=("elu", elu.pk),
        actor=actor,
        details={"par": str(new.pk)},
    )
    return new
