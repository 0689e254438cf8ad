"""``bin/demo`` shows no account of the platform's operators: it says why, and prints the command that makes one."""

import os
import subprocess
from pathlib import Path

import pytest

from parvis.core.identity.models import Account
from parvis_demo.__main__ import invite
from parvis_demo.stage import Stage
from parvis_demo.story import OPERATOR
from tests.conftest import PROJECT


@pytest.fixture
def told(monkeypatch, tmp_path, capsys) -> str:
    """What the demo says at its end, with the database of the tests as its own."""
    folder = tmp_path / "dossier de démo"
    for name, value in {
        "PARVIS_DEMO": "1",
        "PARVIS_VAR_DIR": str(folder),
        "PARVIS_CLOCK_FILE": str(folder / "clock.json"),
    }.items():
        monkeypatch.setenv(name, value)
    invite(Stage(folder, {"inbox_url": "http://localhost:8025"}, Path(folder / "clock.json")), 8000)
    return capsys.readouterr().out


def test_it_says_why_no_operator_is_shown(told):
    assert "ils n’entrent que par une clé d’accès" in told


@pytest.mark.django_db(transaction=True)
def test_the_command_it_prints_makes_an_operator(told):
    (command,) = [line for line in told.splitlines() if "name_operator" in line]
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=bare, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    made = Account.objects.get(email=OPERATOR[0])
    assert made.is_platform_administrator
    assert str(PROJECT) in command
