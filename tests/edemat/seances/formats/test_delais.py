"""Delay of the convocation in jours francs."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.edemat.seances.formats.delais import (
    delay_between,
    earliest_meeting_day,
    jours_francs,
    last_sending_day,
    paris_date,
)
from parvis.edemat.seances.formats.regimes import REGIMES, Regime, regime_of_commune

PARIS = ZoneInfo("Europe/Paris")
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1))


def _day(text: str) -> date:
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return paris_date(moment if moment.tzinfo else moment.replace(tzinfo=PARIS))


def _regime(row: dict[str, str]) -> Regime:
    if row["organe"] == "commune":
        return regime_of_commune(int(row["population"]))
    return REGIMES[{"commune-2e": "seconde_convocation"}.get(row["organe"], row["organe"])]


def test_every_vector_of_the_reference(shared_dir: Path) -> None:
    with open(shared_dir / "samples/seances/vecteurs/jours-francs.csv", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 18
    for row in rows:
        delay = delay_between(_regime(row), _day(row["envoi"]), _day(row["seance"]), urgency=row["urgence"] == "1")
        assert delay.francs == int(row["jours_francs"]), row["cas"]
        assert delay.minimum == int(row["minimum"].split()[0]), row["cas"]
        assert delay.regular is (row["regulier"] == "1"), row["cas"]


def test_juvignac_could_be_convened_until_25_june() -> None:
    regime = regime_of_commune(10_979)
    assert last_sending_day(regime, date(2019, 7, 1)) == date(2019, 6, 25)
    late = delay_between(regime, date(2019, 6, 26), date(2019, 7, 1))
    assert not late.regular
    assert "mardi 25\u00a0juin 2019" in late.sentence


@pytest.mark.parametrize(("population", "code"), [(3_499, "commune_lt3500"), (3_500, "commune_ge3500")])
def test_regime_changes_at_3500_inhabitants(population: int, code: str) -> None:
    assert regime_of_commune(population).code == code


def test_a_commission_has_no_delay_of_law() -> None:
    delay = delay_between(REGIMES["commission"], date(2019, 7, 1), date(2019, 7, 1))
    assert delay.regular
    assert "Aucun délai" in delay.sentence


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        paris_date(datetime(2019, 7, 1, 12))


@given(meets=days, code=st.sampled_from(sorted(REGIMES)), urgency=st.booleans())
def test_last_sending_day_is_the_edge_of_regularity(meets: date, code: str, urgency: bool) -> None:
    regime = REGIMES[code]
    last = last_sending_day(regime, meets, urgency=urgency)
    assert delay_between(regime, last, meets, urgency=urgency).regular
    assert not delay_between(regime, last + timedelta(days=1), meets, urgency=urgency).regular
    assert earliest_meeting_day(regime, last, urgency=urgency) == meets


@given(sent=days, gap=st.integers(min_value=0, max_value=400))
def test_jours_francs_are_the_days_strictly_between(sent: date, gap: int) -> None:
    meets = sent + timedelta(days=gap)
    between = [sent + timedelta(days=n) for n in range(1, gap)]
    assert max(jours_francs(sent, meets), 0) == len(between)
