"""The example of settings starts an installation: nothing compulsory is missing, nothing is misspelt."""

import os
import subprocess
import sys

from tests.conftest import PROJECT

EXAMPLE = PROJECT / "deploy" / "parvis.env.example"
SETTINGS = PROJECT / "src" / "parvis" / "config" / "settings.py"


def example() -> dict[str, str]:
    """As systemd and compose read it: NAME=value, no quotes."""
    lines = (line.strip() for line in EXAMPLE.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def check(values: dict[str, str]) -> subprocess.CompletedProcess:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT / "src"), **values}
    command = [sys.executable, "-m", "parvis", "check", "--deploy"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=PROJECT)


def test_the_example_passes_the_checks_of_an_installation():
    told = check(example())
    assert told.returncode == 0, told.stderr
    assert "actes." not in told.stderr
    assert "web." not in told.stderr


def test_the_checks_find_what_is_missing():
    values = example()
    del values["PARVIS_ACTES_SENDERS"]
    told = check(values)
    assert told.returncode != 0
    assert "actes.E001" in told.stderr


def test_every_name_of_the_example_is_read_by_the_settings():
    known = SETTINGS.read_text() + (PROJECT / "src" / "parvis" / "config" / "database.py").read_text()
    assert [name for name in example() if f'"{name}"' not in known] == []


def test_the_ministry_and_its_mailbox_are_in_the_example():
    prefixes = ("PARVIS_MINISTRY_", "PARVIS_ACTES_IMAP_", "PARVIS_ACTES_SENDERS", "PARVIS_ACTES_AUTHSERV_ID")
    missing = [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in example())]
    assert not missing
