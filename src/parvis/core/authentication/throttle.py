"""Slows guessing down without letting anybody lock somebody else out.

Passwords are counted per (account, network address) and per address, never per account alone: whoever guesses makes
only their own address wait, and the holder still comes in from another address, or with a browser that already
logged in to this account, which has a count of its own. The wait grows by 1.8 with each failure; below ten seconds
it is not applied, above one hour it grows no more. A try is counted before it is judged, in one statement, so that
a hundred simultaneous tries are not a hundred free ones.
"""

import hashlib
import math
import time
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from parvis.core.authentication.models import Throttle
from parvis.core.errors import DomainError

FACTOR, LEAST, MOST = 1.8, 10.0, 3600.0
ALLOWED_PER_ADDRESS = 40
"""Failures that an address shared by many people may add up before it waits too."""
ALLOWED_PER_ACCOUNT = 30
"""Wrong codes for one account, from all the addresses that its password was given from."""

DEVICE_COOKIE = "parvis-appareil" if settings.DEMO or settings.DEBUG else "__Host-parvis-appareil"
DEVICE_AGE = 180 * 24 * 3600
DEVICE_SALT = "parvis.authentication.device"
MAX_KNOWN = 5


class TooManyTries(DomainError):
    """The next try must wait; ``seconds`` says how long."""


def delay(failures: int, allowed: int = 0) -> float:
    """Seconds to wait after ``failures`` failures, of which ``allowed`` cost nothing."""
    wait = FACTOR ** min(max(failures - allowed, 0), 60)
    return 0.0 if wait < LEAST else min(wait, MOST)


def network(address: str) -> str:
    """The network that one subscriber holds: an IPv4 address, the first 64 bits of an IPv6 one."""
    from allauth.core.internal.ratelimit import truncate_ip

    return truncate_ip(address)


@dataclass(frozen=True)
class Key:
    digest: str
    allowed: int = 0


def _key(*parts: str, allowed: int = 0) -> Key:
    return Key(hashlib.sha256("\0".join(parts).encode()).hexdigest(), allowed)


def keys_for(request: HttpRequest, kind: str, identity: str) -> tuple[Key, ...]:
    """What a try of ``kind`` counts against; ``identity`` is the address typed, whether an account has it or not."""
    identity = identity.strip().lower()
    device = known_device(request, identity)
    if device:
        return (_key(kind, "device", identity, device),)
    where = network(request.META.get("REMOTE_ADDR") or "")
    keys = (_key(kind, "pair", identity, where), _key(kind, "address", where, allowed=ALLOWED_PER_ADDRESS))
    # Only who knows the password tries codes: from a thousand addresses, six digits would soon be found.
    return (*keys, _key(kind, "account", identity, allowed=ALLOWED_PER_ACCOUNT)) if kind == "code" else keys


@dataclass(frozen=True)
class Try:
    """One try that was counted; ``succeeded`` takes it back."""

    keys: tuple[Key, ...]

    def succeeded(self) -> None:
        """Forget the failures of this account from here; leave those of the address, less this one."""
        first, *others = self.keys
        Throttle.objects.filter(key=first.digest).delete()
        for key in others:
            self._take_back(key)

    def taken_back(self) -> None:
        """The try did not count (nothing was judged)."""
        for key in self.keys:
            self._take_back(key)

    @staticmethod
    def _take_back(key: Key) -> None:
        for row in Throttle.objects.filter(key=key.digest, failures__gt=0):
            failures = row.failures - 1
            Throttle.objects.filter(key=row.key, failures=row.failures).update(
                failures=failures, until=0 if not delay(failures, key.allowed) else row.until
            )


def begin(request: HttpRequest, kind: str, identity: str) -> Try:
    """Count one try. Raises ``TooManyTries`` when an earlier failure still makes this one wait."""
    counted: list[Key] = []
    for key in keys_for(request, kind, identity):
        wait = _count(key)
        if wait:
            Try(tuple(counted)).taken_back()
            raise TooManyTries(sentence(wait), seconds=wait)
        counted.append(key)
    return Try(tuple(counted))


def sentence(wait: int) -> str:
    """What a person who must wait reads."""
    said = f"{wait} secondes" if wait < 120 else f"{math.ceil(wait / 60)} minutes"
    return f"Trop d’essais infructueux. Réessayez dans {said}."


def _count(key: Key) -> int:
    """Seconds still to wait, or 0 once the try is counted."""
    now = time.time()
    waits = [delay(n, key.allowed) for n in range(1, key.allowed + 31)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO authentication_throttle AS t (key, failures, until, expires) VALUES (%s, 1, 0, %s)"
            " ON CONFLICT (key) DO UPDATE SET"
            " failures = CASE WHEN t.expires < %s THEN 1 ELSE t.failures + 1 END,"
            " until = CASE WHEN t.expires < %s THEN 0 ELSE %s + (%s::float8[])[LEAST(t.failures + 1, %s)] END,"
            " expires = %s WHERE t.until <= %s RETURNING failures",
            [key.digest, now + 2 * MOST, now, now, now, waits, len(waits), now + 2 * MOST, now],
        )
        if cursor.fetchone():
            return 0
        cursor.execute("SELECT until FROM authentication_throttle WHERE key = %s", [key.digest])
        row = cursor.fetchone()
    return max(1, math.ceil(row[0] - now)) if row else 1


def purge() -> int:
    """Drop the counts that no longer matter; returns how many."""
    return Throttle.objects.filter(expires__lt=time.time()).delete()[0]


def _marks(request: HttpRequest) -> dict[str, str]:
    try:
        marks = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=DEVICE_SALT, max_age=DEVICE_AGE)
    except signing.BadSignature:
        return {}
    return marks if isinstance(marks, dict) else {}


def _mark(identity: str) -> str:
    return salted_hmac(DEVICE_SALT, identity.strip().lower(), algorithm="sha256").hexdigest()[:24]


def known_device(request: HttpRequest, identity: str) -> str:
    """The name this browser received when it logged in to the account of ``identity``; empty for another one."""
    return str(_marks(request).get(_mark(identity), ""))


def remember_device(request: HttpRequest, response: HttpResponse, identity: str) -> None:
    """Let this browser be known to the account of ``identity`` from now on."""
    import secrets

    marks = _marks(request)
    if _mark(identity) in marks:
        return
    kept = list(marks.items())[-(MAX_KNOWN - 1) :]
    value = signing.dumps(dict([*kept, (_mark(identity), secrets.token_urlsafe(12))]), salt=DEVICE_SALT)
    response.set_cookie(
        DEVICE_COOKIE,
        value,
        max_age=DEVICE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
