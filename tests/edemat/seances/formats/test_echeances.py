"""Dates that follow a meeting."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.seances.formats.echeances import appeal_last_day, executory_date, list_deadline


def test_list_of_deliberations_within_the_week() -> None:
    assert list_deadline(date(2019, 7, 1)) == date(2019, 7, 8)


def test_executory_when_both_received_and_published() -> None:
    assert executory_date(date(2019, 7, 3), date(2019, 7, 11)) == date(2019, 7, 11)


@pytest.mark.parametrize(
    ("published", "last"),
    [
        (date(2019, 7, 11), date(2019, 9, 12)),
        (date(2019, 12, 31), date(2020, 3, 1)),
        (date(2018, 12, 31), date(2019, 3, 1)),
        (date(2019, 10, 31), date(2020, 1, 1)),
        (date(2019, 11, 15), date(2020, 1, 16)),
    ],
)
def test_two_clear_months_to_appeal(published: date, last: date) -> None:
    assert appeal_last_day(published) == last


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 1, 1)))
def test_appeal_lasts_about_two_months(published: date) -> None:
    assert timedelta(days=59) <= appeal_last_day(published) - published <= timedelta(days=63)
