"""A trial transmission goes the whole way and gives the act no force: not for agents, the public nor open data."""

import pytest

from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.generated_documents import stamp_of
from parvis.edemat.actes.models import ActeSettings, Publication
from parvis.edemat.actes.publication import Author, publish
from parvis.opendata.services import deliberation_from
from tests.edemat.actes.conftest import AGENT, FACTS

MAYOR = Author("Jean-Luc SAVY", "Maire")
LIST = "/o/juvignac/actes/"


@pytest.fixture
def tried(commune, prepare, state, run_jobs):
    """An act of a route, acknowledged after a trial transmission, then put online."""
    acte = prepare(commune)
    with acting_for(commune):
        ActeSettings.objects.update(test=True)
        acte.route = Route.objects.create(
            organisation=commune, kind="deliberation", title="x", reference="1", created_at=acte.created_at,
            facts={"acte": FACTS},
        )  # fmt: skip
        acte.save(update_fields=["route"])
        for rank, code in enumerate(("actes.transmission", "actes.acquittement", "actes.publication"), start=1):
            step = RouteStep(organisation=commune, route=acte.route, rank=rank, code=code)
            step.state = RouteStep.State.CURRENT if rank == 1 else RouteStep.State.WAITING
            step.save()
    state.transmit(acte)
    state.poll()
    run_jobs(queue="actes")
    with acting_for(commune):
        publish(state.again(acte), author=MAYOR, actor=AGENT)
    run_jobs(queue="actes")
    return state.again(acte)


def test_a_trial_never_binds_nor_is_certified(commune, tried):
    assert (tried.status, tried.executoire_on) == (Status.ACQUITTE, None)
    with acting_for(commune):
        route = Route.objects.get(pk=tried.route_id)
        assert "ar" not in route.facts
        assert route.facts["publication"]["executoire"] is None
        assert deliberation_from(commune, route.facts).recue_le is None
        assert route.document("certificat_executoire") is None
        assert stamp_of(tried).rows[-1] == "Transmission d’essai, sans valeur légale"


def test_the_public_reads_no_reception_from_a_trial(client, commune, tried):
    with acting_for(commune):
        online = Publication.objects.get(acte=tried)
        assert (online.unique_id, online.received_on, online.executoire_on) == ("", None, None)
        assert online.stamped is None, "its stamp says that the State received the act"
    page = client.get(f"/p/juvignac/actes/{online.pk}/").content.decode()
    assert "dès sa réception par la préfecture" in page
    assert "Reçue en préfecture" not in page


def test_the_agent_is_told_that_it_is_a_trial(agent_client, commune, tried, prepare):
    secretary = agent_client(commune, "secretaire")
    page = secretary.get(f"{LIST}{tried.pk}/").content.decode()
    assert "Transmission d’essai, sans valeur légale" in page
    assert "non, la transmission est un essai" in page
    assert "délai de déféré" not in page
    following = prepare(commune, numero="19.07.01.06")
    assert "Transmission d’essai" in secretary.get(f"{LIST}{following.pk}/transmettre/").content.decode()
