"""``bin/demo --date today``: the story ends today, whatever today is, and stays lawful all along."""

from collections.abc import Callable
from datetime import date, timedelta

from parvis.edemat.actes.legal_dates import executoire_on, last_appeal_day, last_defere_day, public_holidays
from parvis.edemat.seances.formats.delais import delay_between, paris_date
from parvis.edemat.seances.formats.regimes import REGIMES
from parvis_demo.story import Calendar, calendar_ending_on

FIRST = date(2027, 12, 20)
# More than a year, with a 29 February, every holiday and both changes of hour.
DAYS = [FIRST + timedelta(days=number) for number in range(400)]


def failing(holds: Callable[[Calendar, date], bool]) -> list[date]:
    """The days on which the story that ends then is not as it should be."""
    return [day for day in DAYS if not holds(calendar_ending_on(day), day)]


def instants(calendar: Calendar) -> list:
    return [
        calendar.preparation,
        calendar.convocation,
        calendar.meeting,
        calendar.signature,
        calendar.transmission,
        calendar.publication,
    ]


def test_the_days_tried_hold_every_kind_of_day():
    assert date(2028, 2, 29) in DAYS
    assert {day.weekday() for day in DAYS} == set(range(7))
    assert public_holidays(2028) <= set(DAYS)


def test_the_story_ends_on_the_day_in_paris():
    assert failing(lambda calendar, day: paris_date(calendar.publication) == day) == []


def test_its_steps_keep_their_order_and_their_hours_on_every_day():
    assert failing(lambda calendar, _: instants(calendar) == sorted(instants(calendar))) == []
    assert failing(lambda calendar, _: [one.hour for one in instants(calendar)] == [9, 10, 18, 9, 10, 9]) == []


def test_the_convocation_leaves_six_clear_days_on_every_day():
    def regular(calendar: Calendar, _: date) -> bool:
        delay = delay_between(REGIMES["commune_ge3500"], paris_date(calendar.convocation), paris_date(calendar.meeting))
        return delay.regular and delay.francs == 6

    assert failing(regular) == []


def test_the_act_is_binding_on_its_last_day_and_may_still_be_contested():
    def binding(calendar: Calendar, day: date) -> bool:
        received = paris_date(calendar.transmission)
        return executoire_on(received, day) == day < min(last_defere_day(received), last_appeal_day(day))

    assert failing(binding) == []


def test_the_number_tells_the_meeting_day():
    assert failing(lambda calendar, day: calendar.number == f"{day - timedelta(days=10):%y.%m.%d}.05") == []


def test_the_story_of_2019_is_the_one_that_ends_on_11_july_2019():
    assert calendar_ending_on(date(2019, 7, 11)) == Calendar()
