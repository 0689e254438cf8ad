"""Dates that follow a meeting."""

from datetime import date

from parvis.edemat.seances.formats.echeances import list_deadline


def test_list_of_deliberations_within_the_week() -> None:
    assert list_deadline(date(2019, 7, 1)) == date(2019, 7, 8)
