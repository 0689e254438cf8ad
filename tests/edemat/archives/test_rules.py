"""Management rules: delays, end dates, access codes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.archives.formats.rules import (
    Duration,
    KnownRule,
    RuleBook,
    access_code_of_acte,
    parse_duration,
    rules_of_acte,
)
from parvis.edemat.archives.formats.seda import Category


@pytest.mark.parametrize(
    ("start", "delay", "end"),
    [
        (date(2019, 7, 11), "P10Y", date(2029, 7, 11)),
        (date(2020, 2, 29), "P1Y", date(2021, 2, 28)),
        (date(2020, 2, 29), "P4Y", date(2024, 2, 29)),
        (date(2019, 10, 31), "P4M", date(2020, 2, 29)),
        (date(2018, 10, 31), "P4M", date(2019, 2, 28)),
        (date(2019, 12, 31), "P1M", date(2020, 1, 31)),
        (date(2019, 12, 31), "P1Y2M3D", date(2021, 3, 3)),
        (date(2019, 7, 1), "P0Y", date(2019, 7, 1)),
    ],
)
def test_end_dates(start, delay, end):
    assert parse_duration(delay).after(start) == end


@pytest.mark.parametrize("text", ["", "P", "P10", "10Y", "PT5H", "P-1Y", "P1Y2D3M", "p10y", "P1.5Y", "P10Y "])
def test_what_is_not_a_delay(text):
    assert parse_duration(text) is None


@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    st.integers(0, 120),
    st.integers(0, 1200),
    st.integers(0, 400),
)
def test_a_delay_never_goes_back(start, years, months, days):
    assert Duration(years, months, days).after(start) >= start


@pytest.mark.parametrize(
    ("nature", "matiere", "code"),
    [
        ("1", "5.7", "AR038"),
        ("3", "4.1", "AR048"),
        ("3", "4", "AR048"),
        ("4", "4.1.2", "AR048"),
        ("1", "4.1", "AR038"),
        ("3", "8.2", "AR048"),
        ("3", "8.2.1", "AR048"),
        ("4", "8.2", "AR038"),
        ("3", "8.20", "AR038"),
        ("3", "41", "AR038"),
        ("3", "40.1", "AR038"),
    ],
)
def test_access_code_of_an_acte(nature, matiere, code):
    assert access_code_of_acte(nature, matiere) == code


def test_rules_of_a_deliberation():
    appraisal, access = rules_of_acte("1", "5.7", date(2019, 7, 11))
    assert (appraisal.category, appraisal.rules[0].identifier, appraisal.final_action) == (
        Category.APPRAISAL,
        "P10Y",
        "Keep",
    )
    assert (access.category, access.rules[0].identifier, access.final_action) == (
        Category.ACCESS,
        "AR038",
        "",
    )


def test_the_rule_book_knows_families():
    book = RuleBook({"ACC-00001": KnownRule(Category.ACCESS, Duration())})
    assert book.find("ACC-00001", Category.APPRAISAL).category is Category.ACCESS
    assert book.find("AR048", Category.ACCESS).duration == Duration(50)
    assert book.find("AR062", Category.ACCESS).duration is None
    assert book.find("P5Y", Category.APPRAISAL).duration == Duration(5)
    assert book.find("P5Y", Category.ACCESS) is None
    assert book.find("conserver", Category.APPRAISAL) == KnownRule(Category.APPRAISAL, None)
    assert book.find("APP-99999", Category.APPRAISAL) is None


def test_end_date_needs_a_start_and_an_end():
    book = RuleBook()
    assert book.end_date(Category.ACCESS, "AR048", date(2019, 7, 11)) == date(2069, 7, 11)
    assert book.end_date(Category.ACCESS, "AR048", None) is None
    assert book.end_date(Category.ACCESS, "AR062", date(2019, 7, 11)) is None
