"""Work of authentication that waits for nobody: messages, forgetting what expired."""

from typing import Any

from django.core.management import call_command
from procrastinate.contrib.django import app

from parvis.core.authentication import notices, throttle
from parvis.core.identity.models import Account
from parvis.core.jobs import job, labelled
from parvis.core.organisations.models import Organisation


@job(queue="mail", in_transaction=False, label="Avis de sécurité")
def tell_account(organisation_id: int, *, account: int, kind: str, facts: dict[str, Any]) -> None:
    """Tell one account what happened; the number 0 stands for an account that does not exist."""
    found = Account.objects.filter(pk=account).first()
    if found is not None:
        notices.deliver(Organisation.objects.filter(pk=organisation_id).first(), found, kind, facts)


@app.periodic(cron="40 3 * * *")
@app.task(name="authentication.forget", queue="maintenance", queueing_lock="authentication.forget", pass_context=False)
@labelled("Oubli des sessions et des essais périmés")
def forget(timestamp: int = 0) -> None:
    """Drop expired sessions and counts of failed tries."""
    call_command("clearsessions")
    throttle.purge()
