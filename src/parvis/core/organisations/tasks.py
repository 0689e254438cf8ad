"""Background work of the administration: messages of invitation, imports of agents, reminders of reviews."""

import logging
from datetime import timedelta

from procrastinate.contrib.django import app

from parvis.core import clock
from parvis.core.jobs import job, labelled
from parvis.core.notifications.services import MessageNotSent
from parvis.core.organisations import imports, invitations, reviews
from parvis.core.organisations.models import ImportLine, Invitation, Organisation, PeopleImport
from parvis.core.organisations.tenancy import acting_for

logger = logging.getLogger(__name__)
IMPORT_KEPT = timedelta(days=30)


@job(queue="messages", label="Envoi d’une invitation")
def deliver_invitation(organisation_id: int, *, invitation_id: str) -> None:
    """Send one invitation, unless it has left since or no longer waits."""
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organisation", "own_role")
    invitation = rows.filter(pk=invitation_id, sent_at__isnull=True).first()
    if invitation is None or invitation.accepted_at or invitation.revoked_at or invitation.awaits_approval:
        return
    try:
        invitations.deliver(invitation)
    except MessageNotSent as error:
        if not getattr(error, "is_final", False):
            raise
        Invitation.objects.filter(pk=invitation.pk).update(digest="", sent_at=clock.now())  # told as undelivered


@job(queue="messages", in_transaction=False, label="Envoi des invitations d’un import")
def deliver_waiting(organisation_id: int) -> None:
    """Send every invitation that waits, each in its own transaction; what cannot leave now is tried again."""
    with acting_for(organisation_id):
        waiting = invitations.pending(Organisation.objects.get(pk=organisation_id)).filter(sent_at__isnull=True)
        keys = [str(pk) for pk in waiting.order_by("created_at").values_list("pk", flat=True)]
    failure: MessageNotSent | None = None
    for key in keys:
        try:
            deliver_invitation(organisation_id, invitation_id=key)
        except MessageNotSent as error:
            failure = error
    if failure:
        raise failure


@job(queue="imports", in_transaction=False, label="Examen d’un fichier de personnes")
def examine_import(organisation_id: int, *, batch_id: str) -> None:
    imports.examine(organisation_id, batch_id)


@job(queue="imports", in_transaction=False, label="Import de personnes")
def apply_import(organisation_id: int, *, batch_id: str) -> None:
    imports.apply(organisation_id, batch_id)


@app.periodic(cron="20 6 * * *")
@app.task(name="organisations.daily", queue="maintenance", queueing_lock="organisations.daily", pass_context=False)
@labelled("Rappels des revues d’habilitations")
def daily(timestamp: int = 0) -> None:
    """Once a day: reminders of the reviews, and the personal data of old imports forgotten."""
    for organisation in Organisation.objects.all():
        remind_reviews.enqueue(organisation)
        with acting_for(organisation):
            old = PeopleImport.objects.filter(created_at__lt=clock.now() - IMPORT_KEPT)
            ImportLine.objects.filter(batch__in=old).delete()


@job(queue="messages", label="Rappels de la revue des habilitations")
def remind_reviews(organisation_id: int) -> None:
    reviews.remind(Organisation.objects.get(pk=organisation_id), clock.today())
