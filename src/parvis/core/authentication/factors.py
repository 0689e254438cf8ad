"""Second factors of an account: application codes, passkeys, recovery codes; who must have them, and since when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.utils import timezone
from fido2.webauthn import AuthenticationResponse

from parvis.core.identity.models import Account

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
GRACE: Final = timedelta(days=7)
"""Left to an agent who administers nothing, from the creation of the account, to choose a second factor."""
CODE_LIFE: Final = 120
"""Seconds after which no clock would accept the same code again (30 s steps, one of tolerance on each side)."""
COUNTER = "sign_count"


def passkey_only(account: Any) -> bool:
    """True for those who run the platform: of them nothing that a false site could relay is enough.

    An application or a recovery code only lets them reach the page where a passkey is added.
    """
    return bool(account.population == Account.Population.EXPLOITATION)


@dataclass(frozen=True)
class Held:
    """The factors of one account."""

    application: Authenticator | None
    passkeys: tuple[Authenticator, ...]
    recovery: Authenticator | None
    application_counts: bool = True

    @property
    def codes(self) -> int:
        """How many recovery codes are left; they are deciphered to be counted."""
        return len(self.recovery.wrap().get_unused_codes()) if self.recovery else 0

    @property
    def number(self) -> int:
        """How many of them are enough for this account."""
        return len(self.passkeys) + (self.application is not None and self.application_counts)

    @property
    def spare(self) -> bool:
        """True when losing one of them would not lock the holder out."""
        return self.number > 1 or self.codes > 0


def held_by(account: Any) -> Held:
    """What ``account`` has."""
    return held_by_each([account])[account.pk]


def held_by_each(accounts: Collection[Any]) -> dict[int, Held]:
    """What each of ``accounts`` has, by its number: one query, nothing deciphered."""
    rows: dict[int, list[Authenticator]] = {account.pk: [] for account in accounts}
    for row in Authenticator.objects.filter(user_id__in=list(rows)).order_by("created_at"):
        rows[row.user_id].append(row)
    return {account.pk: _held(account, rows[account.pk]) for account in accounts}


def _held(account: Any, rows: list[Authenticator]) -> Held:
    return Held(
        next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        tuple(row for row in rows if row.type == Authenticator.Type.WEBAUTHN),
        next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None),
        application_counts=not passkey_only(account),
    )


def has_second_factor(account: Any) -> bool:
    """True when ``account`` has a factor that is enough for it; recovery codes alone are not."""
    enough = (Authenticator.Type.WEBAUTHN,) if passkey_only(account) else SECOND_FACTORS
    return Authenticator.objects.filter(user_id=account.pk, type__in=enough).exists()


def has_passkey(account: Any) -> bool:
    """True when ``account`` has a passkey or a security key."""
    return Authenticator.objects.filter(user_id=account.pk, type=Authenticator.Type.WEBAUTHN).exists()


def grace_ends(account: Any) -> datetime:
    """Until when an agent who administers nothing may do without a second factor."""
    end: datetime = account.created_at + GRACE
    return end


def must_enrol(account: Any, *, administrator: bool) -> bool:
    """True when ``account``, which has no second factor, may do nothing before choosing one."""
    return administrator or timezone.now() >= grace_ends(account)


def use_up(account: Any, code: str) -> bool:
    """Mark ``code`` as used by ``account``; False when it was already (RFC 6238, § 5.2)."""
    return cache.add(f"parvis.code.{account.pk}.{normalize_user_code(code)}", 1, CODE_LIFE)


def counter_advances(authenticator: Authenticator, credential: Any) -> bool:
    """True when the signature counter of a passkey went forward, which is then noted (WebAuthn 2, § 7.2, step 21).

    Passkeys that are synchronised between devices always say zero, which is right for them.
    """
    said = AuthenticationResponse.from_dict(credential).response.authenticator_data.counter
    known = authenticator.data.get(COUNTER)
    if known is None:
        known = authenticator.wrap().authenticator_data.counter
    if (said or known) and said <= known:
        return False
    if said != authenticator.data.get(COUNTER):
        authenticator.data[COUNTER] = said
        authenticator.save(update_fields=["data"])
    return True
