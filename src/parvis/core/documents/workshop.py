"""Keeps one process per kind of inspection beside each Parvis process, and kills it when an order lasts too long."""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("inspection.py")
SECONDS = 20.0
BLOCK = 64 * 1024


class InspectionFailed(Exception):
    """The inspection process died or gave no answer in time."""


class InspectionOverdue(InspectionFailed):
    """The inspection process was killed for having lasted too long."""


class Workshop:
    """One child process, one order at a time; a forked parent starts its own child.

    The child runs ``script`` alone: it inherits no environment but ``environment`` and bounds its own memory.
    """

    def __init__(self, script: Path = SCRIPT, environment: Mapping[str, str] | None = None) -> None:
        self._script, self._environment = script, dict(environment or {})
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
            except InspectionFailed:
                self._stop()
                raise
            except (OSError, ValueError) as error:
                self._stop()
                raise InspectionFailed(str(error)) from error

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(self._script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "PATH": os.environ.get("PATH", ""), **self._environment},
            )
            self._owner = os.getpid()
        return self._child

    @staticmethod
    def _line(child: subprocess.Popen[bytes], seconds: float) -> bytes:
        assert child.stdout
        line, until = bytearray(), time.monotonic() + seconds
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise InspectionOverdue("no answer in time")
            received = os.read(child.stdout.fileno(), BLOCK)
            if not received:
                raise InspectionFailed("the process died")
            line += received
        return bytes(line)

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
