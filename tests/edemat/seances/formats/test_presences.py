"""Powers and the composition of the body at each item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.seances.formats.pouvoirs import Power, PowerRefused, check_power
from parvis.edemat.seances.formats.presences import Event, Kind, composition_at

MEMBERS = ("M. A", "Mme B", "M. C", "Mme D")


def _check(giver: str, holder: str, *standing: Power, **states: tuple[str, ...]) -> None:
    check_power(Power(giver, holder), members=MEMBERS, standing=standing, **states)


def test_a_plain_power_is_accepted() -> None:
    _check("M. A", "Mme B", Power("M. C", "Mme D"))


@pytest.mark.parametrize(
    ("giver", "holder", "standing", "states", "word"),
    [
        ("M. A", "M. A", (), {}, "ne peut pas se donner"),
        ("M. X", "Mme B", (), {}, "n’est pas convoqué"),
        ("M. A", "M. X", (), {}, "n’est pas convoqué"),
        ("M. A", "Mme B", (Power("M. C", "Mme B"),), {}, "porte déjà le pouvoir de M. C"),
        ("M. A", "Mme B", (Power("M. A", "Mme D"),), {}, "a déjà donné pouvoir à Mme D"),
        ("M. A", "Mme B", (Power("Mme B", "M. C"),), {}, "ne peut pas en porter"),
        ("M. A", "Mme B", (Power("M. C", "M. A"),), {}, "ne peut pas donner le sien"),
        ("M. A", "Mme B", (), {"present": ("M. A",)}, "vote en personne"),
        ("M. A", "Mme B", (), {"absent": ("Mme B",)}, "est absent"),
    ],
)
def test_refused_powers_say_why(giver, holder, standing, states, word) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PowerRefused) as refusal:
        _check(giver, holder, *standing, **states)
    assert word in refusal.value.sentence


def test_the_opening_lists() -> None:
    found = composition_at(
        MEMBERS,
        [
            Event("M. A", Kind.ARRIVEE),
            Event("Mme B", Kind.ARRIVEE),
            Event("M. C", Kind.POUVOIR_DONNE, holder="Mme B"),
        ],
    )
    assert found.presents == ("M. A", "Mme B")
    assert found.powers == (Power("M. C", "Mme B"),)
    assert found.absents == ("Mme D",)
    assert found.votants() == 3


def test_a_giver_who_arrives_takes_the_vote_back_from_that_item_on() -> None:
    journal = [
        Event("Mme B", Kind.ARRIVEE),
        Event("M. C", Kind.POUVOIR_DONNE, holder="Mme B"),
        Event("M. C", Kind.ARRIVEE, from_item=3),
    ]
    assert composition_at(MEMBERS, journal, 2).powers == (Power("M. C", "Mme B"),)
    assert composition_at(MEMBERS, journal, 3).powers == ()
    assert "M. C" in composition_at(MEMBERS, journal, 3).presents


def test_a_power_falls_when_its_holder_leaves() -> None:
    journal = [
        Event("Mme B", Kind.ARRIVEE),
        Event("M. C", Kind.POUVOIR_DONNE, holder="Mme B"),
        Event("Mme B", Kind.DEPART, from_item=2),
    ]
    assert composition_at(MEMBERS, journal, 2).absents == MEMBERS


def test_an_interested_member_leaves_the_vote_with_the_power_they_hold_for_that_item_only() -> None:
    journal = [
        Event("M. A", Kind.ARRIVEE),
        Event("Mme B", Kind.ARRIVEE),
        Event("M. C", Kind.POUVOIR_DONNE, holder="Mme B"),
        Event("Mme B", Kind.DEPORT, from_item=2),
    ]
    at_two, at_three = composition_at(MEMBERS, journal, 2), composition_at(MEMBERS, journal, 3)
    assert (at_two.withdrawn, at_two.voices_withdrawn, at_two.votants()) == (("Mme B",), 2, 1)
    assert (at_three.withdrawn, at_three.votants()) == ((), 3)


events = st.lists(
    st.builds(
        Event,
        member=st.sampled_from(MEMBERS),
        kind=st.sampled_from(Kind),
        from_item=st.integers(0, 4),
        holder=st.sampled_from(MEMBERS),
    ),
    max_size=30,
)


@given(events, st.integers(0, 4))
def test_everybody_is_in_exactly_one_list_whatever_happened(journal: list[Event], item: int) -> None:
    found = composition_at(MEMBERS, journal, item)
    listed = [*found.presents, *(power.giver for power in found.powers), *found.absents]
    assert sorted(listed) == sorted(MEMBERS)
    assert found.en_exercice == len(MEMBERS)
    assert all(power.holder in found.presents for power in found.powers)
    assert found.votants() >= 0
