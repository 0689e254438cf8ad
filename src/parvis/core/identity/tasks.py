"""Work of the life of accounts: mails, exports, deletions, dormancy, namesakes, retention.

Arguments are identifiers, never an address nor a token: the queue keeps and logs them.
"""

from collections.abc import Callable
from typing import Any

from procrastinate.contrib.django import app

from parvis.core.identity import deletion, dormancy, duplicates, exporting, mails, retention
from parvis.core.identity.models import Account, Link, Tombstone
from parvis.core.jobs import labelled
from parvis.core.jobs.decorator import PlatformJob, platform_job


def _task(name: str, label: str) -> Callable[[Callable[..., None]], PlatformJob]:
    """A job about a person, which no organisation owns."""
    return platform_job(name=f"identity.{name}", queue="identity", label=label)


@_task("send_link", "Lien d’un compte")
def send_link(*, link: str) -> None:
    """Write a link to its address, unless it was used or replaced meanwhile."""
    found = Link.objects.select_related("account", "commune").filter(pk=link, used_at=None).first()
    if found is not None:
        mails.write_link(found)


@_task("notify", "Avis d’un compte")
def notify(*, account: int, kind: str, facts: dict[str, Any]) -> None:
    """Tell the holder of an account what happened to it."""
    found = Account.objects.select_related("commune").filter(pk=account, deleted_at=None).first()
    if found is not None:
        mails.write_notice(found, kind, facts)


@_task("export", "Export d’un compte")
def export(*, account: int, export: str) -> None:
    """Prepare the archive of what an account holds."""
    exporting.prepare(account, export)


@_task("purge", "Effacement d’un compte")
def purge(*, stone: str) -> None:
    """Erase what a deleted account held, then send its receipt."""
    deletion.purge(stone)


@_task("send_receipt", "Attestation de suppression")
def send_receipt(*, stone: str) -> None:
    """Send the receipt of a deletion."""
    found = Tombstone.objects.select_related("link__commune").filter(pk=stone).first()
    if found is not None:
        mails.write_receipt(found)


@app.periodic(cron="20 4 * * *")
@app.task(name="identity.daily", queue="maintenance", queueing_lock="identity.daily", pass_context=False)
@labelled("Suites de la vie des comptes")
def daily(timestamp: int = 0) -> None:
    """Warn and delete dormant accounts, look for namesakes, forget what was kept long enough."""
    dormancy.review()
    duplicates.look_for()
    retention.forget()
