"""Import of a tableau from a file: examined without keeping anything, then done once somebody confirms it.

A member is known by first and last names; an empty cell changes nothing; nobody is ever taken away.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from parvis.core.errors import DomainError
from parvis.core.identity.models import Account
from parvis.core.identity.values import folded
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.people_csv import Line, day
from parvis.edemat.seances import tableau_csv
from parvis.edemat.seances.models import Channel, Elu, Organe
from parvis.edemat.seances.services.bodies import lock_organe
from parvis.edemat.seances.services.tableau import accounts_of, add_elu, change_elu

ADDED, CHANGED, SAME, REFUSED = "added", "changed", "same", "refused"
LABELS = {ADDED: "Ajouté", CHANGED: "Modifié", SAME: "Inchangé", REFUSED: "Refusé"}
FIELDS = {
    "civilite": "civility",
    "fonction": "function",
    "groupe": "group",
    "courriel": "email",
    "canal": "channel",
    "adresse": "postal_address",
    "rang": "rank",
}


@dataclass(frozen=True)
class Told:
    """What was, or would be, done of one line."""

    number: int
    name: str
    outcome: str
    sentence: str = ""

    @property
    def label(self) -> str:
        return LABELS[self.outcome]


@dataclass(frozen=True)
class Report:
    """What a file does to a tableau, line by line."""

    lines: list[Told]

    @property
    def counts(self) -> Counter[str]:
        return Counter(line.outcome for line in self.lines)

    @property
    def to_do(self) -> int:
        return self.counts[ADDED] + self.counts[CHANGED]

    @property
    def refused(self) -> int:
        return self.counts[REFUSED]


def examine_tableau(organe: Organe, content: bytes, *, since: date, actor: Actor) -> Report:
    """Say what `import_tableau` would do, and undo it all. Raises FileRefused."""
    with transaction.atomic():
        report = import_tableau(organe, content, since=since, actor=actor)
        transaction.set_rollback(True)
    return report


@transaction.atomic
def import_tableau(organe: Organe, content: bytes, *, since: date, actor: Actor) -> Report:
    """Add and change the members of a file; `since` starts the terms that have no date. Raises FileRefused.

    A line that cannot be done is told and the others are done.
    """
    lines = tableau_csv.read(content)
    organe = lock_organe(organe)
    report = Report(list(_tell(organe, lines, since, actor)))
    record(
        organe.organisation,
        "seances.tableau_importe",
        subject=("organe", organe.pk),
        actor=actor,
        details={"lignes": len(lines), **report.counts},
    )
    return report


def _tell(organe: Organe, lines: list[Line], since: date, actor: Actor) -> Iterator[Told]:
    sitting = list(accounts_of(organe.organisation))
    known = {_identity(elu.family_name, elu.given_name): elu for elu in organe.elus.on_tableau()}
    for line in lines:
        name = f"{line.values['prenom']} {line.values['nom']}".strip()
        if line.problem:
            yield Told(line.number, name, REFUSED, line.problem)
            continue
        elu = known.get(_identity(line.values["nom"], line.values["prenom"]))
        if elu and elu.term_end and (day(line.values["debut"]) or since) > elu.term_end:
            elu = None  # elected again: another term begins after the one that ends
        try:
            with transaction.atomic():
                outcome, sentence = _do(organe, elu, line.values, since, sitting, actor)
        except DomainError as refusal:
            outcome, sentence = REFUSED, refusal.sentence
        yield Told(line.number, name, outcome, sentence)


def _identity(family_name: str, given_name: str) -> tuple[str, str]:
    return folded(family_name), folded(given_name)


def _do(
    organe: Organe, elu: Elu | None, values: dict[str, str], since: date, sitting: Sequence[Account], actor: Actor
) -> tuple[str, str]:
    stated: dict[str, Any] = {field: values[column] for column, field in FIELDS.items() if values[column]}
    stated["civility"] = tableau_csv.CIVILITIES[values["civilite"].casefold()].value
    if values["canal"]:
        stated["channel"] = Channel(tableau_csv.CHANNELS[values["canal"].casefold()]).value
    if values["rang"]:
        stated["rank"] = int(values["rang"])
    start = day(values["debut"])
    if elu is None:
        new = add_elu(
            organe,
            given_name=values["prenom"],
            family_name=values["nom"],
            term_start=start or since,
            sitting=sitting,
            actor=actor,
            **stated,
        )
        return ADDED, "Relié à son compte." if new.account_id else ""
    if start:
        stated["term_start"] = start
    elu.refresh_from_db()
    changed = [name for name, value in stated.items() if getattr(elu, name) != value]
    if not changed:
        return SAME, ""
    change_elu(elu, actor=actor, **stated)
    return CHANGED, "Change : " + ", ".join(_word(name) for name in changed) + "."


def _word(name: str) -> str:
    field = Elu._meta.get_field(name)
    return str(getattr(field, "verbose_name", name))
