"""Daily work on the register of certificates."""

from procrastinate.contrib.django import app

from parvis.core import clock
from parvis.core.jobs import job, labelled
from parvis.core.organisations.models import Organisation
from parvis.core.trust import certificates


@app.periodic(cron="40 6 * * *")
@app.task(name="trust.daily", queue="maintenance", queueing_lock="trust.daily", pass_context=False)
@labelled("Recherche des certificats qui finissent")
def daily(timestamp: int = 0) -> None:
    """Once a day: the certificates that end within a month."""
    for organisation in Organisation.objects.all():
        remind_renewals.enqueue(organisation)


@job(queue="messages", label="Rappels des certificats de signature")
def remind_renewals(organisation_id: int) -> None:
    certificates.remind(Organisation.objects.get(pk=organisation_id), clock.now())
