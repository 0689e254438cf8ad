"""Noting that an act was notified to the people it names: the publicity that makes it binding (CGCT L2131-1).

Who they are stays out of Parvis: the date, how many and by what means are enough for the certificate.
"""

from datetime import date

from parvis.core import clock
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.routing.services import close_tasks
from parvis.edemat.actes import document_tasks
from parvis.edemat.actes.locking import lock_acte
from parvis.edemat.actes.models import Acte, Notification, Publication
from parvis.edemat.actes.publication import (
    TASK_VERB,
    Author,
    PublicationRefused,
    binding_day,
    may_hold_personal_data,
    refuse_unfit,
)

register_action("actes.notifie", "Notification aux intéressés notée")


def notify(
    acte: Acte, *, on: date, persons: int, means: str, author: Author, actor: Actor, note: str = ""
) -> Notification:
    """Note that ``acte`` was notified on that day, to the last of the ``persons`` it names; noting again corrects it.

    The day from which it binds is computed again. Its certificate and the next step of its route follow in a job, once
    the State has received it. Raises PublicationRefused.
    """
    acte = lock_acte(acte)
    refuse_unfit(acte)
    _refuse_wrong(acte, on, persons)
    noted, _ = Notification.objects.update_or_create(
        acte=acte,
        defaults={
            "organisation": acte.organisation,
            "notified_on": on,
            "persons": persons,
            "means": means,
            "note": note.strip(),
            "author_name": author.name,
            "author_quality": author.quality,
            "recorded_at": clock.now(),
        },
    )
    acte.notified_on = on
    acte.executoire_on = binding_day(acte)
    acte.save(update_fields=["notified_on", "executoire_on"])
    Publication.objects.online().filter(acte=acte).update(executoire_on=acte.executoire_on)
    close_tasks(acte.organisation, subject=("acte", acte.pk), verb=TASK_VERB)
    record(
        acte.organisation,
        "actes.notifie",
        subject=("acte", acte.pk),
        actor=actor,
        sha256=acte.document.sha256,
        details={
            "notified_on": on.isoformat(),
            "executoire_on": acte.executoire_on.isoformat() if acte.executoire_on else None,
            "persons": persons,
            "means": means,
        },
    )
    document_tasks.prepare_notification_certificate.enqueue(acte.organisation, acte_id=str(acte.pk))
    return noted


def _refuse_wrong(acte: Acte, on: date, persons: int) -> None:
    if not may_hold_personal_data(acte):
        raise PublicationRefused("Cet acte ne nomme personne : il se publie sur le site, il ne se notifie pas.")
    if on > clock.today():
        raise PublicationRefused(f"La notification ne peut pas être à venir : nous sommes le {clock.today():%d/%m/%Y}.")
    if on < acte.decision_date:
        raise PublicationRefused(f"La notification ne peut pas précéder la décision du {acte.decision_date:%d/%m/%Y}.")
    if persons < 1:
        raise PublicationRefused("Indiquez combien de personnes ont reçu l’acte : une au moins.")
