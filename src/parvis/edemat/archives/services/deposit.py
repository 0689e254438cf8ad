"""Depositing a package from outside, and what a person may decide about a transfer."""

from typing import BinaryIO

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.services import close_tasks
from parvis.edemat.archives import tasks
from parvis.edemat.archives.enums import Origin, State
from parvis.edemat.archives.errors import PackageRefused, TransferNotReady
from parvis.edemat.archives.models import Transfer
from parvis.edemat.archives.services.controlling import issue_refusal, locked
from parvis.edemat.archives.services.parties import ensure_parties

MAX_PACKAGE = 2 * 1024**3
REFUSED_BY_PERSON = "203"


def deposit_package(
    organisation: Organisation, stream: BinaryIO, filename: str, *, depositor: Account, actor: Actor
) -> Transfer:
    """Take a package (a ZIP, at most MAX_PACKAGE bytes) and have it controlled in a job.

    Raises PackageRefused when it does not even begin like a ZIP.
    """
    start = stream.read(4)
    stream.seek(0)
    if start not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise PackageRefused(
            f"« {filename} » n’est pas une archive ZIP. Déposez le paquet ZIP produit par votre logiciel "
            "(un bordereau à la racine et les fichiers qu’il annonce)."
        )
    ensure_parties(organisation)
    package = store(organisation, stream, filename, label="Paquet déposé", limit=MAX_PACKAGE)
    transfer = Transfer.objects.create(
        organisation=organisation,
        origin=Origin.DEPOSIT,
        title=filename[:1000],
        package=package,
        depositor=depositor,
        deposited_at=clock.now(),
        todo_bytes=package.size,
    )
    record(
        organisation,
        "archives.depose",
        subject=("versement", transfer.pk),
        actor=actor,
        sha256=package.sha256,
    )
    tasks.control_transfer.enqueue(organisation, transfer_id=str(transfer.pk))
    return transfer


def accept_transfer(transfer: Transfer, *, actor: Actor) -> None:
    """A person accepts a conformant transfer; its storage starts."""
    transfer = _locked(transfer, State.A_VALIDER)
    transfer.accept()
    transfer.accepted_at = clock.now()
    transfer.save()
    close_tasks(transfer.organisation, subject=("versement", transfer.pk))
    record(transfer.organisation, "archives.accepte", subject=("versement", transfer.pk), actor=actor)
    tasks.store_transfer.enqueue(transfer.organisation, transfer_id=str(transfer.pk))


def refuse_transfer(transfer: Transfer, reason: str, *, actor: Actor) -> None:
    """A person refuses a conformant transfer; the reply carries the reason."""
    transfer = _locked(transfer, State.A_VALIDER)
    transfer.refuse()
    issue_refusal(transfer, REFUSED_BY_PERSON, reason)
    transfer.save()
    close_tasks(transfer.organisation, subject=("versement", transfer.pk))
    record(transfer.organisation, "archives.refuse", subject=("versement", transfer.pk), actor=actor)


def restart_transfer(transfer: Transfer, *, actor: Actor) -> None:
    """Put back to work a transfer that met an incident, where it stood."""
    transfer = _locked(transfer, State.ERREUR_TECHNIQUE)
    record(transfer.organisation, "archives.relance", subject=("versement", transfer.pk), actor=actor)
    close_tasks(transfer.organisation, subject=("versement", transfer.pk))
    follow = tasks.store_transfer if transfer.accepted_at else tasks.control_transfer
    follow.enqueue(transfer.organisation, transfer_id=str(transfer.pk))


def _locked(transfer: Transfer, state: State) -> Transfer:
    transfer = locked(str(transfer.pk))
    if transfer.state != state:
        raise TransferNotReady(
            f"Ce versement est à l’état « {transfer.get_state_display()} » : "
            "l’action demandée n’est plus possible. "
            "Rechargez la page pour voir où il en est."
        )
    return transfer
