"""Services of an organisation: a tree without loops, each with a head who administers its people."""

from dataclasses import dataclass

from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import record
from parvis.core.organisations.authority import Authority, below
from parvis.core.organisations.models import Department, Organisation


class DepartmentRefused(DomainError):
    """The service cannot be made, changed or removed as asked."""


@dataclass(frozen=True)
class Branch:
    """One service in the tree as a page draws it: how deep it lies, how many people act in it today."""

    department: Department
    depth: int
    people: int
    above: str = ""

    @property
    def indent(self) -> range:
        return range(self.depth)


def tree(organisation: Organisation) -> list[Branch]:
    """Every service, parents before children, by name."""
    rows = list(Department.objects.filter(organisation=organisation).select_related("head"))
    counts: dict[object, set[int]] = {}
    in_force = Mandate.objects.filter(organisation=organisation, department__isnull=False).in_force(clock.today())
    for department_id, account_id in in_force.values_list("department_id", "account_id"):
        counts.setdefault(department_id, set()).add(account_id)

    def branch(parent_id: object, depth: int, above: str) -> list[Branch]:
        found: list[Branch] = []
        for row in rows:
            if row.parent_id == parent_id:
                found.append(Branch(row, depth, len(counts.get(row.pk, ())), above))
                found += branch(row.pk, depth + 1, row.name)
        return found

    return branch(None, 0, "")


@transaction.atomic
def save_department(
    department: Department | None, *, name: str, parent: Department | None, head: Account | None, by: Authority
) -> Department:
    """Create a service, or change ``department``; its head must act for the organisation today.

    Nobody names themselves head: it widens their own rights.
    """
    rows = Department.objects.filter(organisation=by.organisation)
    others = rows.exclude(pk=department.pk) if department else rows
    if others.filter(name__iexact=name).exists():
        raise DepartmentRefused(f"Un service s’appelle déjà « {name} ».")
    if department and parent and parent.pk in below(rows, [department.pk]):
        raise DepartmentRefused("Un service ne peut pas être rattaché à lui-même ni à un service placé sous lui.")
    before = department.head_id if department else None
    if head and head.pk != before:
        if head.pk == by.account.pk:
            raise DepartmentRefused("Personne ne se nomme responsable : demandez-le à une autre personne.")
        if not Mandate.objects.filter(organisation=by.organisation, account=head).in_force(clock.today()).exists():
            raise DepartmentRefused("Le responsable doit agir aujourd’hui pour l’organisation.")
    department = department or Department(organisation=by.organisation)
    department.name, department.parent, department.head = name, parent, head
    department.save()
    _trace(department, by, "service.enregistre")
    return department


@transaction.atomic
def delete_department(department: Department, *, by: Authority) -> None:
    """Remove a service that nothing names."""
    if department.children.exists() or department.mandates.exists() or department.invitations.exists():
        raise DepartmentRefused(
            "Ce service a des personnes, des invitations ou des services sous lui : rattachez-les d’abord ailleurs."
        )
    _trace(department, by, "service.supprime")
    department.delete()


def _trace(department: Department, by: Authority, action: str) -> None:
    record(by.organisation, action, subject=("service", department.pk), actor=by.actor)
    audit(
        "manager.department.edit",
        request=by.request,
        actor=by.account,
        organisation=by.organisation,
        data={"action": action},
    )
