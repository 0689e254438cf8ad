"""How long traces are kept: events one year and those of the administration three, exports a week, links a month."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from parvis.core import clock
from parvis.core.identity import links
from parvis.core.identity.deletion import TOMBSTONE_KEPT
from parvis.core.identity.models import Tombstone

EVENTS_KEPT: Final = timedelta(days=365)
RIGHTS_KEPT: Final = timedelta(days=3 * 365)


def forget() -> dict[str, int]:
    """Erase what was kept long enough. Returns how many rows of each kind."""
    now = clock.now()
    return {
        "events": _call("parvis_purge_events", now - EVENTS_KEPT, now - RIGHTS_KEPT),
        "exports": _call("parvis_purge_exports", now),
        "links": links.forget_old(),
        "tombstones": Tombstone.objects.filter(deleted_at__lt=now - TOMBSTONE_KEPT).delete()[0],
    }


def _call(function: str, *arguments: datetime) -> int:
    """Run one of the functions of the migration ``life``, which see the rows of everybody."""
    marks = ", ".join(["%s"] * len(arguments))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({marks})", arguments)
        return int(cursor.fetchone()[0])
