"""Deliberating bodies and the legal regime they are under."""

from datetime import date, timedelta
from typing import Any

from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.edemat.seances.errors import TableauRefused
from parvis.edemat.seances.formats.lettres import date_longue
from parvis.edemat.seances.formats.numerotation import render_number, reset_value
from parvis.edemat.seances.formats.regimes import REGIMES, council_size, regime_of_commune
from parvis.edemat.seances.models import Organe, OrganeRegime

CHANGEABLE = frozenset({"name", "chair_title", "place", "tribunal", "number_pattern", "reset_key", "seats"})


def create_organe(
    organisation: Organisation,
    *,
    name: str,
    since: date,
    actor: Actor,
    regime: str = "",
    population: int | None = None,
    seats: int | None = None,
    chair_title: str = "Maire",
    place: str = "",
    tribunal: str = "Montpellier",
    number_pattern: str = "#AA#.#MM#.#JJ#.#00#",
    reset_key: str = "#AA##MM##JJ#",
) -> Organe:
    """Create a body under its regime, by default that of a municipal council of a commune of this population
    (the organisation's when not given), whose size then follows from it unless `seats` says otherwise.

    Raises TableauRefused when the name is taken or the population unknown, NumberRefused when the numbering
    pattern could never give a number the State accepts.
    """
    _check_name(organisation, name)
    reset_value(reset_key, since)
    render_number(number_pattern, since, 1, 1)
    population = organisation.population if population is None else population
    if not regime and population is None:
        raise TableauRefused(
            "Le régime d’un conseil municipal dépend de la population : indiquez-la, ou choisissez le régime."
        )
    code = regime or regime_of_commune(population or 0).code
    if seats is None and population and code.startswith("commune_"):
        seats = council_size(population)
    organe = Organe.objects.create(
        organisation=organisation,
        name=name,
        chair_title=chair_title,
        place=place,
        tribunal=tribunal,
        number_pattern=number_pattern,
        reset_key=reset_key,
        seats=seats,
    )
    OrganeRegime.objects.create(organisation=organisation, organe=organe, code=code, since=since)
    record(
        organisation,
        "seances.organe_cree",
        subject=("organe", organe.pk),
        actor=actor,
        details={"regime": code, "effectif": seats},
    )
    return organe


def _check_name(organisation: Organisation, name: str, besides: Organe | None = None) -> None:
    others = Organe.objects.filter(organisation=organisation, name__iexact=name)
    if (others.exclude(pk=besides.pk) if besides else others).exists():
        raise TableauRefused(f"Une assemblée s’appelle déjà « {name} » : choisissez un autre nom.")


def lock_organe(organe: Organe) -> Organe:
    """The body, locked until the transaction ends: its tableau changes under this lock only."""
    return Organe.objects.select_for_update(of=("self",), no_key=True).select_related("organisation").get(pk=organe.pk)


def change_organe(organe: Organe, *, actor: Actor, **changes: Any) -> Organe:
    """Change what a body is called, where it meets, its size or its numbers. Meetings already held keep theirs."""
    organe = lock_organe(organe)
    if unknown := set(changes) - CHANGEABLE:
        raise TypeError(f"cannot change {sorted(unknown)}")
    changed = [name for name, value in changes.items() if getattr(organe, name) != value]
    if not changed:
        return organe
    _check_name(organe.organisation, changes.get("name", organe.name), organe)
    for name in changed:
        setattr(organe, name, changes[name])
    day = organe.regimes.latest("since").since
    reset_value(organe.reset_key, day)
    render_number(organe.number_pattern, day, 1, 1)
    organe.save(update_fields=changed)
    record(
        organe.organisation,
        "seances.organe_modifie",
        subject=("organe", organe.pk),
        actor=actor,
        details={"fields": sorted(changed)},
    )
    return organe


def change_regime(organe: Organe, *, code: str, since: date, actor: Actor) -> OrganeRegime:
    """Put a body under another regime from a day on; the one before ends on the eve. Meetings before keep theirs."""
    organe = lock_organe(organe)
    last = organe.regimes.latest("since")
    if code == last.code:
        raise TableauRefused(f"L’assemblée est déjà sous ce régime : « {REGIMES[code].label} ».")
    if since <= last.since:
        raise TableauRefused(
            f"Le régime en vigueur court depuis le {date_longue(last.since)} : le nouveau commence après cette date."
        )
    last.until = since - timedelta(days=1)
    last.save(update_fields=["until"])
    row = OrganeRegime.objects.create(organisation=organe.organisation, organe=organe, code=code, since=since)
    record(
        organe.organisation,
        "seances.regime_change",
        subject=("organe", organe.pk),
        actor=actor,
        details={"regime": code, "depuis": since.isoformat()},
    )
    return row
