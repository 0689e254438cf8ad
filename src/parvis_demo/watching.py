"""Watches over the programs of the demo: one that dies is started again, and one that keeps dying ends the demo."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOOKS_EVERY = 0.5
PATIENCE_SECONDS = 15.0
MOST_DEATHS, WITHIN = 3, 60.0
"""A program that dies for the third time in a minute is not started again."""


def _started(command: list[str], log: Path | None) -> subprocess.Popen:
    """A session of its own: Ctrl-C reaches the demo alone, which stops its programs itself."""
    if log is None:
        return subprocess.Popen(command, start_new_session=True)
    with log.open("ab") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)


@dataclass
class Program:
    """What is watched, under the name that people read; ``start`` brings it back, where that is possible."""

    name: str
    alive: Callable[[], bool]
    start: Callable[[], object] | None
    running: list[subprocess.Popen] = field(default_factory=list)
    advice: str = ""
    deaths: list[float] = field(default_factory=list)


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Watch:
    """Every program of the demo; ``verdict`` says why it had to end, when it had to."""

    def __init__(
        self, *, say: Callable[[str], None] = lambda line: print(line, flush=True), give_up=_interrupt
    ) -> None:
        self.verdict = ""
        self._say, self._give_up = say, give_up
        self._programs: list[Program] = []
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def run(self, name: str, command: list[str], *, log: Path | None = None, revived: bool = True) -> subprocess.Popen:
        """Start ``command`` and watch it; without ``revived`` its death ends the demo."""
        running = [_started(command, log)]

        def start() -> None:
            running[0] = _started(command, log)

        advice = f" Son journal : {log}." if log else ""
        program = Program(name, lambda: running[0].poll() is None, start if revived else None, running, advice)
        self._take_in(program)
        return running[0]

    def add(self, name: str, *, alive: Callable[[], bool], start: Callable[[], object]) -> None:
        """Watch what is not a child of this process, and is not stopped by ``end``."""
        self._take_in(Program(name, alive, start))

    def _take_in(self, program: Program) -> None:
        with self._lock:
            self._programs.append(program)
            if not self._thread.is_alive():
                self._thread.start()

    def end(self) -> None:
        """Watch no more, and stop the programs: all are asked to, then those that do not are killed."""
        self._over.set()
        with self._lock:
            running = [one for program in reversed(self._programs) for one in program.running]
            self._programs.clear()
        for one in running:
            one.terminate()
        for one in running:
            try:
                one.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()

    def _look_on(self) -> None:
        while not self._over.wait(LOOKS_EVERY):
            self.look()

    def look(self) -> None:
        """Start again what has died, or give up on it."""
        with self._lock:
            for program in self._programs:
                if self._over.is_set():
                    return
                if not program.alive():
                    self._take_up(program)

    def _take_up(self, program: Program) -> None:
        now = time.monotonic()
        program.deaths = [*(at for at in program.deaths if now - at < WITHIN), now]
        if program.start is None:
            reason = "s’est arrêté, et la démonstration ne peut pas continuer sans lui"
        elif len(program.deaths) >= MOST_DEATHS:
            reason = f"s’est arrêté {MOST_DEATHS} fois en moins d’une minute"
        else:
            self._say(f"{program.name} s’est arrêté : il est relancé.")
            try:
                program.start()
            except Exception as error:  # whatever keeps it from starting, it is tried again at the next look
                self._say(f"{program.name} n’a pas pu être relancé ({type(error).__name__}).")
            return
        self.verdict = f"{program.name} {reason}.{program.advice} La démonstration s’arrête ; relancez bin/demo."
        self._over.set()
        self._give_up()


def command(*words: str) -> list[str]:
    """``python -m …`` with the interpreter of the demo."""
    return [sys.executable, "-m", *words]
