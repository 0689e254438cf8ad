"""Presences, powers, quorum, votes and numbers, on the database."""

import pytest
from django.db import IntegrityError, transaction

from parvis.edemat.seances import services
from parvis.edemat.seances.errors import BallotRefused, QuorumMissing, SeanceIncomplete, WrongMoment
from parvis.edemat.seances.formats.pouvoirs import PowerRefused
from parvis.edemat.seances.models import Deliberation, Point, Pouvoir, Scrutin, Seance

from .council import ACTOR


@pytest.fixture
def convened(council):
    council.convoke()
    council.deliver()
    return council


def test_the_sheet_of_juvignac_reaches_the_quorum(convened):
    found = convened.seat(18, 8)
    assert (len(found.presents), len(found.powers), len(found.absents)) == (18, 8, 3)
    assert services.quorum_at(convened.seance).reached


def test_a_meeting_does_not_open_before_its_day(convened):
    convened.seat(18)
    with pytest.raises(WrongMoment, match="lundi 1er"):
        services.open_meeting(convened.seance, actor=ACTOR)


def test_powers_never_make_the_quorum(convened):
    convened.freeze("2019-07-01T18:30+02:00")
    convened.seat(14, 14)
    with pytest.raises(QuorumMissing, match="14"):
        services.open_meeting(convened.seance, actor=ACTOR)
    assert Seance.objects.get(pk=convened.seance.pk).state == Seance.State.CONVOQUEE


def test_no_meeting_opens_without_its_chair(convened):
    convened.freeze("2019-07-01T18:30+02:00")
    services.record_presence_sheet(convened.seance, presents=convened.members[1:20], actor=ACTOR)
    with pytest.raises(SeanceIncomplete, match="président"):
        services.open_meeting(convened.seance, actor=ACTOR)


def test_a_holder_has_one_power_only(convened):
    members = convened.members
    powers = [(members[20], members[1]), (members[21], members[1])]
    with pytest.raises(PowerRefused, match="porte déjà le pouvoir de"):
        services.record_presence_sheet(convened.seance, presents=members[:18], powers=powers, actor=ACTOR)


