"""The sandbox's clock: real time, plus the offset that the demo writes in a file shared with Parvis."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]


def file_clock(path: Path | None) -> Clock:
    """A clock that adds the ``offset_seconds`` found in ``path`` (none when there is no such file)."""

    def now() -> datetime:
        offset = 0
        if path is not None and path.exists():
            offset = json.loads(path.read_text())["offset_seconds"]
        return datetime.now(UTC) + timedelta(seconds=offset)

    return now
