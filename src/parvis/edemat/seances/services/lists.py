"""The list of the deliberations examined: typeset from the meeting and published within the week (CGCT L2121-25)."""

from datetime import datetime, time

from parvis.core import clock
from parvis.core.documents.services import publish, store
from parvis.core.documents.typesetting import typeset
from parvis.core.journal.services import Actor, record
from parvis.core.routing.services import close_tasks, open_task
from parvis.edemat.seances.documents import list_data, list_rows
from parvis.edemat.seances.errors import WrongMoment
from parvis.edemat.seances.formats.echeances import list_deadline, list_is_due
from parvis.edemat.seances.models import Liste, Seance
from parvis.edemat.seances.services.agenda import lock_seance, seance_path

PUBLISH = "Publier la liste"


def remind_to_publish_list(seance: Seance) -> None:
    """Put the list in the inbox when the meeting rises, where the law asks for one."""
    if not list_is_due(seance.regime.code, seance.day):
        return
    limit = datetime.combine(list_deadline(seance.day), time(23, 59, 59), tzinfo=clock.PARIS)
    open_task(
        seance.organisation,
        service="seances",
        verb=PUBLISH,
        title=str(seance),
        summary="Liste des délibérations examinées",
        permission="seances.gerer",
        deadline=limit,
        deadline_rule="une semaine après la séance (CGCT L2121-25)",
        path=seance_path(seance),
        subject=("seance", seance.pk),
    )


def publish_list(seance: Seance, *, actor: Actor) -> Liste:
    """Establish the list and put it on the public pages. Harmless when repeated.

    Raises WrongMoment before the meeting rises, or when nothing was examined.
    """
    seance = lock_seance(seance, Seance.State.LEVEE, Seance.State.CLOSE)
    known = Liste.objects.filter(seance=seance).first()
    if known:
        return known
    rows = list_rows(seance)
    if not rows:
        raise WrongMoment("Aucune délibération n’a été examinée : il n’y a pas de liste à publier.")
    now = clock.now()
    document = store(
        seance.organisation,
        typeset("edemat/seances/liste", list_data(seance, rows, now)),
        f"liste-deliberations-{seance.day:%Y%m%d}.pdf",
        label="Liste des délibérations",
    )
    liste = Liste.objects.create(
        organisation=seance.organisation,
        seance=seance,
        organe_name=seance.organe.name,
        day=seance.day,
        rows=rows,
        document=document,
        published_at=now,
    )
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=PUBLISH)
    publish(document, since=now, actor=actor)
    record(
        seance.organisation,
        "seances.liste_publiee",
        subject=("seance", seance.pk),
        actor=actor,
        sha256=document.sha256,
        details={"deliberations": len(rows)},
    )
    return liste
