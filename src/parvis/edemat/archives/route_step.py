"""The archiving step of a document's route."""

from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import register_step

STEP = "archives.versement"


@register_step
class TransferStep:
    """Hands the dossier of the route over to the archives."""

    code = STEP
    label = "À archiver"
    done_label = "Archivée"
    permission = "archives.verser"

    def start(self, step: RouteStep) -> None:
        from parvis.edemat.archives.tasks import build_transfer

        build_transfer.enqueue(step.organisation, step_id=str(step.pk))
