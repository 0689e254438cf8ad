"""The only source of time: instants in UTC, legal dates in Europe/Paris.

In production this is the system clock. For the demo and tests an offset may be read from the file named by
``PARVIS_CLOCK_FILE`` (JSON ``{"offset_seconds": int}``), shared by every process and by the sandbox, so that
a whole chain of past dates can be lived again. The setting is refused when ``DEMO`` is off.
"""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

PARIS = ZoneInfo("Europe/Paris")


def offset() -> timedelta:
    """How far the simulated clock stands from the real one (zero in production)."""
    path = settings.PARVIS_CLOCK_FILE
    if not path:
        return timedelta()
    try:
        return timedelta(seconds=json.loads(Path(path).read_text())["offset_seconds"])
    except FileNotFoundError:
        return timedelta()


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC) + offset()


def paris(instant: datetime) -> datetime:
    """``instant`` as read on a clock in Paris."""
    return instant.astimezone(PARIS)


def today() -> date:
    """The present day in Paris, the one legal deadlines are counted from."""
    return paris(now()).date()
