"""Jobs that produce the documents of an act: thin and idempotent, they call ``generated_documents``."""

from parvis.core.jobs import job
from parvis.core.journal.services import Actor
from parvis.edemat.actes.locking import lock_acte


@job(queue="actes", label="Tampon et bordereau d’acquittement")
def prepare_acknowledgement_documents(organisation_id: int, acte_id: str) -> None:
    """Stamped copies and bordereau at the acknowledgement; the rest if the act is online already."""
    from parvis.edemat.actes import generated_documents

    acte, actor = lock_acte(acte_id), Actor("job", "actes.documents")
    generated_documents.produce_after_acknowledgement(acte, actor=actor)
    generated_documents.produce_after_notification(acte, actor=actor)
    generated_documents.produce_after_publication(acte, actor=actor)


@job(queue="actes", label="Documents de publication")
def prepare_publication_documents(organisation_id: int, acte_id: str) -> None:
    """Copies stamped with the publication date and certificate, once the act is online; the route goes on."""
    from parvis.edemat.actes import generated_documents

    generated_documents.produce_after_publication(lock_acte(acte_id), actor=Actor("job", "actes.documents"))


@job(queue="actes", label="Certificat après la notification")
def prepare_notification_certificate(organisation_id: int, acte_id: str) -> None:
    """The certificate of an act notified to the people it names, once the State has received it."""
    from parvis.edemat.actes import generated_documents

    generated_documents.produce_after_notification(lock_acte(acte_id), actor=Actor("job", "actes.documents"))
