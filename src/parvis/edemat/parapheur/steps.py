"""The parapheur's step in a document's route."""

from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import register_step

SIGNATURE = "parapheur.signature"


@register_step
class SignatureStep:
    """Opens a dossier on the route's document when its turn comes."""

    code = SIGNATURE
    label = "À signer"
    done_label = "Signée"

    def start(self, step: RouteStep) -> None:
        from parvis.edemat.parapheur.services import create_dossier

        create_dossier(step)
