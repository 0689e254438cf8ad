"""The step « À publier » of a route: it starts at the acknowledgement and ends once the act is online, or notified."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import register_step
from parvis.core.routing.services import open_task
from parvis.edemat.actes import document_tasks
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.publication import TASK_VERB, known_by_notification


@register_step
class PublicationStep:
    """Waits for a person to publish or to note a notification; the documents of the receipt are made meanwhile."""

    code = "actes.publication"
    label = "À publier"
    done_label = "Publiée"
    permission = "actes.publier"

    def start(self, step: RouteStep) -> None:
        acte = Acte.objects.select_related("organisation").get(route_id=step.route_id)
        document_tasks.prepare_acknowledgement_documents.enqueue(acte.organisation, acte_id=str(acte.pk))
        if acte.publications.online().exists() or known_by_notification(acte):
            return  # known before its acknowledgement: the same job finishes the step
        binding = "essai, jamais exécutoire" if acte.trial else "exécutoire dès sa publication"
        open_task(
            acte.organisation,
            service="actes",
            verb=TASK_VERB,
            title=acte.objet,
            summary=f"{acte.get_nature_display()}, {acte.numero} : {binding}",
            permission="actes.publier",
            path=reverse("actes:publish", kwargs={"organisation_slug": acte.organisation.slug, "pk": acte.pk}),
            subject=("acte", acte.pk),
        )

    def done_as(self, facts: Mapping[str, Any]) -> str:
        """An act that was notified and never put online is not « Publiée »."""
        return "Notifiée" if "notification" in facts and "publication" not in facts else self.done_label
