"""The daily seal of every journal, and the alarm when one could not be made."""

import logging

from procrastinate.contrib.django import app

from parvis.core import clock
from parvis.core.jobs import job, labelled
from parvis.core.journal import queries, sealing
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for

logger = logging.getLogger(__name__)


@app.periodic(cron="10 * * * *")
@app.task(name="journal.seal_due", queue="journal", queueing_lock="journal.seal_due", pass_context=False)
@labelled("Scellement des journaux à échéance")
def seal_due(timestamp: int = 0) -> None:
    """Enqueue the seal of each organisation whose journal was not sealed today, as counted in Paris."""
    for organisation in Organisation.objects.all():
        with acting_for(organisation):
            last = sealing.latest_seal(organisation)
            if last is None or clock.paris(last.sealed_at).date() < clock.today():
                seal_journal.enqueue(organisation)
            if queries.seal_overdue(organisation, clock.now()):
                logger.error("journal of organisation %s not sealed in time", organisation.pk)


@job(queue="journal", in_transaction=False, label="Scellement du journal")
def seal_journal(organisation_id: int, *, asked_by: str = "", after: int = 0) -> None:
    """Seal one journal, unless it was sealed today; a failing time-stamping authority makes the job retry.

    A seal that a person asks for (``asked_by``, an account's number) is made the same day too, unless another
    came after the seal number ``after`` that the person saw.
    """
    organisation = Organisation.objects.get(pk=organisation_id)
    with acting_for(organisation):
        last = sealing.latest_seal(organisation)
    if asked_by:
        if last is None or last.number <= after:
            sealing.seal_day(organisation, actor=Actor("account", asked_by))
    elif last is None or clock.paris(last.sealed_at).date() < clock.today():
        sealing.seal_day(organisation)
