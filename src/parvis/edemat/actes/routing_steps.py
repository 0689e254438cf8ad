"""The steps that this service adds to a route: transmission to the State, then its acknowledgement."""

from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor
from parvis.core.routing.models import RouteDocument, RouteStep
from parvis.core.routing.registry import Remedy, register_step
from parvis.core.routing.services import fail_step, open_task
from parvis.edemat.actes.formats.checks import refusals
from parvis.edemat.actes.formats.numbers import ActeNumber, InvalidActeNumber
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services.preparation import Annexe, check_acte, holder_of_number, prepare_acte
from parvis.edemat.actes.services.transmission import path_of, to_correct

PREPARER = Actor("job", "actes.preparation")


class NothingToSend(DomainError):
    """The route carries no document to transmit."""


@register_step
class TransmissionStep:
    """Prepares the act from what the route knows, then waits for a person to transmit it."""

    code = "actes.transmission"
    label = "À transmettre"
    done_label = "Transmise"
    permission = "actes.transmettre"

    def start(self, step: RouteStep) -> None:
        """Prepare the act and open the task; a route that describes no act fails with the reason."""
        try:
            acte = _acte_of(step)
        except DomainError as refusal:
            fail_step(step, reason=refusal.sentence, actor=PREPARER)
            return
        refused = refusals(check_acte(acte))
        open_task(
            step.organisation,
            service="actes",
            verb="Transmettre",
            title=acte.objet,
            summary=refused[0].sentence if refused else f"Acte n° {acte.numero}, contrôles passés",
            permission="actes.transmettre",
            path=path_of(acte),
            subject=("acte", acte.pk),
        )
        _ask_for_classification(acte)

    def remedy(self, step: RouteStep) -> Remedy | None:
        """An act that exists is corrected on its page; without one, the step starts again."""
        return _remedy(step)

    def obstacle(self, step: RouteStep) -> tuple[str, str] | None:
        """The act that has the number wanted for this one."""
        try:
            number = str(ActeNumber.from_displayed(str(step.route.facts.get("acte", {}).get("numero", ""))))
        except InvalidActeNumber:
            return None
        ours = Acte.objects.filter(route=step.route_id).first()
        holder = holder_of_number(step.organisation, number, but=ours)
        return (f"Acte n° {holder.numero} : {holder.objet}", path_of(holder)) if holder else None


def _remedy(step: RouteStep) -> Remedy | None:
    acte = Acte.objects.filter(route=step.route_id).select_related("organisation").first()
    return to_correct(acte) if acte else None


def _acte_of(step: RouteStep) -> Acte:
    route = step.route
    existing = Acte.objects.filter(route=route).select_related("organisation", "document").first()
    if existing:
        return existing
    original = route.document("original")
    document = route.document("signe") or original
    if document is None:
        raise NothingToSend("Le cheminement ne porte aucun document à transmettre : déposez l’acte signé.")
    return prepare_acte(
        step.organisation,
        route.facts.get("acte", {}),
        document,
        annexes=[Annexe(d) for d in _annexes(step)],
        original=original if original != document else None,
        route=route,
        actor=PREPARER,
    )


def _annexes(step: RouteStep) -> list[Document]:
    holders = RouteDocument.objects.filter(route_id=step.route_id, role="annexe").select_related("document")
    return [holder.document for holder in holders.order_by("id")]


def _ask_for_classification(acte: Acte) -> None:
    """Without the préfecture's classification nothing can leave: ask for it while the act waits."""
    from parvis.edemat.actes.services import classification

    classification.request_if_none(acte.organisation, actor=PREPARER)


@register_step
class AcquittementStep:
    """Waits for the State's answer, which arrives by mail and completes the step."""

    code = "actes.acquittement"
    label = "En attente de l’État"
    done_label = "Acquittée"
    permission = "actes.transmettre"

    def start(self, step: RouteStep) -> None:
        """Nothing to do: the returns are read by ``services.reception``."""

    def remedy(self, step: RouteStep) -> Remedy | None:
        """What the State refused is corrected and sent again from the page of the act."""
        return _remedy(step)
