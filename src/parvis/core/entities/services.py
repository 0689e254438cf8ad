"""What a person says, and what ProConnect says, of the entities they act for.

Every function acts for the account that it is given: the caller has checked that this is the person of the request,
or an identity provider's answer about them. Nothing here ever reads the rows of another person.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest

from parvis.core import clock
from parvis.core.authentication import notices
from parvis.core.entities.models import EntityRole
from parvis.core.entities.numbers import is_rna, number
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import current_scope, in_scope

MOST: Final = 50
Kind, Role, Source = EntityRole.Kind, EntityRole.Role, EntityRole.Source


class RoleRefused(DomainError):
    """The role cannot be kept as asked. ``field`` says which value is wrong, None for none in particular."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


@contextmanager
def _as_holder(account: Account, *, alone: bool = False) -> Iterator[None]:
    """The rows of ``account`` are shown; ``alone``, nothing else changes them meanwhile."""
    with in_scope(replace(current_scope(), account=account.pk)):
        if alone:
            Account.objects.select_for_update().get(pk=account.pk)
        yield


def roles_of(account: Account) -> list[EntityRole]:
    """All the roles of ``account``, those that are over last."""
    today = clock.today()
    with _as_holder(account):
        return sorted(EntityRole.objects.filter(account=account), key=lambda role: role.is_over(today))


def in_force(account: Account) -> list[EntityRole]:
    """The roles in which ``account`` may act today, by name."""
    with _as_holder(account):
        return list(EntityRole.objects.filter(account=account).in_force(clock.today()))


def role_of(account: Account, pk: UUID | str) -> EntityRole | None:
    """One role of ``account``, None when it has none of that key."""
    with _as_holder(account):
        return EntityRole.objects.filter(account=account, pk=pk).first()


def declare(
    account: Account,
    typed: str,
    *,
    kind: str,
    name: str,
    role: str,
    start: date | None = None,
    end: date | None = None,
    request: HttpRequest | None = None,
) -> EntityRole:
    """Keep that ``account`` says it acts for the entity whose number is ``typed``, from today unless told otherwise.

    Raises NumberRefused, RoleRefused.
    """
    if account.population != Account.Population.USAGER:
        raise RoleRefused("Un compte d’agent n’agit que pour ses organisations : ouvrez un compte d’usager.")
    kept = number(typed)
    start = start or clock.today()
    _check(kept, kind, start, end)
    _refuse_ours(kept)
    with _as_holder(account, alone=True):
        mine = EntityRole.objects.filter(account=account)
        if known := mine.filter(number=kept).not_over(clock.today()).first():
            raise RoleRefused(
                f"Vous avez déjà déclaré cet organisme ({known.title}) : modifiez votre rôle depuis la liste.", "number"
            )
        if mine.count() >= MOST:
            raise RoleRefused(f"Un compte garde {MOST} organismes au plus.")
        made = EntityRole.objects.create(
            account=account, number=kept, kind=kind, name=name, role=role, start=start, end=end,
            created_at=clock.now(),
        )  # fmt: skip
        _log("user.entity.add", made, request)
    return made


def _check(kept: str, kind: str, start: date, end: date | None) -> None:
    if is_rna(kept) and kind != Kind.ASSOCIATION:
        raise RoleRefused("Un numéro RNA est celui d’une association : choisissez « Association ».", "kind")
    if end is not None and end < start:
        raise RoleRefused("La fin vient avant le début : corrigez l’une des deux dates.", "end")


def _refuse_ours(kept: str) -> None:
    """People act for an organisation of the platform by their mandates, which it gives itself."""
    ours = None if is_rna(kept) else Organisation.objects.filter(siren=kept[:9]).first()
    if ours is not None:
        raise RoleRefused(
            f"Ce SIRET est celui de {ours.name}, qui donne elle-même leurs droits à ses agents : adressez-vous à son"
            " administration.",
            "number",
        )


def _present(role: EntityRole) -> EntityRole:
    """The role as it is now. Raises RoleRefused when its holder ended it meanwhile, before it had begun."""
    kept = EntityRole.objects.filter(pk=role.pk).first()
    if kept is None:
        raise RoleRefused("Ce rôle est déjà terminé.")
    return kept


def change(role: EntityRole, values: Mapping[str, Any], *, request: HttpRequest | None = None) -> list[str]:
    """Write ``kind``, ``name``, ``role``, ``start`` and ``end`` of a role; returns the names of what changed.

    The number never changes, nor a role that was verified: raises RoleRefused.
    """
    with _as_holder(role.account, alone=True):
        kept = _present(role)
        changed = [name for name, value in values.items() if getattr(kept, name) != value]
        if kept.role_verified and "role" in changed:
            raise RoleRefused(f"Ce rôle a été {kept.mark} : il ne se modifie pas ici.", "role")
        for name in changed:
            setattr(kept, name, values[name])
        _check(kept.number, kept.kind, kept.start, kept.end)
        others = EntityRole.objects.filter(account=kept.account_id, number=kept.number).exclude(pk=kept.pk)
        if not kept.is_over(clock.today()) and others.not_over(clock.today()).exists():
            raise RoleRefused("Un autre de vos rôles dans cet organisme est en cours : terminez-le d’abord.", "end")
        if changed:
            kept.save(update_fields=changed)
            _log("user.entity.update", kept, request, fields=sorted(changed))
    return changed


