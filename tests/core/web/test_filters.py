"""French typography of the template filters, table by table."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template

from parvis.core.web.templatetags import parvis as f

N, T = "\u00a0", "\u202f"  # non-breaking spaces: full and narrow


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2019, 7, 1), f"lundi 1er{N}juillet 2019"),
        (date(2019, 7, 2), f"mardi 2{N}juillet 2019"),
        (date(2019, 8, 11), f"dimanche 11{N}août 2019"),
        (datetime(2019, 6, 30, 22, 30, tzinfo=UTC), f"lundi 1er{N}juillet 2019"),  # already July in Paris
        (datetime(2019, 12, 31, 22, 59, tzinfo=UTC), f"mardi 31{N}décembre 2019"),
        ("2019-07-01", f"lundi 1er{N}juillet 2019"),
        ("2019-06-30T22:30:00+00:00", f"lundi 1er{N}juillet 2019"),
        (None, ""),
        ("", ""),
        ("hier", ""),
    ],
)
def test_long_date(value, expected):
    assert f.date_longue(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2019, 7, 3, 8, 4, tzinfo=UTC), f"10{N}h{N}04"),
        (datetime(2019, 1, 3, 13, 30, tzinfo=UTC), f"14{N}h{N}30"),
        (datetime(2019, 1, 3, 13, 0, tzinfo=UTC), f"14{N}h"),
        (time(9, 5), f"9{N}h{N}05"),
        (None, ""),
    ],
)
def test_time(value, expected):
    assert f.heure(value) == expected


def test_other_dates():
    instant = datetime(2019, 7, 3, 8, 31, tzinfo=UTC)
    assert f.date_courte(instant) == "03/07/2019"
    assert f.date_moyenne(date(2019, 7, 1)) == f"1er{N}juillet 2019"
    assert f.date_heure(instant) == f"3{N}juillet 2019, 10{N}h{N}31"


def test_short_day_names_the_year_only_when_it_is_another(frozen_clock):
    instant = datetime(2019, 7, 3, 8, 31, tzinfo=UTC)
    frozen_clock("2019-09-01T10:00+02:00")
    assert f.jour_heure(instant) == f"3{N}juil. 10{N}h{N}31"
    frozen_clock("2020-09-01T10:00+02:00")
    assert f.jour_heure(instant) == f"3{N}juil. 2019 10{N}h{N}31"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1234.56", f"1{T}234,56{N}€"),
        (Decimal("0.5"), f"0,50{N}€"),
        (48212.9, f"48{T}212,90{N}€"),
        (-12, f"−12,00{N}€"),
        (Decimal("1.005"), f"1,01{N}€"),
        (1234567, f"1{T}234{T}567,00{N}€"),
        ("?", ""),
    ],
)
def test_euros(value, expected):
    assert f.euros(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("213401235", f"213{N}401{N}235"),
        ("21340123500014", f"213{N}401{N}235{N}00014"),
        ("213 401 235", f"213{N}401{N}235"),
        ("21340", "21340"),
        (None, ""),
    ],
)
def test_siren(value, expected):
    assert f.siren(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, f"0{N}octet"),
        (1, f"1{N}octet"),
        (999, f"999{N}octets"),
        (1000, f"1{N}ko"),
        (184_320, f"184{N}ko"),
        (999_900, f"1{N}Mo"),
        (3_400_000, f"3,4{N}Mo"),
        (150 * 1024 * 1024, f"157{N}Mo"),
        (2_500_000_000, f"2,5{N}Go"),
        (None, ""),
    ],
)
def test_size(value, expected):
    assert f.taille(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (timedelta(minutes=26), f"26{N}min"),
        (timedelta(hours=2, minutes=5), f"2{N}h{N}05"),
        (timedelta(hours=2), f"2{N}h"),
        (timedelta(days=1), f"1{N}jour"),
        (timedelta(days=3, hours=5), f"3{N}jours"),
        (45, f"45{N}s"),
        (None, ""),
    ],
)
def test_duration(value, expected):
    assert f.duree(value) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(0, f"0{N}acte"), (1, f"1{N}acte"), (2, f"2{N}actes"), (1200, f"1{T}200{N}actes")]
)
def test_plural(count, expected):
    assert f.pluriel(count, "acte,actes") == expected


@pytest.mark.parametrize(
    ("deadline", "kind", "text"),
    [
        (date(2019, 6, 29), "danger", f"depuis 2{N}jours"),
        (date(2019, 6, 30), "danger", f"depuis 1{N}jour"),
        (date(2019, 7, 1), "warn", "aujourd’hui"),
        (datetime(2019, 7, 1, 16, 30, tzinfo=UTC), "warn", f"avant 18{N}h{N}30"),
        (datetime(2019, 7, 1, 6, 0, tzinfo=UTC), "danger", f"depuis 8{N}h"),
        (date(2019, 7, 2), "warn", "demain"),
        (date(2019, 7, 16), "plain", f"15{N}jours"),
        (None, "plain", ""),
    ],
)
def test_urgency(frozen_clock, deadline, kind, text):
    frozen_clock("2019-07-01T10:00+02:00")
    assert f.urgence(deadline) == {"kind": kind, "text": text}


def test_raised_er_escapes_what_surrounds_it():
    assert f.exposant("le 1er juillet <b>") == "le 1<sup>er</sup> juillet &lt;b&gt;"


def test_initials():
    assert [f.sigle(x) for x in ("Actes", "Secrétariat général", "", None)] == ["Ac", "SG", "?", "?"]


def test_query_is_rewritten_not_lost(rf):
    context = Context({"request": rf.get("/?nature=1&apres=x&q=a+b")})
    text = Template('{% load parvis %}{% with_query tri="-date" apres=None %}').render(context)
    assert text == "?nature=1&amp;q=a+b&amp;tri=-date"


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2019, 6, 30), "délai échu"),
        (date(2019, 7, 1), "dernier jour"),
        (date(2019, 7, 2), "1\xa0jour"),
    ],
)
def test_delay_that_runs_for_others_never_alarms(frozen_clock, day, text):
    frozen_clock("2019-07-01T10:00+02:00")
    assert f.urgence(day, "délai échu") == {"kind": "plain", "text": text}


def test_cells_of_a_table_say_the_name_of_their_column():
    from django.utils.safestring import mark_safe

    from parvis.core.web.templatetags.parvis import cellules_nommees

    columns = [{"label": "Acte"}, {"label": "Le <b>"}, {"label": "Action", "hidden": True}]
    rows = mark_safe(
        '<tr class="a"><th scope="row">A</th><td>1</td><td><a href="#">Voir</a></td></tr>'
        '<tr><th scope="row">B</th><td class="num">2</td><td></td></tr><tr><td colspan="3">Rien</td></tr>'
    )
    assert cellules_nommees(rows, columns) == (
        '<tr role="row" class="a"><th role="rowheader" scope="row">A</th>'
        '<td role="cell" data-label="Le &lt;b&gt;">1</td>'
        '<td role="cell"><a href="#">Voir</a></td></tr>'
        '<tr role="row"><th role="rowheader" scope="row">B</th>'
        '<td role="cell" data-label="Le &lt;b&gt;" class="num">2</td>'
        '<td role="cell"></td></tr><tr role="row"><td role="cell" colspan="3">Rien</td></tr>'
    )
