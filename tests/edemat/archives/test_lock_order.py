"""A transfer is decided under its own lock, then its route's, before the journal: see docs/architecture.md."""

import pytest

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.models import Accord, Transfer
from parvis.edemat.archives.services import deposit
from parvis.edemat.archives.services.parties import ensure_parties
from tests.edemat.archives.routes import ACTOR, route_of
from tests.edemat.locks import watched

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def to_decide(juvignac, frozen_clock, run_jobs):
    """The transfer of a route, which a person accepts or refuses."""
    frozen_clock("2019-07-12T09:00:00+02:00")
    with acting_for(juvignac):
        ensure_parties(juvignac)
        Accord.objects.update(auto_accept=False)
    route_of(juvignac)
    run_jobs()
    with acting_for(juvignac):
        return Transfer.objects.select_related("organisation").get(state=State.A_VALIDER)


def test_a_person_refuses_the_transfer_of_a_route(to_decide):
    with watched() as watch, acting_for(to_decide.organisation):
        deposit.refuse_transfer(to_decide, "Le bordereau est incomplet", actor=ACTOR)
    assert watch.faults == []
    assert watch.taken[:2] == ["archives_transfer", "routing_route"]


def test_a_person_accepts_the_transfer_of_a_route_which_is_then_stored(to_decide, run_jobs):
    with watched() as watch:
        with acting_for(to_decide.organisation):
            deposit.accept_transfer(to_decide, actor=ACTOR)
        run_jobs()
    assert watch.faults == []
    assert watch.taken[:3] == ["archives_transfer", "routing_route", "journal_head"]