def end(role: EntityRole, *, request: HttpRequest | None = None) -> None:
    """The person no longer acts for the entity, from today; a role that had not begun is forgotten.

    Raises RoleRefused when it is over already.
    """
    today = clock.today()
    with _as_holder(role.account, alone=True):
        kept = _present(role)
        if kept.is_over(today):
            raise RoleRefused("Ce rôle est déjà terminé.")
        _log("user.entity.end", kept, request)
        if kept.start > today:
            kept.delete()
        else:
            kept.end = today
            kept.save(update_fields=["end"])


def told_by_proconnect(
    account: Account,
    siret: str,
    *,
    name: str = "",
    checked: bool,
    represents: bool = False,
    issuer: str,
    request: HttpRequest | None = None,
) -> EntityRole | None:
    """ProConnect says that ``account`` belongs to the establishment ``siret``: a role is added or marked, none moves.

    ``checked`` when it answers for it, ``represents`` when it answers that the person is its legal representative.
    A role that its holder ended stays so: None is returned.
    """
    now, today = clock.now(), clock.today()
    mark: dict[str, Any] = {
        "source": Source.PROCONNECT,
        "verified_at": now if checked else None,
        "verified_by": issuer[:200],
    }
    if represents and checked:
        mark |= {"role": Role.REPRESENTATIVE, "role_verified": True}
    with _as_holder(account, alone=True):
        mine = EntityRole.objects.filter(account=account, number=siret)
        present = mine.not_over(today).first()
        if present is None:
            if mine.exists():
                return None
            given: dict[str, Any] = {"kind": Kind.COMPANY, "role": Role.UNSAID, "name": name[:200], "start": today}
            made = EntityRole.objects.create(account=account, number=siret, created_at=now, **{**given, **mark})
            _log("user.entity.add", made, request)
            _tell(made)
            return made
        if checked:
            news = not present.verified or (represents and not present.role_verified)
            for field, value in mark.items():
                setattr(present, field, value)
            present.save(update_fields=list(mark))
            if news:
                _log("user.entity.update", present, request, fields=["verified"])
        return present


def drop_verification(account: Account, source: str, *, request: HttpRequest | None = None) -> None:
    """Turn the roles that ``source`` answered for into declared ones, without changing them."""
    with _as_holder(account, alone=True):
        for role in EntityRole.objects.filter(account=account, source=source):
            role.source, role.verified_at, role.verified_by, role.role_verified = Source.DECLARED, None, "", False
            role.save(update_fields=["source", "verified_at", "verified_by", "role_verified"])
            _log("user.entity.update", role, request, fields=["verified"])


def _log(event: str, role: EntityRole, request: HttpRequest | None, **data: Any) -> None:
    data = {"entity": str(role.pk), "source": str(role.source), **data}
    audit(event, account=role.account, request=request, data=data)


def _tell(role: EntityRole) -> None:
    if role.account.has_address:
        notices.tell(role.account, "entity.added", entity=role.title, number=role.shown_number, mark=role.mark)


def register_notices() -> None:
    """The message of this package."""

    def added(account: Account, facts: notices.Facts) -> str:
        return (
            f"{facts['entity']} ({facts['number']}) figure désormais parmi les organismes pour lesquels vous pouvez"
            f" agir ({facts['mark']}).\n\nQuand : {facts['when']}\n\nCe n’est plus vrai ? Terminez ce rôle depuis « Mon"
            f" compte » :\n{notices.address('entities:list')}\n\n{notices.not_me(account)}\n"
            f"{notices.address('authentication:security')}"
        )

    notices.NOTICES["entity.added"] = ("Un organisme est ajouté à votre compte", added)


# --- the life of the account ----------------------------------------------------------------------------------
def exported(account: Account) -> Iterator[dict[str, Any]]:
    """What this package holds of ``account``, for the export of its data."""
    for role in roles_of(account):
        yield {
            "numéro": role.shown_number,
            "nom": role.name,
            "nature": role.get_kind_display(),
            "rôle": role.get_role_display(),
            "début": role.start,
            "fin": role.end,
            "origine": role.mark,
            "vérifié le": role.verified_at,
        }


def erase(account: Account) -> int:
    """Erase what this package holds of ``account`` (deletion of the account); returns how many roles."""
    with _as_holder(account):
        return EntityRole.objects.filter(account=account).delete()[0]
