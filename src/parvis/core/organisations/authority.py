"""What one person may do with the people of an organisation: with everybody, or with those of the services they head.

Nobody touches their own mandates. A permission reserved to the administration is given, and taken back, only by
somebody who holds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest

from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.roles import ROLES, permissions_of, reserved
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Department, Organisation, Role

WHOLE = "administration.organisation"


@dataclass(frozen=True)
class GivenRole:
    """A role that a mandate may give: predefined (``own`` is None) or composed by the organisation."""

    code: str
    label: str
    permissions: frozenset[str]
    own: Role | None = None

    @property
    def columns(self) -> dict[str, object]:
        """Values of the two columns of a mandate or an invitation that name the role."""
        return {"role": "" if self.own else self.code, "own_role": self.own}


def roles_of(organisation: Organisation) -> list[GivenRole]:
    """The predefined roles, then those of the organisation by label."""
    own = Role.objects.filter(organisation=organisation)
    return [GivenRole(code, label, held) for code, (label, held) in ROLES.items()] + [
        GivenRole(role.slug, role.label, role.held, role) for role in own
    ]


def role_named(organisation: Organisation, code: str) -> GivenRole | None:
    """The role of that code or slug, or None."""
    if code in ROLES:
        return GivenRole(code, ROLES[code][0], permissions_of(code))
    role = Role.objects.filter(organisation=organisation, slug=code).first()
    return GivenRole(role.slug, role.label, role.held, role) if role else None


@dataclass(frozen=True)
class Authority:
    """Of ``account`` over the people of ``organisation``; ``departments`` is None when it covers all of them."""

    organisation: Organisation
    account: Account
    permissions: frozenset[str]
    departments: frozenset[UUID] | None = None
    request: HttpRequest | None = field(default=None, compare=False)

    @property
    def actor(self) -> Actor:
        return Actor("account", str(self.account.pk))

    @property
    def whole(self) -> bool:
        return self.departments is None

    @property
    def administers(self) -> bool:
        """Whether they administer anybody; who only reads the rights (the DPO) reads them all."""
        return "administration.personnes" in self.permissions

    def covers(self, department_id: UUID | None) -> bool:
        return self.departments is None or department_id in self.departments

    def may_give(self, role: GivenRole) -> bool:
        """A head gives what they hold themselves, or what the administration lets heads give; nothing reserved."""
        kept = reserved(role.permissions)
        if not self.administers:
            return False
        if self.whole:
            return kept <= self.permissions
        return not kept and (role.permissions <= self.permissions or bool(role.own and role.own.heads_may_give))

    def may_manage(self, mandate: Mandate) -> bool:
        """Whether this person may change or end ``mandate``."""
        return (
            self.administers
            and mandate.account_id != self.account.pk
            and self.covers(mandate.department_id)
            and reserved(mandate.permissions) <= self.permissions
            and (self.whole or not reserved(mandate.permissions))
        )

    def givable(self) -> list[GivenRole]:
        return [role for role in roles_of(self.organisation) if self.may_give(role)]

    def open_departments(self) -> list[Department]:
        """Services to which this person may attach a mandate."""
        found = Department.objects.filter(organisation=self.organisation)
        return list(found if self.departments is None else found.filter(pk__in=self.departments))


def authority_of(
    organisation: Organisation, account: Account, permissions: frozenset[str], request: HttpRequest | None = None
) -> Authority:
    """The authority of ``account``, who holds ``permissions`` in ``organisation`` today."""
    if WHOLE in permissions or "administration.personnes" not in permissions:
        return Authority(organisation, account, permissions, None, request)
    return Authority(organisation, account, permissions, headed_by(organisation, account), request)


def headed_by(organisation: Organisation, account: Account) -> frozenset[UUID]:
    """Services that ``account`` heads, and all those below."""
    tree = list(Department.objects.filter(organisation=organisation))
    return below(tree, (d.pk for d in tree if d.head_id == account.pk))


def below(tree: Iterable[Department], roots: Iterable[UUID]) -> frozenset[UUID]:
    """``roots`` and every service under them."""
    tree, found = list(tree), set(roots)
    while more := {d.pk for d in tree if d.parent_id in found} - found:
        found |= more
    return frozenset(found)
