"""Numbers of deliberations and their ACTES form."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.seances.formats.numerotation import NumberRefused, actes_number, render_number, reset_value

JULY = date(2019, 7, 1)


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("#AA#.#MM#.#JJ#.#00#", "19.07.01.05"),
        ("#AAAA#-#000#", "2019-005"),
        ("D#AA##M##J##s#", "D19715"),
        ("#AAAA#_#SSS#", "2019___5"),
        ("#AAAA#/#p#", "2019/7"),
    ],
)
def test_patterns(pattern: str, number: str) -> None:
    assert render_number(pattern, JULY, sequence=5, rank=7) == number


def test_reset_key_of_juvignac_changes_with_the_day() -> None:
    assert reset_value("#AA##MM##JJ#", JULY) == "190701"
    assert reset_value("#AA##MM##JJ#", date(2019, 7, 2)) != "190701"


@pytest.mark.parametrize("pattern", ["#AA#", "#XX##00#", "DELIBERATION-#AAAA#-#00#"])
def test_bad_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(NumberRefused):
        render_number(pattern, JULY, 1, 1)


def test_a_sequence_in_the_reset_key_is_refused() -> None:
    with pytest.raises(NumberRefused):
        reset_value("#AA##00#", JULY)


def test_juvignac_for_the_prefecture() -> None:
    assert actes_number("19.07.01.05") == "19_07_01_05"


@pytest.mark.parametrize("number", ["", "...", "1234567890123456"])
def test_unmappable_numbers_are_refused(number: str) -> None:
    with pytest.raises(NumberRefused):
        actes_number(number)


@given(st.text(max_size=20))
def test_a_mapped_number_always_fits_the_protocol(number: str) -> None:
    try:
        mapped = actes_number(number)
    except NumberRefused:
        return
    assert re.fullmatch(r"[a-zA-Z0-9_]{1,15}", mapped)
    assert actes_number(mapped) == mapped
