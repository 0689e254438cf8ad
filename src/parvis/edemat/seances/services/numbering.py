"""Numbers of the deliberations of a meeting, drawn under a lock on the body's counter (CGCT R2121-9)."""

from django.db import IntegrityError, transaction

from parvis.core import clock
from parvis.core.journal.services import Actor, record
from parvis.edemat.seances.formats.numerotation import NumberRefused, actes_number, render_number, reset_value
from parvis.edemat.seances.models import Compteur, Deliberation, Organe, Point, Seance


def draw(organe: Organe, seance: Seance) -> int:
    """Take the next value of the counter; the row stays locked until the transaction ends."""
    value = reset_value(organe.reset_key, seance.day)
    Compteur.objects.get_or_create(organe=organe, reset_value=value, defaults={"organisation": organe.organisation})
    counter = Compteur.objects.select_for_update(no_key=True).get(organe=organe, reset_value=value)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def number_deliberations(seance: Seance, *, actor: Actor) -> list[Deliberation]:
    """Give its number to each item voted, in the order of the agenda; rejected ones are numbered too."""
    numbered = []
    for point in seance.points.filter(outcome=Point.Outcome.VOTE).order_by("rank"):
        number = render_number(seance.organe.number_pattern, seance.day, draw(seance.organe, seance), point.rank)
        try:
            with transaction.atomic():
                deliberation = Deliberation.objects.create(
                    organisation=seance.organisation,
                    point=point,
                    number=number,
                    actes_number=actes_number(number),
                    nature=point.nature,
                    day=seance.day,
                    created_at=clock.now(),
                )
        except IntegrityError as error:
            raise NumberRefused(
                f"Le numéro {number} est déjà pris : vérifiez le modèle de numérotation de l’assemblée.",
                cause=str(error),
            ) from error
        record(
            seance.organisation,
            "seances.deliberation_numerotee",
            subject=("deliberation", deliberation.pk),
            actor=actor,
            details={"numero": number},
        )
        numbered.append(deliberation)
    return numbered
