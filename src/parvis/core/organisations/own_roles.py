"""Roles that an organisation composes for itself, and the import of their names from a Publik export."""

import json
from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.utils.text import slugify

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Mandate
from parvis.core.identity.roles import ROLES, all_permissions, reserved
from parvis.core.journal.services import record
from parvis.core.organisations.authority import WHOLE, Authority
from parvis.core.organisations.mandates import keep_an_administrator, lock
from parvis.core.organisations.models import Role

MAX_FILE: Final = 512 * 1024
MAX_ROLES: Final = 500


class RoleRefused(DomainError):
    """The role cannot be composed, changed, deleted or imported as asked."""


def _check(permissions: Iterable[str], by: Authority) -> list[str]:
    held = frozenset(permissions)
    if unknown := held - all_permissions():
        raise RoleRefused("Un des droits demandés n’existe pas : rechargez la page.", permissions=sorted(unknown))
    if reserved(held) - by.permissions:
        raise RoleRefused("Vous ne pouvez pas composer un rôle avec un droit d’administration que vous n’avez pas.")
    return sorted(held)


def _free_slug(by: Authority, label: str) -> str:
    base = slugify(label)[:50] or "role"
    taken = set(Role.objects.filter(organisation=by.organisation).values_list("slug", flat=True)) | set(ROLES)
    return next(s for n in range(1, len(taken) + 2) if (s := base if n == 1 else f"{base}-{n}") not in taken)


def _trace(role: Role, by: Authority, action: str, event: str) -> None:
    details = {"role": role.slug, "permissions": role.permissions}
    record(by.organisation, action, subject=("role", role.pk), actor=by.actor, details=details)
    audit(event, request=by.request, actor=by.account, organisation=by.organisation, data=details)


@transaction.atomic
def compose(
    label: str, permissions: Iterable[str], *, description: str = "", heads_may_give: bool = False, by: Authority
) -> Role:
    """Create a role of the organisation; raises ``RoleRefused`` for a permission above one's own rights."""
    held = _check(permissions, by)
    _refuse_homonym(label, by)
    role = Role.objects.create(
        organisation=by.organisation,
        slug=_free_slug(by, label),
        label=label,
        description=description,
        permissions=held,
        heads_may_give=heads_may_give,
        created_at=clock.now(),
    )
    _trace(role, by, "role.cree", "manager.role.creation")
    return role


def _refuse_homonym(label: str, by: Authority, besides: Role | None = None) -> None:
    rows = Role.objects.filter(organisation=by.organisation, label__iexact=label)
    others = rows.exclude(pk=besides.pk) if besides else rows
    if others.exists() or any(label.casefold() == known.casefold() for known, _ in ROLES.values()):
        raise RoleRefused(f"Un rôle s’appelle déjà « {label} » : choisissez un autre intitulé.")


@transaction.atomic
def edit(
    role: Role,
    *,
    label: str,
    permissions: Iterable[str],
    description: str = "",
    heads_may_give: bool = False,
    by: Authority,
) -> bool:
    """Change a role; False when nothing differs. A role that gives more than one's rights, or one's own, is refused."""
    lock(by.organisation)
    role = Role.objects.select_for_update().get(pk=role.pk)
    held = _check(permissions, by)
    if reserved(role.held) - by.permissions:
        raise RoleRefused("Ce rôle donne un droit d’administration que vous n’avez pas : vous ne pouvez le modifier.")
    if Mandate.objects.filter(own_role=role, account=by.account).not_over(clock.today()).exists():
        raise RoleRefused("Vous tenez ce rôle : demandez à une autre personne de l’administration de le modifier.")
    _refuse_homonym(label, by, besides=role)
    values = {"label": label, "description": description, "permissions": held, "heads_may_give": heads_may_give}
    if all(getattr(role, name) == value for name, value in values.items()):
        return False
    if WHOLE in role.held and WHOLE not in held:
        losing = Mandate.objects.filter(own_role=role).in_force(clock.today()).select_related("own_role")
        keep_an_administrator(by.organisation, losing, clock.today())
    for name, value in values.items():
        setattr(role, name, value)
    role.save(update_fields=list(values))
    _trace(role, by, "role.modifie", "manager.role.edit")
    return True


@transaction.atomic
def delete(role: Role, *, by: Authority) -> None:
    """Delete a role that no mandate and no invitation ever named."""
    role = Role.objects.select_for_update().get(pk=role.pk)
    if role.mandates.exists() or role.invitations.exists():
        raise RoleRefused(
            "Ce rôle a été donné : il reste pour que l’historique se lise. Retirez-lui ses droits s’il ne sert plus."
        )
    _trace(role, by, "role.supprime", "manager.role.deletion")
    role.delete()


def read_publik(content: bytes) -> list[str]:
    """Labels of the roles in a Publik export (``{"roles": [{"slug", "name", …}]}``), in order, without doubles.

    Raises ``RoleRefused`` for anything else. Nothing but the names is taken: Publik's roles carry no permission.
    """
    if len(content) > MAX_FILE:
        raise RoleRefused("Le fichier dépasse 512 Ko : un export de rôles est bien plus petit.")
    try:
        document = json.loads(content.decode("utf-8-sig"))
        rows = document["roles"] if isinstance(document, dict) else None
    except (ValueError, KeyError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        raise RoleRefused("Ce fichier n’est pas un export de rôles : une liste « roles » au format JSON est attendue.")
    if len(rows) > MAX_ROLES:
        raise RoleRefused(f"Le fichier contient plus de {MAX_ROLES} rôles.")
    names = [row.get("name") if isinstance(row, dict) else None for row in rows]
    labels = [" ".join(n.replace("\x00", "").split()) if isinstance(n, str) else "" for n in names]
    for rank, label in enumerate(labels, start=1):
        if not label or len(label) > 120:
            raise RoleRefused(f"Le rôle n° {rank} n’a pas de nom, ou un nom de plus de 120 caractères.")
    return list(dict.fromkeys(labels))


@transaction.atomic
def import_labels(labels: Iterable[str], *, by: Authority) -> tuple[int, int]:
    """Create, without any permission, the roles that are not there yet; returns (created, already there)."""
    rows = Role.objects.filter(organisation=by.organisation)
    known = {label.casefold() for label in rows.values_list("label", flat=True)}
    known |= {label.casefold() for label, _ in ROLES.values()}
    labels = list(labels)
    fresh = [label for label in labels if label.casefold() not in known]
    for label in fresh:
        compose(label, [], by=by)
    return len(fresh), len(labels) - len(fresh)
