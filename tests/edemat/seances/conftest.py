"""Fixtures of meetings: ``make_council`` and ``council`` (Django is loaded when they run, not when they are
read)."""

from datetime import date
from typing import Any

import pytest


@pytest.fixture
def make_council(db, frozen_clock):
    """``make_council(organisation, size=29, points=2)`` -> Council; the caller acts for the organisation."""
    from parvis.edemat.seances import services

    from .council import ACTOR, STARTS, Council

    def make(organisation: Any, *, size: int = 29, points: int = 2, **planned: Any) -> Council:
        frozen_clock("2019-06-01T09:00+02:00")
        organe = services.create_organe(
            organisation,
            name="Conseil municipal",
            since=date(2014, 3, 30),
            place="Hôtel de ville",
            actor=ACTOR,
        )
        elus = [
            services.add_elu(
                organe,
                civility="Mme" if n % 2 else "M.",
                given_name="Camille",
                family_name=f"Membre{n:02d}",
                email=f"membre{n:02d}@{organisation.slug}.test",
                term_start=date(2014, 3, 30),
                actor=ACTOR,
            )
            for n in range(1, size + 1)
        ]
        seance = services.plan_seance(organe, starts_at=planned.pop("starts_at", STARTS), actor=ACTOR, **planned)
        for n in range(1, points + 1):
            services.add_point(
                seance,
                title=f"Affaire {n}",
                expose="Le rapporteur expose l’affaire.",
                visas="Vu le code général des collectivités territoriales, notamment son article L2121-29 ;",
                dispositif="D’APPROUVER la proposition",
                rapporteur=elus[1],
                matiere="5.7",
                matiere_label="Institutions et vie politique/Intercommunalité",
                actor=ACTOR,
            )
        return Council(organisation, organe, elus, seance, frozen_clock)

    return make


@pytest.fixture
def council(juvignac, make_council, monkeypatch):
    """Juvignac's council, the test acting for Juvignac; time-stamping is off unless a test starts the
    sandbox."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.trust.timestamps import TimestampUnavailable
    from parvis.edemat.seances.services import evidence

    def unavailable(data: bytes) -> None:
        raise TimestampUnavailable("Aucun service d’horodatage n’est configuré.")

    monkeypatch.setattr(evidence, "request_token", unavailable)
    with acting_for(juvignac):
        yield make_council(juvignac)
