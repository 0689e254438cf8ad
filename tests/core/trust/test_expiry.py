"""Where a certificate stands, to the day."""

from datetime import UTC, datetime, timedelta

import pytest

from parvis.core.trust.expiry import ALERT_DAYS, ExpiryState, expiry

START, END = datetime(2018, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "state", "alert"),
    [
        (91, ExpiryState.VALID, False),
        (90, ExpiryState.TO_RENEW, True),
        (60, ExpiryState.TO_RENEW, True),
        (16, ExpiryState.TO_RENEW, False),
        (15, ExpiryState.URGENT, True),
        (1, ExpiryState.URGENT, True),
        (-1, ExpiryState.EXPIRED, False),
    ],
)
def test_states_before_the_end(days, state, alert):
    found = expiry(START, END, END - timedelta(days=days))
    assert (found.state, found.days_left, found.alert_due) == (state, days, alert)
    assert (days in ALERT_DAYS) == alert


def test_before_its_start_a_certificate_is_to_come():
    assert expiry(START, END, START - timedelta(seconds=1)).state is ExpiryState.TO_COME


def test_revocation_wins_over_validity():
    found = expiry(START, END, START + timedelta(days=9), revoked_at=START + timedelta(days=8))
    assert found.state is ExpiryState.REVOKED
    assert "09/01/2018" in found.sentence
