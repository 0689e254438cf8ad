"""Dates of force and of appeal, as tables of law and calendar."""

from datetime import date

import pytest

from parvis.edemat.actes import legal_dates

D = date.fromisoformat


@pytest.mark.parametrize(
    ("received", "published", "to_transmit", "expected"),
    [
        ("2019-07-03", "2019-07-11", True, "2019-07-11"),  # Juvignac, 19.07.01.05
        ("2019-07-11", "2019-07-03", True, "2019-07-11"),
        ("2019-07-03", "2019-07-03", True, "2019-07-03"),
        (None, "2019-07-11", True, None),
        ("2019-07-03", None, True, None),
        (None, None, True, None),
        (None, "2019-07-11", False, "2019-07-11"),
        ("2019-07-20", "2019-07-11", False, "2019-07-11"),
    ],
)
def test_an_act_binds_from_the_later_of_reception_and_publication(received, published, to_transmit, expected):
    found = legal_dates.executoire_on(received and D(received), published and D(published), transmissible=to_transmit)
    assert found == (expected and D(expected))


@pytest.mark.parametrize(
    ("published", "last_day"),
    [
        ("2019-07-11", "2019-09-12"),  # expected by the case file of Juvignac
        ("2019-12-30", "2020-03-02"),  # 29 February + 1 is a Sunday
        ("2019-12-31", "2020-03-02"),  # no 31 February
        ("2019-07-05", "2019-09-06"),
        ("2019-07-06", "2019-09-09"),  # 7 September 2019 is a Saturday
        ("2019-10-31", "2020-01-02"),  # New Year
        ("2019-09-10", "2019-11-12"),  # 11 November
        ("2020-02-12", "2020-04-14"),  # Easter Monday 2020
        ("2018-12-31", "2019-03-01"),
    ],
)
def test_the_time_to_contest_is_two_months_francs_moved_to_a_working_day(published, last_day):
    assert legal_dates.last_appeal_day(D(published)) == D(last_day)


def test_the_prefet_has_two_months_francs_from_reception():
    assert legal_dates.last_defere_day(D("2019-07-03")) == D("2019-09-04")


@pytest.mark.parametrize(
    ("published", "free"),
    [("2019-07-11", "2019-09-12"), ("2019-12-31", "2020-03-01"), ("2019-07-06", "2019-09-07")],
)
def test_the_text_stays_online_two_months_whatever_the_weekday(published, free):
    assert legal_dates.online_until(D(published)) == D(free)


@pytest.mark.parametrize(
    ("year", "easter"),
    [
        (2019, "2019-04-21"),
        (2020, "2020-04-12"),
        (2024, "2024-03-31"),
        (2038, "2038-04-25"),
        (1818, "1818-03-22"),
    ],
)
def test_easter(year, easter):
    assert legal_dates.easter_sunday(year) == D(easter)
