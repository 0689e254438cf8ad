"""From the act taken off the site to the open table: the row leaves with it, and comes back with it."""

import pytest

from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Subscription
from parvis.core.organisations.tenancy import acting_for, public_view_of
from parvis.core.routing.models import Route, RouteStep
from parvis.core.routing.registry import plugin
from parvis.core.routing.services import open_route
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.publication import Author, publish, withdraw
from parvis.opendata.models import DeliberationRow
from tests.edemat.actes.making import make_acte

AGENT, MAYOR = Actor("account", "1"), Author("Jean-Luc SAVY", "Maire")
CODES = ["actes.publication", "opendata.deliberations"]


@pytest.fixture
def acte(juvignac, facts, frozen_clock):
    """An acknowledged act whose route stands at its publication."""
    frozen_clock("2019-07-11T09:00+02:00")
    del facts["publication"]
    with acting_for(juvignac):
        route = Route.objects.create(
            organisation=juvignac, kind="deliberation", title=facts["acte"]["objet"],
            reference=facts["acte"]["numero"], facts=facts, created_at="2019-07-01T20:00+02:00",
        )  # fmt: skip
        for rank, code in enumerate(CODES, start=1):
            state = RouteStep.State.CURRENT if rank == 1 else RouteStep.State.WAITING
            RouteStep.objects.create(organisation=juvignac, route=route, rank=rank, code=code, state=state)
        return make_acte(juvignac, route=route)


def put_online(acte, run_jobs):
    with acting_for(acte.organisation):
        online = publish(acte, author=MAYOR, actor=AGENT)
    run_jobs(queue="actes")
    return online


def take_down(acte, online):
    with acting_for(acte.organisation):
        withdraw(online, reason="adresse laissée en clair", actor=AGENT, despite_duty=True)


def public_numbers(organisation) -> list[str]:
    with public_view_of(organisation):
        return list(DeliberationRow.including_withdrawn.values_list("delib_id", flat=True))


def test_the_row_leaves_with_the_publication(client, acte, run_jobs):
    commune = acte.organisation
    online = put_online(acte, run_jobs)
    assert public_numbers(commune) == ["19.07.01.05"]
    assert "19.07.01.05" in client.get("/p/juvignac/donnees/deliberations/").content.decode()

    take_down(acte, online)
    assert public_numbers(commune) == [], "the database itself shows it to nobody"
    assert "19.07.01.05" not in client.get("/p/juvignac/donnees/deliberations/").content.decode()
    csv = b"".join(client.get("/p/juvignac/donnees/deliberations.csv")).decode()
    assert "DELIB_ID" in csv
    assert "19.07.01.05" not in csv
    with acting_for(commune):
        row = DeliberationRow.including_withdrawn.get()
        assert row.withdrawn_at is not None
        told = Entry.objects.about("route", acte.route_id).order_by("seq").values_list("action", "actor_kind")
        assert list(told)[-2:] == [("cheminement.evenement", "account"), ("opendata.deliberation_retiree", "account")]
        assert Route.objects.get(pk=acte.route_id).facts["publication"]["retiree_le"] == "2019-07-11"


def test_the_row_comes_back_under_its_identifier_at_the_new_address(acte, run_jobs):
    first = put_online(acte, run_jobs)
    with acting_for(acte.organisation):
        row = DeliberationRow.objects.get()
    take_down(acte, first)
    second = put_online(acte, run_jobs)
    with acting_for(acte.organisation):
        again = DeliberationRow.objects.get()
        assert (again.pk, again.withdrawn_at) == (row.pk, None)
        assert str(second.pk) in again.delib_url
        assert "retiree_le" not in Route.objects.get(pk=acte.route_id).facts["publication"]


def test_a_withdrawal_before_the_opening_keeps_the_row_out(acte, run_jobs):
    with acting_for(acte.organisation):
        Route.objects.filter(pk=acte.route_id).update(
            facts=acte.route.facts | {"publication": {"date": "2019-07-11", "url": "/p/x/", "retiree_le": "2019-07-11"}}
        )
        step = RouteStep.objects.select_related("route", "organisation").get(route=acte.route_id, rank=2)
        step.route.steps.filter(rank=1).update(state=RouteStep.State.DONE)
        step.route.steps.filter(rank=2).update(state=RouteStep.State.CURRENT)
        plugin(step.code).start(step)
        step.refresh_from_db()
        assert step.summary == "Non ouverte : la publication de l’acte a été retirée."
        assert not DeliberationRow.including_withdrawn.exists()


def test_a_row_is_not_opened_for_an_act_that_was_only_notified(acting_for_juvignac, facts, route_at_opendata):
    del facts["publication"]
    step = route_at_opendata(acting_for_juvignac, facts | {"notification": {"date": "2019-07-09"}})
    plugin(step.code).start(step)
    step.refresh_from_db()
    assert step.summary == "Non ouverte : l’acte est notifié aux intéressés, il n’est pas publié."
    assert not DeliberationRow.including_withdrawn.exists()


def test_an_act_without_open_row_is_taken_down_alone(acting_for_juvignac):
    alone = make_acte(acting_for_juvignac)
    online = publish(alone, author=MAYOR, actor=AGENT)
    withdraw(online, reason="adresse laissée en clair", actor=AGENT, despite_duty=True)
    assert not Entry.objects.filter(action="cheminement.evenement").exists()
    assert Acte.objects.get(pk=alone.pk).published_on is not None


def test_a_route_has_no_step_of_an_application_not_subscribed(acting_for_juvignac, facts):
    def opened() -> list[str]:
        acting_for_juvignac.refresh_from_db()
        route = open_route(
            acting_for_juvignac, kind="deliberation", title="x", reference="1",
            step_codes=["seances.vote", *CODES], facts=facts, actor=AGENT,
        )  # fmt: skip
        return [step.code for step in route.steps.all()]

    assert opened() == ["seances.vote", *CODES]
    Subscription.objects.filter(organisation=acting_for_juvignac, application="opendata").delete()
    assert opened() == ["seances.vote", "actes.publication"]
