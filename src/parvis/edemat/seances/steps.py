"""The first step of a deliberation's route: the vote, already taken when the route opens."""

from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import register_step


@register_step
class VoteStep:
    """Closed at once by the service that opens the route, with the result as its summary."""

    code = "seances.vote"
    label = "À voter"
    done_label = "Votée"
    permission = "seances.gerer"

    def start(self, step: RouteStep) -> None:
        """Nothing to start: the body has voted."""