def test_the_database_itself_refuses_a_second_power_on_a_holder(convened):
    members = convened.members
    convened.seat(18, 2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Pouvoir.objects.create(
            organisation=convened.organisation,
            seance=convened.seance,
            giver=members[21],
            holder=members[1],
            received_at=convened.freeze("2019-06-30T10:00+02:00"),
        )


def test_a_present_member_gives_no_power(convened):
    members = convened.members
    powers = [(members[0], members[1])]
    with pytest.raises(PowerRefused, match="vote en personne"):
        services.record_presence_sheet(convened.seance, presents=members[:18], powers=powers, actor=ACTOR)


def test_a_refused_sheet_changes_nothing(convened):
    convened.seat(18, 2)
    members = convened.members
    with pytest.raises(PowerRefused), transaction.atomic():
        services.record_presence_sheet(
            convened.seance,
            presents=members[:17],
            powers=[(members[20], members[1]), (members[21], members[1])],
            actor=ACTOR,
        )
    found = services.composition(convened.seance)
    assert (len(found.presents), len(found.powers)) == (18, 2)


def test_an_exchange_of_powers_on_a_sheet_is_accepted(convened):
    convened.seat(18, 2)
    members = convened.members
    found = services.record_presence_sheet(
        convened.seance,
        presents=members[:18],
        powers=[(members[18], members[1]), (members[19], members[0])],
        actor=ACTOR,
    )
    assert [(one.giver, one.holder) for one in found.powers] == [
        (members[18].name, members[1].name),
        (members[19].name, members[0].name),
    ]


def test_a_giver_who_arrives_takes_the_vote_back(convened):
    convened.open(18, 8)
    giver = convened.members[18]
    first, second = convened.seance.points.order_by("rank")
    services.record_unanimity(first, actor=ACTOR)
    members = convened.members
    still = list(zip(members[19:26], members[1:8], strict=True))
    found = services.record_presence_sheet(
        convened.seance, presents=members[:19], powers=still, from_item=2, actor=ACTOR
    )
    assert giver.name in found.presents
    assert len(found.powers) == 7
    assert services.record_unanimity(second, actor=ACTOR).votants == 26
    assert second.scrutin.presents == 19


def test_a_movement_on_an_item_already_voted_is_refused(convened):
    convened.open()
    services.record_unanimity(convened.seance.points.get(rank=1), actor=ACTOR)
    with pytest.raises(WrongMoment, match="à partir du point 2"):
        services.record_presence_sheet(convened.seance, presents=convened.members[:17], from_item=1, actor=ACTOR)


def test_unanimity_counts_presents_and_powers(convened):
    convened.open()
    scrutin = services.record_unanimity(convened.seance.points.get(rank=1), actor=ACTOR)
    assert (scrutin.pour, scrutin.votants, scrutin.result) == (26, 26, "adoptee")
    assert scrutin.mention == "à l’unanimité"


def test_counts_that_do_not_make_the_voters_are_refused(convened):
    convened.open()
    with pytest.raises(BallotRefused, match="25"):
        services.record_vote(convened.seance.points.get(rank=1), mode="main_levee", pour=25, actor=ACTOR)
    assert not Scrutin.objects.exists()


def test_the_database_itself_refuses_counts_that_do_not_make_the_voters(convened):
    convened.open()
    scrutin = services.record_unanimity(convened.seance.points.get(rank=1), actor=ACTOR)
    with pytest.raises(IntegrityError), transaction.atomic():
        Scrutin.objects.filter(pk=scrutin.pk).update(pour=25)


def test_blank_ballots_belong_to_secret_ballots(convened):
    convened.open()
    point = convened.seance.points.get(rank=1)
    with pytest.raises(BallotRefused, match="scrutin secret"):
        services.record_vote(point, mode="main_levee", pour=25, blancs=1, actor=ACTOR)
    assert services.record_vote(point, mode="scrutin_secret", pour=25, blancs=1, actor=ACTOR).result == "adoptee"


def test_a_tie_is_settled_by_the_chair_except_in_secret(convened):
    convened.open()
    first, second = convened.seance.points.order_by("rank")
    counts = {"pour": 13, "contre": 13, "actor": ACTOR}
    assert services.record_vote(first, mode="main_levee", chair_voice="pour", **counts).result == "adoptee"
    assert services.record_vote(second, mode="scrutin_secret", **counts).result == "rejetee"


def test_an_interested_member_withdraws_with_the_power_they_hold(convened):
    convened.open()
    point = convened.seance.points.get(rank=2)
    services.record_withdrawal(point, convened.members[0], actor=ACTOR)
    scrutin = services.record_unanimity(point, actor=ACTOR)
    assert (scrutin.presents, scrutin.pouvoirs, scrutin.hors_vote, scrutin.votants) == (18, 8, 2, 24)
    assert scrutin.composition["retires"] == [convened.members[0].name]


def test_quorum_is_checked_again_at_each_item(convened):
    convened.open(15, 0)
    services.record_presence_sheet(convened.seance, presents=convened.members[:14], from_item=2, actor=ACTOR)
    services.record_unanimity(convened.seance.points.get(rank=1), actor=ACTOR)
    with pytest.raises(QuorumMissing):
        services.record_unanimity(convened.seance.points.get(rank=2), actor=ACTOR)


def test_an_urgent_meeting_votes_the_urgency_first(juvignac, make_council, acting_for_juvignac):
    council = make_council(juvignac, urgency=True, urgency_motive="Sinistre")
    council.convoke("2019-06-29T10:00+02:00")
    council.deliver()
    council.open()
    point = council.seance.points.get(rank=1)
    with pytest.raises(WrongMoment, match="urgence"):
        services.record_unanimity(point, actor=ACTOR)
    services.vote_urgency(council.seance, admitted=True, actor=ACTOR)
    assert services.record_unanimity(point, actor=ACTOR).pour == 26


def test_a_meeting_does_not_rise_on_an_item_left_open(convened):
    convened.open()
    services.record_unanimity(convened.seance.points.get(rank=1), actor=ACTOR)
    with pytest.raises(WrongMoment, match="2"):
        services.rise(convened.seance, actor=ACTOR)


def test_numbers_follow_the_agenda_and_skip_what_was_put_off(juvignac, make_council, acting_for_juvignac):
    council = make_council(juvignac, points=4)
    council.convoke()
    council.deliver()
    council.open()
    points = list(council.seance.points.order_by("rank"))
    for point in (points[3], points[0], points[2]):
        services.record_unanimity(point, actor=ACTOR)
    services.postpone(points[1], actor=ACTOR)
    services.rise(council.seance, actor=ACTOR)
    numbers = Deliberation.objects.order_by("point__rank").values_list("point__rank", "number")
    assert list(numbers) == [(1, "19.07.01.01"), (3, "19.07.01.02"), (4, "19.07.01.03")]
    assert Deliberation.objects.get(point=points[3]).actes_number == "19_07_01_03"


def test_a_number_is_unique_in_the_organisation(convened):
    convened.open()
    convened.rise()
    first, second = Deliberation.objects.order_by("number")
    with pytest.raises(IntegrityError), transaction.atomic():
        Deliberation.objects.filter(pk=second.pk).update(number=first.number)


def test_a_voted_item_is_not_put_off(convened):
    convened.open()
    point = convened.seance.points.get(rank=1)
    services.record_unanimity(point, actor=ACTOR)
    with pytest.raises(WrongMoment):
        services.postpone(Point.objects.get(pk=point.pk), actor=ACTOR)


def test_a_second_convocation_needs_no_quorum(juvignac, make_council, acting_for_juvignac):
    council = make_council(juvignac)
    council.convoke()
    council.deliver()
    council.seat(5)
    first = council.seance
    council.freeze("2019-07-01T19:00+02:00")
    again = services.reconvene(first, starts_at=first.starts_at.replace(day=5), actor=ACTOR)
    council.seance = services.convoke(again, actor=ACTOR)
    council.deliver()
    council.open(5, 0, at="2019-07-05T18:30+02:00")
    assert services.record_unanimity(council.seance.points.get(rank=1), actor=ACTOR).pour == 5
