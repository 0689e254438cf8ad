"""French dates and numbers, in figures and in letters."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.seances.formats.lettres import (
    date_in_letters,
    date_longue,
    heure,
    hour_in_letters,
    number_in_letters,
    parse_opening_date,
)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zéro"),
        (16, "seize"),
        (21, "vingt et un"),
        (31, "trente et un"),
        (71, "soixante et onze"),
        (77, "soixante-dix-sept"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (99, "quatre-vingt-dix-neuf"),
        (100, "cent"),
        (200, "deux cents"),
        (201, "deux cent un"),
        (1000, "mille"),
        (2019, "deux mille dix-neuf"),
    ],
)
def test_numbers(number: int, words: str) -> None:
    assert number_in_letters(number) == words


def test_first_of_july_2019() -> None:
    assert date_in_letters(date(2019, 7, 1)) == "l’an deux mille dix-neuf et le premier jour du mois de juillet"


def test_august_takes_an_apostrophe() -> None:
    assert date_in_letters(date(1999, 8, 24)).endswith(
        "mil neuf cent quatre-vingt-dix-neuf et le vingt-quatre du mois d’août"
    )


@pytest.mark.parametrize(
    ("hour", "minute", "figures", "words"),
    [
        (18, 30, "18\u00a0h\u00a030", "dix-huit heures trente"),
        (9, 0, "9\u00a0h", "neuf heures"),
        (21, 5, "21\u00a0h\u00a005", "vingt et une heures cinq"),
        (1, 0, "1\u00a0h", "une heure"),
    ],
)
def test_hours(hour: int, minute: int, figures: str, words: str) -> None:
    moment = datetime(2019, 7, 1, hour, minute)
    assert heure(moment) == figures
    assert hour_in_letters(moment) == words


def test_long_date() -> None:
    assert date_longue(date(2019, 7, 1)) == "lundi 1er\u00a0juillet 2019"


@pytest.mark.parametrize(
    "text",
    [
        "L'an deux mille dix-neuf et le jour un du mois de juillet, le Conseil municipal",
        "L’an deux mille dix-neuf, le premier juillet, à dix-huit heures",
        "L’an deux mille\ndix-neuf et le premier jour du mois de juillet",
    ],
)
def test_opening_formulas_in_use_are_read(text: str) -> None:
    assert parse_opening_date(text) == date(2019, 7, 1)


@pytest.mark.parametrize(
    "text", ["Le conseil s’est réuni", "L’an deux mille dix-neuf et le trente et un du mois de juin", ""]
)
def test_no_date_is_invented(text: str) -> None:
    assert parse_opening_date(text) is None


@given(st.dates(min_value=date(1850, 1, 1), max_value=date(2150, 12, 31)))
def test_a_date_in_letters_reads_back(day: date) -> None:
    assert parse_opening_date(date_in_letters(day).capitalize()) == day
