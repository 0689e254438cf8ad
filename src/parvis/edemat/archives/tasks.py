"""Background jobs of the archiving service: thin and repeatable, they call the services."""

from parvis.core.errors import DomainError
from parvis.core.jobs.decorator import job
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import RouteStep
from parvis.core.routing.services import fail_step, lock_route

QUEUE = "archives"


@job(queue=QUEUE, label="Préparation du versement aux archives")
def build_transfer(organisation_id: int, *, step_id: str) -> None:
    """Assemble the transfer of a route's step, then have it controlled."""
    from parvis.edemat.archives.services.assembling import JOB, assemble

    lock_route(RouteStep.objects.values_list("route_id", flat=True).get(pk=step_id))
    step = RouteStep.objects.select_related("organisation", "route__organisation").get(pk=step_id)
    if step.state not in (RouteStep.State.CURRENT, RouteStep.State.FAILED):
        return
    try:
        transfer = assemble(step)
    except DomainError as error:
        fail_step(step, reason=error.sentence, actor=JOB)
        return
    control_transfer.enqueue(organisation_id, transfer_id=str(transfer.pk))


def _control_exhausted(organisation_id: int, error: Exception, *, transfer_id: str) -> None:
    from parvis.edemat.archives.services.controlling import give_up

    give_up(organisation_id, transfer_id, "Le contrôle", error)


@job(queue=QUEUE, in_transaction=False, label="Contrôle du versement", exhausted=_control_exhausted)
def control_transfer(organisation_id: int, *, transfer_id: str) -> None:
    """Make the intake controls; the transfer is locked only to be read and decided."""
    from parvis.edemat.archives.services.controlling import control

    control(organisation_id, transfer_id)


def _storage_exhausted(organisation_id: int, error: Exception, *, transfer_id: str) -> None:
    from parvis.edemat.archives.services.controlling import give_up

    give_up(organisation_id, transfer_id, "Le stockage", error)


@job(queue=QUEUE, in_transaction=False, label="Dépôt aux archives", exhausted=_storage_exhausted)
def store_transfer(organisation_id: int, *, transfer_id: str) -> None:
    """Write the archive, read it back and reply. A fault of the storage is told, then tried again."""
    from parvis.edemat.archives.services import storing
    from parvis.edemat.archives.services.controlling import locked, meet_incident
    from parvis.edemat.archives.storage import StorageFault

    with acting_for(organisation_id):
        if not storing.begin(locked(transfer_id)):
            return
    try:
        with acting_for(organisation_id):
            transfer = locked(transfer_id)
            if storing.begin(transfer):
                storing.take_in_charge(transfer)
    except (StorageFault, OSError) as error:
        with acting_for(organisation_id):
            transfer = locked(transfer_id)
            meet_incident(transfer, f"Le stockage n’a pas pu garder l’archive ({type(error).__name__}).")
            transfer.save()
        raise


@job(queue=QUEUE, label="Conservation de la réponse des archives")
def keep_reply(organisation_id: int, *, transfer_id: str) -> None:
    """Add the reply and the journal's entries to the archive."""
    from parvis.edemat.archives.services import storing
    from parvis.edemat.archives.services.controlling import locked

    storing.keep_reply(locked(transfer_id))
