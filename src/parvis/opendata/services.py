"""Opening data: the row of a deliberation enters the organisation's public table, in one transaction."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any, BinaryIO

from django.conf import settings

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.exports import ods
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.models import Route
from parvis.core.routing.services import close_tasks, open_task
from parvis.opendata import queries
from parvis.opendata.formats import scdl_deliberations as scdl
from parvis.opendata.models import Dataset, DeliberationRow

DELIBERATIONS = "deliberations"
SYSTEM = Actor("system", "opendata")

_DESCRIPTION = (
    "Les délibérations adoptées, une par ligne : objet, matière, votes, date de réception en préfecture et "
    "adresse du texte intégral. Chaque ligne est ajoutée dès que l’acte est publié. Dans un scrutin secret, "
    "les bulletins blancs et nuls sont comptés avec les abstentions ; lorsque l’assemblée prend acte sans "
    "voter, les colonnes du vote sont vides."
)


class RowRefused(DomainError):
    """The row does not satisfy the national schema; ``findings`` say what to correct."""

    def __init__(self, findings: list[scdl.Finding]) -> None:
        self.findings = findings
        super().__init__(" ".join(finding.sentence for finding in findings), codes=[f.code for f in findings])


class FactsMissing(DomainError):
    """An earlier step of the route did not leave what the row needs."""


def deliberations_dataset(organisation: Organisation) -> Dataset:
    """The « Délibérations » dataset of ``organisation``, created at its first use."""
    now = clock.now()
    dataset, _ = Dataset.objects.get_or_create(
        organisation=organisation,
        slug=DELIBERATIONS,
        defaults={
            "title": "Délibérations",
            "description": _DESCRIPTION,
            "schema_name": scdl.SCHEMA_NAME,
            "schema_version": scdl.SCHEMA_VERSION,
            "schema_url": scdl.SCHEMA_URL,
            "created_at": now,
            "updated_at": now,
        },
    )
    return dataset


def deliberation_from(organisation: Organisation, facts: Mapping[str, Any]) -> scdl.Deliberation:
    """What the route says of a deliberation, for the table; FactsMissing when a step left a gap."""
    try:
        acte = facts["acte"]
        received = facts.get("ar", {}).get("date_reception")
        budget = facts.get("budget", {})
        return scdl.Deliberation(
            collectivite=organisation.name,
            siret=organisation.siret,
            numero=acte["numero"],
            seance=date.fromisoformat(acte["date"]),
            matiere=acte["matiere"],
            matiere_label=acte["matiere_label"],
            objet=acte["objet"],
            budget_annee=budget.get("annee", ""),
            budget_nom=budget.get("nom", ""),
            prefecture=organisation.pref_id,
            recue_le=date.fromisoformat(received) if received else None,
            vote=_vote_from(facts.get("vote")),
            url=_absolute(facts.get("publication", {}).get("url", "")),
        )
    except KeyError as missing:
        raise FactsMissing(
            f"Il manque « {missing.args[0]} » dans le dossier de la délibération : "
            "complétez l’étape qui le renseigne, puis relancez l’ouverture des données.",
        ) from missing


def _vote_from(vote: Mapping[str, Any] | None) -> scdl.Vote | None:
    """Counts of the ballot; None when the assembly took note without voting."""
    if not vote or vote.get("mode") == "sans_vote":
        return None
    return scdl.Vote(
        en_exercice=vote["en_exercice"],
        votants=vote["votants"],
        pour=vote["pour"],
        contre=vote["contre"],
        abstention=vote["abstention"],
        blancs=vote.get("blancs", 0),
        nuls=vote.get("nuls", 0),
    )


def _absolute(url: str) -> str:
    return settings.BASE_URL.rstrip("/") + url if url.startswith("/") else url


def open_deliberation(route: Route, *, actor: Actor = SYSTEM) -> DeliberationRow:
    """Put the deliberation of ``route`` in the open table, or bring its row up to date.

    Its number is the natural key: doing it again changes nothing. Raises RowRefused or FactsMissing, and then
    nothing is written.
    """
    organisation = route.organisation
    cells = scdl.row_of(deliberation_from(organisation, route.facts))
    findings = scdl.check_row(cells)
    if findings:
        raise RowRefused(findings)
    now = clock.now()
    dataset = deliberations_dataset(organisation)
    nullable = ("pref_date", *(column.lower() for column in scdl.VOTES))
    values: dict[str, str | None] = {column.lower(): value for column, value in cells.items()}
    values |= {name: values[name] or None for name in nullable}
    row, _ = DeliberationRow.including_withdrawn.update_or_create(
        organisation=organisation,
        delib_id=values.pop("delib_id"),
        defaults={**values, "dataset": dataset, "route": route, "opened_at": now, "withdrawn_at": None},
    )
    dataset.updated_at = now
    dataset.save(update_fields=["updated_at"])
    line = "".join(scdl.csv_lines([tuple(cells.values())]))
    record(
        organisation,
        "opendata.deliberation_ouverte",
        subject=("route", route.pk),
        actor=actor,
        sha256=hashlib.sha256(line.encode()).hexdigest(),
        details={"dataset": dataset.slug, "schema": scdl.SCHEMA_VERSION, "row": str(row.pk)},
    )
    close_tasks(organisation, subject=("route", route.pk), verb="Corriger")
    return row


def withdraw_deliberation(route: Route, *, actor: Actor = SYSTEM) -> bool:
    """Take the row of ``route`` out of the open table; False when it is not there.

    The row is kept, marked, so that a publication renewed finds it again under the same identifier.
    """
    row = DeliberationRow.objects.select_related("dataset").filter(route=route).first()
    if row is None:
        return False
    now = clock.now()
    row.withdrawn_at = row.dataset.updated_at = now
    row.save(update_fields=["withdrawn_at"])
    row.dataset.save(update_fields=["updated_at"])
    record(
        route.organisation,
        "opendata.deliberation_retiree",
        subject=("route", route.pk),
        actor=actor,
        details={"dataset": row.dataset.slug, "row": str(row.pk)},
    )
    close_tasks(route.organisation, subject=("route", route.pk), verb="Corriger")
    return True


def ask_for_correction(route: Route, error: DomainError) -> None:
    """Leave in the inbox that the row of ``route`` could not be opened, and why."""
    open_task(
        route.organisation,
        service="opendata",
        verb="Corriger",
        title=f"Données ouvertes : délibération {route.reference}",
        summary=error.sentence,
        permission="opendata.publier",
        path=f"/o/{route.organisation.slug}/donnees/",
        subject=("route", route.pk),
    )


def set_public(dataset: Dataset, public: bool, *, actor: Actor) -> None:
    """Put ``dataset`` online or withdraw it from the public pages; the rows stay."""
    if dataset.public == public:
        return
    # The journal first, as a route that reaches this step does: the rows of a dataset are locked after its end.
    record(
        dataset.organisation,
        "opendata.jeu_mis_en_ligne" if public else "opendata.jeu_retire",
        subject=("dataset", dataset.pk),
        actor=actor,
    )
    dataset.public = public
    dataset.save(update_fields=["public"])


# --- files -------------------------------------------------------------------------------------------------
def write_csv(dataset: Dataset, target: BinaryIO) -> None:
    """The whole table in its canonical form: UTF-8, comma, the schema's columns in the schema's order."""
    for text in scdl.csv_lines(queries.table_of(dataset)):
        target.write(text.encode())


def write_ods(dataset: Dataset, target: BinaryIO) -> None:
    """The whole table as a spreadsheet."""
    ods.write_ods(target, dataset.title, scdl.COLUMNS, queries.table_of(dataset))
