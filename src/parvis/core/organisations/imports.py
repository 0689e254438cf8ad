"""Import of agents from a file: examined without writing anything, then applied once somebody confirms it.

A person who holds a mandate of the organisation receives or keeps the mandate directly; anybody else is invited,
even somebody who left: nobody acts for an organisation without having accepted it, and the report never tells
whether an address has an account. Nothing is ever removed, and the same file run again changes nothing. Both passes
advance by slices, each in its own transaction, and go on where they stopped.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit, audit_many
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import Event, record, record_many
from parvis.core.organisations import people_csv
from parvis.core.organisations.authority import WHOLE, Authority, GivenRole, authority_of, roles_of
from parvis.core.organisations.mandates import MandateRefused, change_mandate
from parvis.core.organisations.models import Department, ImportLine, Invitation, Organisation, PeopleImport
from parvis.core.organisations.tenancy import acting_for

SLICE: Final = 500
Outcome = ImportLine.Outcome


class ImportRefused(DomainError):
    """The import cannot be done as asked."""


@transaction.atomic
def deposit(filename: str, content: bytes, key: str, *, by: Authority) -> PeopleImport:
    """Read a file and set its examination going; raises ``people_csv.FileRefused``."""
    from parvis.core.organisations.tasks import examine_import

    people = people_csv.read(content, key)
    batch = PeopleImport.objects.create(
        organisation=by.organisation,
        filename=filename[:255],
        key=key,
        encoding=people.encoding,
        created_by=by.account,
        created_at=clock.now(),
        started_at=clock.now(),
        total=len(people.lines),
    )
    ImportLine.objects.bulk_create(
        (
            ImportLine(
                organisation=by.organisation,
                batch=batch,
                number=line.number,
                values=line.values,
                outcome=Outcome.REFUSED if line.problem else "",
                sentence=line.problem,
            )
            for line in people.lines
        ),
        batch_size=2000,
    )
    _trace(batch, "import.depose", by)
    examine_import.enqueue(by.organisation, batch_id=str(batch.pk))
    return batch


@transaction.atomic
def confirm(batch: PeopleImport, *, by: Authority) -> None:
    """Set the import going; who confirms it answers for it."""
    from parvis.core.organisations.tasks import apply_import

    batch = PeopleImport.objects.select_for_update().get(pk=batch.pk)
    if batch.state != PeopleImport.State.EXAMINED:
        raise ImportRefused("Cet import n’attend pas de confirmation : il est en cours, terminé ou abandonné.")
    batch.state, batch.done = PeopleImport.State.APPLYING, 0
    batch.created_by, batch.started_at = by.account, clock.now()
    batch.save(update_fields=["state", "done", "created_by", "started_at"])
    _trace(batch, "import.confirme", by)
    apply_import.enqueue(by.organisation, batch_id=str(batch.pk))


@transaction.atomic
def abandon(batch: PeopleImport, *, by: Authority) -> None:
    """Drop an import that was not confirmed, with everything its file said."""
    batch = PeopleImport.objects.select_for_update().get(pk=batch.pk)
    if batch.state not in (PeopleImport.State.EXAMINED, PeopleImport.State.EXAMINING):
        raise ImportRefused("Cet import a commencé : il ne peut plus être abandonné.")
    batch.lines.all().delete()
    batch.state = PeopleImport.State.ABANDONED
    batch.save(update_fields=["state"])
    _trace(batch, "import.abandonne", by)


def _trace(batch: PeopleImport, action: str, by: Authority, **details: Any) -> None:
    details = {"lines": batch.total, **details}
    record(by.organisation, action, subject=("import", batch.pk), actor=by.actor, details=details)
    audit(
        "manager.user.csvimport.run",
        request=by.request,
        actor=by.account,
        organisation=by.organisation,
        data={"step": action, **details},
    )


# --- the two passes, run by jobs --------------------------------------------------------------------------


def examine(organisation_id: int, batch_id: str) -> None:
    """Say of each line what would be done of it, without doing it."""
    if _by_slices(organisation_id, batch_id, PeopleImport.State.EXAMINING, {"outcome": ""}, _examine_slice):
        _finish(organisation_id, batch_id, PeopleImport.State.EXAMINED)


def apply(organisation_id: int, batch_id: str) -> None:
    """Do what was confirmed, each line decided anew on the present state; then send the invitations."""
    todo = {"outcome__in": [Outcome.CREATED, Outcome.UPDATED], "applied": False}
    if _by_slices(organisation_id, batch_id, PeopleImport.State.APPLYING, todo, _apply_slice):
        _finish(organisation_id, batch_id, PeopleImport.State.DONE)


def _by_slices(
    organisation_id: int,
    batch_id: str,
    state: str,
    todo: dict[str, Any],
    work: Callable[["Planner", list[ImportLine]], None],
) -> bool:
    """Run ``work`` over the lines of ``todo`` until none is left; False when the batch is not in ``state``."""
    while True:
        with acting_for(organisation_id):
            rows = PeopleImport.objects.select_for_update(of=("self",)).select_related("organisation", "created_by")
            batch = rows.filter(pk=batch_id, state=state).first()
            if batch is None:
                return False
            lines = list(batch.lines.filter(**todo).order_by("number")[:SLICE])
            if not lines:
                return True
            work(Planner.prepare(batch, lines), lines)
            batch.done = batch.total - batch.lines.filter(**todo).count()
            batch.save(update_fields=["done"])


def _finish(organisation_id: int, batch_id: str, state: PeopleImport.State) -> None:
    from parvis.core.organisations.tasks import deliver_waiting

    with acting_for(organisation_id):
        batch = PeopleImport.objects.select_related("organisation", "created_by").get(pk=batch_id)
        batch.state, batch.done, batch.ended_at = state, batch.total, clock.now()
        batch.save(update_fields=["state", "done", "ended_at"])
        if state == PeopleImport.State.DONE and batch.created_by:
            by = Planner.authority(batch)
            _trace(batch, "import.termine", by, **counts(batch))
            deliver_waiting.enqueue(batch.organisation)


def counts(batch: PeopleImport) -> dict[str, int]:
    """Number of lines by outcome."""
    found = dict.fromkeys(Outcome.values, 0)
    for outcome in batch.lines.exclude(outcome="").values_list("outcome", flat=True):
        found[outcome] += 1
    return found


@dataclass(frozen=True)
class Wanted:
    """What a well-formed line asks for, its words resolved."""

    email: str
    given_name: str
    family_name: str
    role: GivenRole
    title: str
    department: Department | None
    staff_number: str
    start: date | None
    end: date | None

    @property
    def stated(self) -> dict[str, object]:
        """The fields of a mandate or an invitation that the line fills: an empty cell changes nothing."""
        values: dict[str, object] = {
            "title": self.title, "department": self.department, "staff_number": self.staff_number,
            "start": self.start, "end": self.end,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}


@dataclass
class Plan:
    """Outcome of a line and what it is about."""

    outcome: str
    sentence: str = ""
    wanted: Wanted | None = None
    account: Account | None = None
    mandate: Mandate | None = None
    invitation: Invitation | None = None


class _Refused(Exception):
    """The sentence for the line."""


@dataclass
class Planner:
    """Everything that deciding a slice of lines needs, read at once."""

    batch: PeopleImport
    by: Authority
    roles: dict[str, GivenRole]
    departments: dict[str, Department]
    mandates: dict[str, list[Mandate]] = field(default_factory=dict)
    invitations: dict[str, list[Invitation]] = field(default_factory=dict)
    emails: dict[str, list[Mandate]] = field(default_factory=dict)

    @staticmethod
    def authority(batch: PeopleImport) -> Authority:
        """What the person who answers for the import may do now: their rights may have changed since."""
        account = batch.created_by
        assert account is not None
        rows = Mandate.objects.filter(organisation=batch.organisation, account=account).in_force(clock.today())
        held = frozenset().union(*(m.permissions for m in rows.select_related("own_role")))
        return authority_of(batch.organisation, account, held)

    @classmethod
    def prepare(cls, batch: PeopleImport, lines: Iterable[ImportLine]) -> "Planner":
        organisation = batch.organisation
        roles = roles_of(organisation)
        planner = cls(
            batch,
            cls.authority(batch),
            {name.casefold(): role for role in reversed(roles) for name in (role.label, role.code)},
            {d.name.casefold(): d for d in Department.objects.filter(organisation=organisation)},
        )
        lines = list(lines)
        emails = [line.values["courriel"] for line in lines]
        numbers = [line.values["matricule"] for line in lines if line.values["matricule"]]
        planner._read(organisation, emails, numbers)
        return planner

    def _read(self, organisation: Organisation, emails: list[str], numbers: list[str]) -> None:
        mandates = Mandate.objects.filter(organisation=organisation).select_related(
            "account", "own_role", "department", "organisation"
        )
        # Addresses are kept in lower case (AccountManager), so that the index answers.
        for mandate in mandates.filter(account__email__in=emails):
            self.emails.setdefault(mandate.account.email.lower(), []).append(mandate)
        if self.batch.key == PeopleImport.Key.EMAIL:
            self.mandates = self.emails
        else:
            holders = Mandate.objects.filter(organisation=organisation, staff_number__in=numbers)
            known = dict(holders.order_by("start").values_list("account_id", "staff_number"))
            for mandate in mandates.filter(account__in=known):
                self.mandates.setdefault(known[mandate.account_id], []).append(mandate)
        waiting = Invitation.objects.filter(
            organisation=organisation, email__in=emails, accepted_at__isnull=True, revoked_at__isnull=True
        ).select_related("own_role", "department")
        for invitation in waiting:
            self.invitations.setdefault(invitation.email, []).append(invitation)

    # --- one line ---
    def plan(self, line: ImportLine) -> Plan:
        """What to do of ``line`` on the present state."""
        try:
            return self._plan(self._wanted(line.values), line.values)
        except _Refused as refusal:
            return Plan(Outcome.REFUSED, str(refusal))

    def _wanted(self, values: dict[str, str]) -> Wanted:
        role = self.roles.get(values["role"].casefold())
        if role is None:
            raise _Refused(f"Le rôle « {values['role']} » n’existe pas : créez-le, ou prenez-en un de la page Rôles.")
        if not self.by.may_give(role):
            raise _Refused(f"Le rôle « {role.label} » donne des droits que vous n’avez pas : retirez cette ligne.")
        department = self.departments.get(values["service"].casefold()) if values["service"] else None
        if values["service"] and department is None:
            raise _Refused(f"Le service « {values['service']} » n’existe pas : créez-le, ou corrigez son nom.")
        return Wanted(
            values["courriel"],
            values["prenom"],
            values["nom"],
            role,
            values["qualite"],
            department,
            values["matricule"],
            people_csv.day(values["debut"]),
            people_csv.day(values["fin"]),
        )

    def _plan(self, wanted: Wanted, values: dict[str, str]) -> Plan:
        held = self.mandates.get(values[self.batch.key], [])
        account = held[0].account if held else None
        if wanted.email == self.by.account.email.lower() or (account and account.pk == self.by.account.pk):
            raise _Refused("C’est vous : personne ne modifie ses propres mandats. Retirez cette ligne.")
        if account is None and self.emails.get(wanted.email):
            raise _Refused("Cette adresse est à une personne d’un autre matricule : corrigez l’un ou l’autre.")
        if account is None:
            return self._plan_invitation(wanted)
        if account.email.lower() != wanted.email:
            raise _Refused("Cette personne a une autre adresse : elle seule peut en changer, depuis son compte.")
        return self._plan_mandate(wanted, account, held)

    def _plan_mandate(self, wanted: Wanted, account: Account, held: list[Mandate]) -> Plan:
        today = clock.today()
        same = [m for m in held if m.role_code == wanted.role.code and not m.is_over(today)]
        if not same:
            if wanted.end and wanted.end < today:
                return Plan(Outcome.UNCHANGED, "Ce mandat est déjà terminé.")
            if all(m.is_over(today) for m in held):  # nobody who has left comes back without accepting it
                return self._plan_invitation(wanted)
            return Plan(Outcome.CREATED, "Mandat donné.", wanted, account)
        mandate = min(same, key=lambda m: m.start)
        if not self.by.may_manage(mandate):
            raise _Refused("Ce mandat donne des droits que vous n’avez pas : demandez à une personne qui les tient.")
        changed = [n for n, value in wanted.stated.items() if getattr(mandate, n) != value]
        if not changed:
            return Plan(Outcome.UNCHANGED)
        return Plan(Outcome.UPDATED, _names(changed), wanted, account, mandate)

    def _plan_invitation(self, wanted: Wanted) -> Plan:
        if wanted.end and wanted.end < clock.today():
            raise _Refused("La date de fin est passée : il n’y a pas lieu d’inviter cette personne.")
        waiting = [i for i in self.invitations.get(wanted.email, []) if i.role_code == wanted.role.code]
        if not waiting:
            return Plan(Outcome.CREATED, "Invitation envoyée.", wanted)
        invitation = waiting[0]
        values = wanted.stated | {"given_name": wanted.given_name, "family_name": wanted.family_name}
        changed = [n for n, value in values.items() if getattr(invitation, n) != value]
        if not changed:
            return Plan(Outcome.UNCHANGED, "Invitation déjà envoyée.")
        return Plan(Outcome.UPDATED, _names(changed), wanted, invitation=invitation)


_FIELDS: Final = {
    "title": "qualité", "department": "service", "end": "fin", "start": "début", "staff_number": "matricule",
    "given_name": "prénom", "family_name": "nom",
}  # fmt: skip


def _names(fields: Iterable[str]) -> str:
    return "Change : " + ", ".join(_FIELDS[name] for name in fields) + "."


def _examine_slice(planner: Planner, lines: list[ImportLine]) -> None:
    for line in lines:
        plan = planner.plan(line)
        line.outcome, line.sentence = plan.outcome, plan.sentence
    _write(lines, applied=False)


def _write(lines: list[ImportLine], *, applied: bool) -> None:
    """One statement for all the lines that have the same outcome and explanation: there are few of them."""
    alike: dict[tuple[str, str], list[UUID]] = {}
    for line in lines:
        alike.setdefault((line.outcome, line.sentence), []).append(line.pk)
    for (outcome, sentence), keys in alike.items():
        ImportLine.objects.filter(pk__in=keys).update(outcome=outcome, sentence=sentence, applied=applied)


def _apply_slice(planner: Planner, lines: list[ImportLine]) -> None:
    plans = [(line, planner.plan(line)) for line in lines]
    _apply_updates(planner, plans)
    created = _create(planner, [plan for _, plan in plans if plan.outcome == Outcome.CREATED])
    record_many(planner.batch.organisation, created)
    audit_many(
        "manager.user.csvimport.action",
        [(p.account, {"role": p.wanted.role.code, "outcome": p.outcome}) for _, p in plans if p.account and p.wanted],
        organisation=planner.batch.organisation,
        actor=planner.by.account,
    )
    for line, plan in plans:
        line.outcome, line.sentence = plan.outcome, plan.sentence
    _write(lines, applied=True)


def _apply_updates(planner: Planner, plans: list[tuple[ImportLine, Plan]]) -> None:
    mandates: list[Mandate] = []
    invitations: list[Invitation] = []
    for _, plan in plans:
        if plan.outcome != Outcome.UPDATED or plan.wanted is None:
            continue
        values = plan.wanted.stated
        if plan.mandate is not None and WHOLE in plan.mandate.permissions:
            try:  # one by one: the organisation must keep an administrator
                change_mandate(plan.mandate, values, by=planner.by)
            except MandateRefused as refusal:
                plan.outcome, plan.sentence = Outcome.REFUSED, refusal.sentence
            continue
        target = plan.mandate or plan.invitation
        assert target is not None
        if plan.invitation is not None:
            values |= {"given_name": plan.wanted.given_name, "family_name": plan.wanted.family_name}
        start = values.get("start", target.start)
        if plan.wanted.end and isinstance(start, date) and plan.wanted.end < start:
            plan.outcome, plan.sentence = Outcome.REFUSED, "La fin précède le début du mandat : corrigez la ligne."
            continue
        for name, value in values.items():
            setattr(target, name, value)
        if isinstance(target, Mandate):
            mandates.append(target)
        else:
            invitations.append(target)
    Mandate.objects.bulk_update(mandates, ["title", "department", "end", "start", "staff_number"])
    Invitation.objects.bulk_update(
        invitations, ["title", "department", "end", "start", "staff_number", "given_name", "family_name"]
    )
    record_many(
        planner.batch.organisation,
        [Event("mandat.modifie", ("mandat", m.pk), planner.by.actor, details={"import": True}) for m in mandates],
    )


def _create(planner: Planner, plans: list[Plan]) -> list[Event]:
    mandates: list[Mandate] = []
    invitations: list[Invitation] = []
    events: list[Event] = []
    today, now = clock.today(), clock.now()
    for plan in plans:
        wanted = plan.wanted
        assert wanted is not None
        common = {
            "organisation": planner.batch.organisation,
            **wanted.role.columns,
            "title": wanted.title,
            "department": wanted.department,
            "staff_number": wanted.staff_number,
            "start": wanted.start or min(today, wanted.end or today),
            "end": wanted.end,
        }
        if plan.account is not None:
            mandate = Mandate(account=plan.account, **common)
            mandates.append(mandate)
            details = {"role": wanted.role.code, "account": plan.account.pk}
            events.append(Event("mandat.ouvert", ("mandat", mandate.pk), planner.by.actor, details=details))
        else:
            invitation = Invitation(
                email=wanted.email,
                given_name=wanted.given_name,
                family_name=wanted.family_name,
                invited_by=planner.by.account,
                created_at=now,
                **common,
            )
            invitations.append(invitation)
            details = {"role": wanted.role.code}
            events.append(Event("invitation.envoyee", ("invitation", invitation.pk), planner.by.actor, details=details))
    Mandate.objects.bulk_create(mandates)
    Invitation.objects.bulk_create(invitations)
    return events


TEMPLATE_HEADER: Final = tuple(people_csv.COLUMNS)
TEMPLATE_ROWS: Final = (
    ("A-0001", "Camille", "Exemple", "c.exemple@commune.test", "Consultation", "Accueil", "", "01/09/2019", ""),
)  # fmt: skip
REPORT_HEADER: Final = ("Ligne", "Prénom", "Nom", "Courriel", "Rôle", "Résultat", "Explication")


def report_rows(batch: PeopleImport) -> Iterable[tuple[object, ...]]:
    """The report, one row per line of the file, under ``REPORT_HEADER``."""
    for line in batch.lines.order_by("number").iterator():
        v = line.values
        yield (
            line.number, v["prenom"], v["nom"], v["courriel"], v["role"], line.get_outcome_display(), line.sentence,
        )  # fmt: skip
