"""Background work of the provider: telling sites that a session ended, forgetting what expired."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from parvis.core.jobs import labelled
from parvis.core.jobs.decorator import job
from parvis.core.organisations.tenancy import acting_for
from parvis.core.provider import assertions, grants, keys, logout
from parvis.core.provider.models import LogoutNotice


class NotTold(Exception):
    """The site did not confirm; the job is tried again."""


def _give_up(organisation_id: int, error: Exception, *, notice_id: str) -> None:
    with acting_for(organisation_id):
        notice = LogoutNotice.objects.select_related("client", "organisation").get(pk=notice_id)
        if notice.state != LogoutNotice.State.TOLD:
            logout.give_up(notice)


@job(
    queue="identite",
    retry=RetryStrategy(max_attempts=8, wait=2, exponential_wait=3),
    in_transaction=False,
    label="Avis de déconnexion à un service relié",
    exhausted=_give_up,
)
def tell(organisation_id: int, notice_id: str) -> None:
    """Tell one site that a session ended; idempotent under the notice."""
    with acting_for(organisation_id):
        notice = LogoutNotice.objects.select_related("client", "organisation").get(pk=notice_id)
    if not logout.deliver(notice) and notice.state != LogoutNotice.State.TOLD:
        raise NotTold(notice.reason)


@app.periodic(cron="17 3 * * *")
@app.task(name="provider.purge", queue="identite")
@labelled("Oubli des jetons périmés")
def purge(timestamp: int) -> None:
    """Every night: expired tokens and assertions, logins over for a year, keys whose window is over."""
    grants.purge()
    grants.forget()
    assertions.purge()
    keys.purge()
