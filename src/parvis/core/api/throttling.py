"""Rate limits: a sliding window per account and per network address, counted in the database that all share.

One statement counts and reads, so that two processes never grant the same call twice. The calls of the window
before weigh by the share of it that is still within the last minute.
"""

import ipaddress
import math
from dataclasses import dataclass

from django.db import connection

from parvis.core import clock

WINDOW = 60

# Once refused, calls are no longer added: whoever stops calling is heard again within two windows.
_COUNT = """
INSERT INTO api_meter AS m (key, "window", current, previous) VALUES (%(key)s, %(window)s, 1, 0)
ON CONFLICT (key) DO UPDATE SET
    previous = CASE WHEN m."window" = %(window)s THEN m.previous
                    WHEN m."window" = %(window)s - 1 THEN m.current ELSE 0 END,
    current = CASE WHEN m."window" = %(window)s THEN LEAST(m.current + 1, %(limit)s::int + 1) ELSE 1 END,
    "window" = %(window)s
RETURNING current, previous
"""


@dataclass(frozen=True)
class Allowance:
    """What remains to a caller: ``remaining`` calls, or ``wait`` seconds before the next one."""

    remaining: int
    wait: int = 0


def count(key: str, limit: int) -> Allowance:
    """Count one call of ``key``, of which at most ``limit`` are allowed in any minute."""
    now = clock.now().timestamp()
    window, elapsed = int(now // WINDOW), now % WINDOW
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key[:80], "window": window, "limit": limit})
        current, previous = cursor.fetchone()
    left = limit - (current + previous * (1 - elapsed / WINDOW))
    return Allowance(max(0, math.floor(left)), 0 if left >= 0 else math.ceil(WINDOW - elapsed))


def neighbourhood(address: str) -> str:
    """``address`` as it is counted: a subscriber holds a whole /64 of IPv6 addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "inconnue"
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def forget_idle_meters() -> int:
    """Remove what counted calls more than an hour ago; returns how many meters went."""
    from parvis.core.api.models import Meter

    window = int(clock.now().timestamp() // WINDOW)
    return Meter.objects.filter(window__lt=window - 60).delete()[0]
