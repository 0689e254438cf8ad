"""Background work of the API: forgetting who called long ago, writing to whom an account is about to fail."""

from procrastinate.contrib.django import app

from parvis.core.api import endings
from parvis.core.api.models import ApiAccount
from parvis.core.api.throttling import forget_idle_meters
from parvis.core.jobs import job, labelled
from parvis.core.organisations.models import Organisation


@app.periodic(cron="25 * * * *")
@app.task(
    name="api.forget_idle_meters", queue="maintenance", queueing_lock="api.forget_idle_meters", pass_context=False
)
@labelled("Oubli des adresses qui ont appelé l’API")
def forget_meters(timestamp: int = 0) -> None:
    """Keep no network address longer than the hour in which it called."""
    forget_idle_meters()


@app.periodic(cron="40 6 * * *")
@app.task(name="api.daily", queue="maintenance", queueing_lock="api.daily", pass_context=False)
@labelled("Recherche des accès de l’API qui finissent")
def daily(timestamp: int = 0) -> None:
    """Once a day: look for the accounts, secrets and certificates that end soon."""
    for organisation in Organisation.objects.all():
        look_for_endings.enqueue(organisation)


@job(queue="messages", label="Échéances des comptes d’API")
def look_for_endings(organisation_id: int) -> None:
    """One job for each account, so that a refused message holds up no other."""
    for account in endings.accounts_to_warn(Organisation.objects.get(pk=organisation_id)):
        warn_contact.enqueue(organisation_id, account_id=str(account.pk))


@job(queue="messages", label="Annonce d’une échéance d’API")
def warn_contact(organisation_id: int, *, account_id: str) -> None:
    account = ApiAccount.objects.select_related("organisation").filter(pk=account_id).first()
    if account is not None:
        endings.warn(account)
