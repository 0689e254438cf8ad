"""Under CI a skipped test is a failed one, alone or with its whole module: what is claimed must have run."""

import os

import pytest


def _refuse(report):
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """For one test."""
    return _refuse((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """For a module that leaves while it is collected (``importorskip``, ``skip(allow_module_level=True)``)."""
    return _refuse((yield))
