"""The demo keeps its programs alive: one that dies is started again, one that keeps dying ends the demo."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from parvis.config import embedded
from parvis_demo.watching import MOST_DEATHS, Watch

LASTS = [sys.executable, "-c", "import time; time.sleep(600)"]
DIES = [sys.executable, "-c", "raise SystemExit(3)"]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def watch(told, ended) -> Iterator[Watch]:
    one = Watch(say=told.append, give_up=lambda: ended.append("ended"))
    yield one
    one.end()


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def test_a_program_that_was_killed_is_started_again_and_that_is_said(watch, told, ended):
    before = set(children_of(os.getpid()))
    killed = watch.run("Le programme des travaux", LASTS)
    killed.kill()
    until(lambda: told)
    assert told == ["Le programme des travaux s’est arrêté : il est relancé."]
    assert len(set(children_of(os.getpid())) - before - {killed.pid}) == 1
    assert ended == []


def test_a_program_that_keeps_dying_ends_the_demo_with_the_reason(watch, told, ended, tmp_path):
    watch.run("Le programme des travaux", DIES, log=tmp_path / "worker.log")
    until(lambda: ended)
    assert len(told) == MOST_DEATHS - 1
    assert watch.verdict == (
        "Le programme des travaux s’est arrêté 3 fois en moins d’une minute. "
        f"Son journal : {tmp_path / 'worker.log'}. La démonstration s’arrête ; relancez bin/demo."
    )


def test_what_cannot_be_started_again_ends_the_demo_at_once(watch, told, ended):
    watch.run("Le bac à sable", DIES, revived=False)
    until(lambda: ended)
    assert told == []
    assert "ne peut pas continuer sans lui" in watch.verdict


def test_what_the_demo_stops_is_not_started_again(watch, told):
    stopped = watch.run("Le serveur web", LASTS)
    watch.end()
    assert stopped.returncode == -signal.SIGTERM
    assert told == []


@pytest.fixture
def server() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="parvis-pg-"))  # short: a socket lives in it
    yield folder / "pg"
    embedded.stop(folder / "pg")
    shutil.rmtree(folder, ignore_errors=True)


def test_the_database_server_comes_back_at_the_same_address(watch, told, server):
    address = embedded.start(server, durable=False)["DATABASE_URL"]
    watch.add("PostgreSQL", alive=lambda: embedded.is_running(server), start=lambda: embedded.revive(server))
    os.kill(int((server / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    until(lambda: told)

    def answers() -> bool:
        try:
            with psycopg.connect(address) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    until(answers)


def test_one_that_does_not_stop_when_asked_is_killed_and_keeps_no_other_alive(watch, monkeypatch):
    import parvis_demo.watching as watching

    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.5)
    deaf = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('.'); time.sleep(600)"]
    first, stubborn = watch.run("Le portail", LASTS), watch.run("Le programme des travaux", deaf)
    until(lambda: "S" in Path(f"/proc/{stubborn.pid}/stat").read_text())
    time.sleep(1)  # for the signal to be ignored
    watch.end()
    assert (first.poll(), stubborn.poll()) == (-signal.SIGTERM, -signal.SIGKILL)
