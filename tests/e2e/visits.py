"""Which pages browser tests checked for accessibility, by address and width, across the processes of one run."""

import os
from pathlib import Path

import pytest

from tests.e2e.unseen import ELSEWHERE

FILE = Path(__file__).resolve().parents[2] / "var" / "axe-visits.txt"
WIDTHS = ("phone", "desk")


def forget(file: Path = FILE) -> None:
    """A run begins."""
    file.unlink(missing_ok=True)


def remember(address: str, width: int, file: Path = FILE) -> None:
    """A page of ``address``, as the URLconf writes it, was checked; one line is one write, whatever the process."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(f"{address}\t{WIDTHS[width >= 600]}\n")


def unchecked(elsewhere: dict[str, str], file: Path = FILE) -> list[str]:
    """Those of ``elsewhere`` that the run did not check on a phone and on a desk; none where no browser ran."""
    seen = set(file.read_text().splitlines()) if file.exists() else set()
    return [
        f"/{address} was never checked by assert_accessible on a {width}: {test} is to come to it"
        for address, test in elsewhere.items()
        for width in WIDTHS
        if seen and f"{address}\t{width}" not in seen
    ]


# --- hooks of a run -------------------------------------------------------------------------------------------
def _whole(config) -> bool:
    """All the tests, in the process that hands them out or in the only one."""
    chosen = config.option.keyword or config.option.markexpr or config.args_source.name != "TESTPATHS"
    return "PYTEST_XDIST_WORKER" not in os.environ and not chosen


def pytest_sessionstart(session):
    if _whole(session.config):
        forget()


def pytest_sessionfinish(session):
    """A whole run fails when a page that needs a browser test of its own had none."""
    if _whole(session.config) and (faults := unchecked(ELSEWHERE)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.get_terminal_writer().line("\n" + "\n".join(faults), red=True)
