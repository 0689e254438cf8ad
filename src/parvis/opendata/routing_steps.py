"""The step that ends a deliberation's route: its row enters the open table."""

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor
from parvis.core.routing.models import Route, RouteStep
from parvis.core.routing.registry import register_step
from parvis.core.routing.services import complete_step, fail_step
from parvis.opendata import services
from parvis.opendata.queries import STEP


@register_step
class OpenDeliberations:
    """Opens the row as soon as the step starts; what the schema refuses waits for a correction."""

    code = STEP
    label = "À ouvrir"
    done_label = "En données ouvertes"
    dropped_label = "Non ouverte"
    permission = "opendata.publier"
    application = "opendata"

    def start(self, step: RouteStep) -> None:
        organisation = step.organisation
        if not organisation.subscribes_to("opendata", clock.today()):
            complete_step(
                step,
                summary="Non ouverte : l’organisation n’a pas adhéré à l’application Open data.",
                actor=services.SYSTEM,
            )
            return
        if withdrawn(step.route):
            complete_step(step, summary="Non ouverte : la publication de l’acte a été retirée.", actor=services.SYSTEM)
            return
        if notified_only(step.route):
            said = "Non ouverte : l’acte est notifié aux intéressés, il n’est pas publié."
            complete_step(step, summary=said, actor=services.SYSTEM)
            return
        try:
            row = services.open_deliberation(step.route)
        except DomainError as error:
            fail_step(step, reason=error.sentence, actor=services.SYSTEM)
            return
        complete_step(
            step,
            summary=f"Ligne {row.delib_id} du jeu « {row.dataset.title} »",
            facts={"opendata": {"dataset": row.dataset.slug, "row": str(row.pk), "date": str(clock.today())}},
            actor=services.SYSTEM,
        )


def withdrawn(route: Route) -> bool:
    """True when the act of ``route`` was put online and is no longer."""
    return bool(route.facts.get("publication", {}).get("retiree_le"))


def notified_only(route: Route) -> bool:
    """True when the act of ``route`` was made known to the people it names and to nobody else."""
    return "notification" in route.facts and "publication" not in route.facts


def publication_withdrawn(route: Route, actor: Actor) -> None:
    """The act is no longer online: its row leaves the table."""
    services.withdraw_deliberation(route, actor=actor)


def publication_renewed(route: Route, actor: Actor) -> None:
    """The act is online again: its row comes back, when this step had been reached."""
    if not route.steps.filter(code=STEP, state=RouteStep.State.DONE).exists():
        return
    if not route.organisation.subscribes_to("opendata", clock.today()):
        return
    try:
        services.open_deliberation(route, actor=actor)
    except DomainError as error:
        services.ask_for_correction(route, error)
