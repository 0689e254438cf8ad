"""The agenda before the convocation: order, removals; interested members; the list of past meetings."""

from datetime import timedelta

import pytest
from django.urls import reverse

from parvis.core.documents.models import Document
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.seances import services
from parvis.edemat.seances.errors import WrongMoment
from parvis.edemat.seances.models import Annexe, Point, Seance

from .council import ACTOR, STARTS

PLAN = {"title": "Plan", "content": b"texte", "filename": "plan.txt", "to_prefecture": False}


def _titles(council):
    return list(council.seance.points.order_by("rank").values_list("rank", "title"))


def _url(name, pk=None):
    return reverse(f"seances:{name}", args=["juvignac"] if pk is None else ["juvignac", pk])


@pytest.fixture
def three(council):
    services.add_point(council.seance, title="Affaire 3", actor=ACTOR)
    return council


@pytest.mark.parametrize(
    ("rank", "up", "order"), [(3, True, "132"), (1, False, "213"), (1, True, "123"), (3, False, "123")]
)
def test_an_item_moves_one_place(three, rank, up, order):
    services.move_point(three.seance.points.get(rank=rank), up=up, actor=ACTOR)
    assert _titles(three) == [(n, f"Affaire {title}") for n, title in enumerate(order, start=1)]


def test_an_item_removed_takes_its_annexes_and_the_next_ones_move_up(three):
    point = three.seance.points.get(rank=2)
    services.add_annexe(point, actor=ACTOR, **PLAN)
    services.remove_point(point, actor=ACTOR)
    assert _titles(three) == [(1, "Affaire 1"), (2, "Affaire 3")]
    assert Document.objects.filter(filename="plan.txt").exists()  # a document is never deleted


def test_an_annex_is_taken_off(council):
    point = council.seance.points.get(rank=1)
    annexe = services.add_annexe(point, actor=ACTOR, **PLAN)
    services.remove_annexe(annexe, actor=ACTOR)
    assert not point.annexes.exists()


def test_the_agenda_is_frozen_by_the_convocation(council):
    point = council.seance.points.get(rank=1)
    annexe = services.add_annexe(point, actor=ACTOR, **PLAN)
    council.convoke()
    for act in (
        lambda: services.remove_point(point, actor=ACTOR),
        lambda: services.remove_annexe(annexe, actor=ACTOR),
        lambda: services.move_point(point, up=False, actor=ACTOR),
    ):
        with pytest.raises(WrongMoment, match="en préparation"):
            act()


def test_the_pages_order_and_remove(three, agent_client):
    secretary = agent_client(three.organisation, "secretaire")
    first, second, _ = three.seance.points.order_by("rank")
    secretary.post(_url("move_point", second.pk), {"sens": "haut"})
    assert _titles(three)[0] == (1, "Affaire 2")
    assert "les points suivants remontent" in secretary.get(_url("remove_point", first.pk)).content.decode()
    assert three.seance.points.count() == 3
    secretary.post(_url("remove_point", first.pk))
    assert not Point.objects.filter(pk=first.pk).exists()
    annexe = services.add_annexe(second, actor=ACTOR, **PLAN)
    secretary.post(_url("remove_annexe", annexe.pk))
    assert not Annexe.objects.exists()


# -- interested members ---------------------------------------------------------------------------------


@pytest.fixture
def sitting(council):
    council.convoke()
    council.deliver()
    council.open(presents=18, powers=8)
    return council


def test_an_interested_member_leaves_quorum_and_vote_of_the_item_with_their_power(sitting):
    point = sitting.seance.points.get(rank=1)
    services.record_withdrawal(point, sitting.members[0], actor=ACTOR)
    assert services.quorum_at(sitting.seance, 1).counted == 17
    assert services.composition(sitting.seance, 1).votants() == 24
    assert services.composition(sitting.seance, 2).votants() == 26


def test_a_withdrawal_is_undone_before_the_vote(sitting):
    point = sitting.seance.points.get(rank=1)
    services.record_withdrawal(point, sitting.members[0], actor=ACTOR)
    with pytest.raises(WrongMoment, match="déporte déjà"):
        services.record_withdrawal(point, sitting.members[0], actor=ACTOR)
    services.undo_withdrawal(point, sitting.members[0], actor=ACTOR)
    assert services.composition(sitting.seance, 1).votants() == 26
    with pytest.raises(WrongMoment, match="ne s’est pas déporté"):
        services.undo_withdrawal(point, sitting.members[0], actor=ACTOR)


def test_an_absent_member_has_nothing_to_withdraw_from(sitting):
    with pytest.raises(WrongMoment, match="n’est pas en séance"):
        services.record_withdrawal(sitting.seance.points.get(rank=1), sitting.members[28], actor=ACTOR)


def test_the_page_records_a_withdrawal_and_prints_it(sitting, agent_client):
    secretary = agent_client(sitting.organisation, "secretaire")
    point, member = sitting.seance.points.get(rank=1), sitting.members[2]
    body = secretary.post(_url("withdraw", point.pk), {"membre": member.pk}, follow=True).content.decode()
    assert f"Ne prennent pas part au point : {member.name}." in body
    assert secretary.post(_url("withdraw", point.pk), {"membre": "x"}).status_code == 422
    body = secretary.post(_url("withdraw", point.pk), {"membre": member.pk, "sens": "reprise"}, follow=True)
    assert "Ne prennent pas part au point" not in body.content.decode()


# -- the list -------------------------------------------------------------------------------------------


def test_past_meetings_are_paged_both_ways_even_at_the_same_instant(council, agent_client, monkeypatch):
    from parvis.edemat.seances import queries

    monkeypatch.setattr(queries, "PAGE", 2)
    with acting_for(council.organisation):
        organes = [
            services.create_organe(council.organisation, name=f"Commission {n}", since=STARTS.date(), actor=ACTOR)
            for n in range(5)
        ]
        Seance.objects.bulk_create(
            Seance(
                organisation=council.organisation,
                organe=organe,
                starts_at=STARTS - timedelta(days=30),
                place="Salle",
                state=Seance.State.LEVEE,
                convoked_at=STARTS - timedelta(days=40),
            )
            for organe in organes
        )
    secretary = agent_client(council.organisation, "secretaire")
    seen, url = [], _url("list")
    while url:
        page = secretary.get(url).context["page"]
        seen += [one.organe.name for one in page.rows]
        url = f"{_url('list')}?apres={page.next}" if page.next else ""
    assert sorted(seen) == [f"Commission {n}" for n in range(5)]
    back = secretary.get(f"{_url('list')}?avant={page.previous}").context["page"]
    assert [one.organe.name for one in back.rows] == seen[2:4]
