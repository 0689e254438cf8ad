"""A council of the size of Juvignac's, with invented members, and what tests do to its meeting of 1 July
2019."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parvis.core import clock
from parvis.core.journal.services import Actor

ACTOR = Actor("system", "tests")
CONVENED = "2019-06-24T18:00+02:00"
OPENED = "2019-07-01T18:35+02:00"
STARTS = datetime(2019, 7, 1, 18, 30, tzinfo=clock.PARIS)


@dataclass
class Council:
    """A body and a meeting of one organisation, with what tests do to them."""

    organisation: Any
    organe: Any
    elus: list[Any]
    seance: Any
    freeze: Callable[[str], datetime]

    def convoke(self, at: str = CONVENED) -> Any:
        from parvis.edemat.seances import services

        self.freeze(at)
        self.seance = services.convoke(self.seance, actor=ACTOR)
        return self.seance

    @property
    def members(self) -> list[Any]:
        return list(self.seance.convocations.order_by("rank"))

    def seat(self, presents: int, powers: int = 0) -> Any:
        """The first `presents` members in the room, the next `powers` represented by the first ones."""
        from parvis.edemat.seances import services

        members = self.members
        givers = members[presents : presents + powers]
        return services.record_presence_sheet(
            self.seance,
            presents=members[:presents],
            powers=list(zip(givers, members, strict=False)),
            actor=ACTOR,
        )

    def open(self, presents: int = 18, powers: int = 8, at: str = OPENED) -> Any:
        from parvis.edemat.seances import services

        self.freeze(at)
        self.seat(presents, powers)
        self.seance = services.open_meeting(self.seance, actor=ACTOR)
        return self.seance

    def deliver(self) -> None:
        """Say that every convocation was handed to the relay, as the jobs do."""
        from parvis.edemat.seances.models import Convocation

        self.seance.convocations.filter(state=Convocation.State.EN_FILE).update(
            state=Convocation.State.REMIS_AU_RELAIS, sent_at=clock.now()
        )

    def rise(self) -> Any:
        from parvis.edemat.seances import services

        for point in self.seance.points.order_by("rank"):
            services.record_unanimity(point, actor=ACTOR)
        self.seance = services.rise(self.seance, actor=ACTOR)
        return self.seance
