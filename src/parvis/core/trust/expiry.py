"""Where a certificate stands before its end: ordering and handing it over take weeks, so warn at 90 days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ALERT_DAYS = (90, 60, 30, 15, 7, 1)
RENEW_WITHIN, URGENT_WITHIN = 90, 15


class ExpiryState(StrEnum):
    """States of a certificate in time."""

    TO_COME = "a_venir"
    VALID = "valide"
    TO_RENEW = "a_renouveler"
    URGENT = "urgent"
    EXPIRED = "expire"
    REVOKED = "revoque"


@dataclass(frozen=True)
class Expiry:
    """State with the whole days left (negative once expired) and its French sentence."""

    state: ExpiryState
    days_left: int
    sentence: str

    @property
    def alert_due(self) -> bool:
        """True on the days when the holder is written to."""
        return self.days_left in ALERT_DAYS


def expiry(not_before: datetime, not_after: datetime, now: datetime, revoked_at: datetime | None = None) -> Expiry:
    """State of a certificate at `now`; all times aware."""
    left = (not_after - now).days
    if revoked_at is not None and revoked_at <= now:
        return Expiry(ExpiryState.REVOKED, left, f"Révoqué le {revoked_at:%d/%m/%Y}.")
    if now < not_before:
        return Expiry(ExpiryState.TO_COME, left, f"Valable à partir du {not_before:%d/%m/%Y}.")
    if now > not_after:
        return Expiry(ExpiryState.EXPIRED, left, f"Expiré le {not_after:%d/%m/%Y}.")
    days = f"{left} jour{'s' if left > 1 else ''}"
    if left <= URGENT_WITHIN:
        return Expiry(ExpiryState.URGENT, left, f"Expire dans {days} : la signature va devenir impossible.")
    if left <= RENEW_WITHIN:
        return Expiry(ExpiryState.TO_RENEW, left, f"Expire dans {days} : commandez le renouvellement.")
    return Expiry(ExpiryState.VALID, left, f"Valable jusqu’au {not_after:%d/%m/%Y}.")
