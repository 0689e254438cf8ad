"""Background work of the parapheur."""

from uuid import UUID

from parvis.core.jobs import job
from parvis.edemat.parapheur import services


@job(queue="parapheur", retry=3, in_transaction=False, label="Signature d’un dossier")
def sign_dossier(organisation_id: int, dossier_id: str) -> None:
    """Carry out one requested signature."""
    services.carry_out_signature(organisation_id, UUID(dossier_id))
