"""Quorum and result of a ballot."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.seances.formats.quorum import quorum
from parvis.edemat.seances.formats.scrutin import RESULT_LABELS, Ballot, Mode, Result, Voice

MODES = {"main levée": Mode.MAIN_LEVEE, "scrutin public": Mode.PUBLIC, "scrutin secret": Mode.SECRET}


def test_every_quorum_vector(shared_dir: Path) -> None:
    with open(shared_dir / "samples/seances/vecteurs/quorum.csv", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 12
    for row in rows:
        found = quorum(
            int(row["en_exercice"]),
            int(row["presents"]),
            withdrawn=int(row["interesses_retires"]),
            required=row["seconde_convocation"] == "0",
        )
        assert found.needed == int(row["quorum"]), row["cas"]
        assert found.reached is (row["atteint"] == "1"), row["cas"]


@given(st.integers(min_value=1, max_value=200))
def test_quorum_is_more_than_half_and_not_one_more(members: int) -> None:
    needed = quorum(members, 0).needed
    assert needed * 2 > members
    assert (needed - 1) * 2 <= members


def test_more_withdrawals_than_members_present_is_refused() -> None:
    with pytest.raises(ValueError, match="withdraw"):
        quorum(10, 2, withdrawn=3)


def test_every_ballot_vector(shared_dir: Path) -> None:
    with open(shared_dir / "samples/seances/vecteurs/scrutin.csv", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 10
    for row in rows:
        ballot = Ballot(
            mode=MODES[row["mode"]],
            pour=int(row["pour"]),
            contre=int(row["contre"]),
            abstention=int(row["abstention"]),
            blancs=int(row["blanc"]),
            nuls=int(row["nul"]),
            nppv=int(row["nppv"]),
            chair=Voice(row["voix_president"]),
        )
        assert ballot.exprimes == int(row["exprimes"]), row["cas"]
        assert RESULT_LABELS[ballot.result] == row["resultat"], row["cas"]


@pytest.mark.parametrize(
    ("ballot", "mention"),
    [
        (Ballot(Mode.MAIN_LEVEE, pour=26), "à l’unanimité"),
        (Ballot(Mode.MAIN_LEVEE, pour=4, abstention=6), "à l’unanimité des suffrages exprimés"),
        (Ballot(Mode.MAIN_LEVEE, pour=14, contre=12), "par 14\u00a0voix pour, 12\u00a0voix contre"),
        (
            Ballot(Mode.SECRET, pour=12, contre=11, blancs=2, nuls=1),
            "par 12\u00a0voix pour, 11\u00a0voix contre, 2\u00a0bulletins blancs, 1\u00a0bulletin nul",
        ),
        (
            Ballot(Mode.PUBLIC, pour=13, contre=13, chair=Voice.POUR),
            "par 13\u00a0voix pour, 13\u00a0voix contre, la voix du président étant prépondérante",
        ),
        (Ballot(Mode.SANS_VOTE), "sans vote"),
    ],
)
def test_mention(ballot: Ballot, mention: str) -> None:
    assert ballot.mention == mention


def test_no_casting_vote_where_the_regime_has_none() -> None:
    tie = Ballot(Mode.MAIN_LEVEE, pour=3, contre=3, chair=Voice.POUR, casting_vote=False)
    assert tie.result is Result.REJETEE


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Ballot(Mode.MAIN_LEVEE, pour=-1)


@given(
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 50),
    st.sampled_from([Mode.MAIN_LEVEE, Mode.PUBLIC, Mode.SECRET]),
)
def test_abstentions_never_change_the_result(pour: int, contre: int, abstention: int, mode: Mode) -> None:
    without = Ballot(mode, pour=pour, contre=contre, chair=Voice.POUR)
    with_them = Ballot(mode, pour=pour, contre=contre, abstention=abstention, chair=Voice.POUR)
    assert without.result is with_them.result
    assert with_them.total == pour + contre + abstention
