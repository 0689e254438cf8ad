"""Keeps one inspection process per Parvis process, gives it orders and kills it when one lasts too long."""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("inspection.py")
SECONDS = 20.0


class InspectionFailed(Exception):
    """The inspection process died or gave no answer in time."""


class Workshop:
    """One child process, one order at a time; a forked parent starts its own child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def order(self, *, seconds: float = SECONDS, **order: Any) -> dict[str, Any]:
        """Carry out one order; raises InspectionFailed after ``seconds`` or when the child dies."""
        with self._lock:
            child = self._started()
            try:
                assert child.stdin
                child.stdin.write(json.dumps(order).encode() + b"\n")
                child.stdin.flush()
                return json.loads(self._line(child, seconds))
            except (OSError, ValueError, InspectionFailed) as error:
                self._stop()
                raise InspectionFailed(str(error)) from error

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
            )
            self._owner = os.getpid()
        return self._child

    @staticmethod
    def _line(child: subprocess.Popen[bytes], seconds: float) -> bytes:
        assert child.stdout
        ready, _, _ = select.select([child.stdout], [], [], seconds)
        if not ready:
            raise InspectionFailed("no answer in time")
        line = child.stdout.readline()
        if not line:
            raise InspectionFailed("the process died")
        return line

    def _stop(self) -> None:
        if self._child is not None and self._owner == os.getpid():
            self._child.kill()
            self._child.wait()
        self._child = None

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._stop()


workshop = Workshop()
atexit.register(workshop.close)
