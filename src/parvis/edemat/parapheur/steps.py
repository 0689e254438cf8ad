"""The parapheur's step in a document's route."""

from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import Remedy, register_step

SIGNATURE = "parapheur.signature"


@register_step
class SignatureStep:
    """Opens a dossier on the route's document when its turn comes."""

    code = SIGNATURE
    label = "À signer"
    done_label = "Signée"
    permission = "parapheur.preparer"

    def start(self, step: RouteStep) -> None:
        from parvis.edemat.parapheur.services import create_dossier

        create_dossier(step)

    def remedy(self, step: RouteStep) -> Remedy | None:
        """A refused dossier is taken up on its own page, where the corrected document is signed anew."""
        from parvis.edemat.parapheur.services import to_correct

        return to_correct(step)
