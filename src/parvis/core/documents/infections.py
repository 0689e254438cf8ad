"""What follows the recognition of malicious software: the journal keeps it and the administration is told.

The content itself is never kept, and what was being done with it is undone: this is written once that is over.
"""

from uuid import NAMESPACE_OID, UUID, uuid5

from django.db.models import QuerySet
from django.urls import reverse

from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for, after_scope

KIND, VERB, PERMISSION = "fichier_infecte", "Examiner", "administration.organisation"
SCANNER = Actor("job", "documents.antivirus")

register_action("documents.virus", "Programme malveillant reconnu : fichier refusé")
register_action("documents.virus_examine", "Alerte de l’antivirus examinée")
register_subject(KIND, "Fichier infecté")


class AlertGone(DomainError):
    """The alert was dealt with already."""


def tell(organisation: Organisation, filename: str, sha256: str, signature: str) -> None:
    """Tell the journal and the administration of a content refused; the same content is one alert until examined."""

    def write() -> None:
        from parvis.core.routing.services import open_task

        with acting_for(organisation):
            subject = (KIND, uuid5(NAMESPACE_OID, sha256))
            record(
                organisation,
                "documents.virus",
                subject=subject,
                actor=SCANNER,
                sha256=sha256,
                details={"signature": signature},
            )
            open_task(
                organisation,
                service="administration",
                verb=VERB,
                title=f"Fichier infecté refusé : {filename}",
                summary=f"L’antivirus y a reconnu {signature} ; rien n’en a été gardé",
                permission=PERMISSION,
                path=reverse("documents:infections", args=[organisation.slug]),
                subject=subject,
            )

    after_scope(write)


def alerts(organisation: Organisation) -> QuerySet:
    """The tasks of the contents refused, those that wait first, newest first."""
    from parvis.core.routing.models import Task

    return Task.objects.filter(organisation=organisation, subject_kind=KIND).order_by("-state", "-created_at")


def close(organisation: Organisation, subject: UUID, *, actor: Actor) -> None:
    """An administrator has examined the alert. Raises AlertGone when somebody had."""
    from parvis.core.routing.services import close_tasks

    if not close_tasks(organisation, subject=(KIND, subject)):
        raise AlertGone("Cette alerte a déjà été examinée.")
    record(organisation, "documents.virus_examine", subject=(KIND, subject), actor=actor)
