"""The rule of continuous integration, tried on small projects of its own."""

import pytest

from tests.conftest import PROJECT

pytest_plugins = ["pytester"]

ONE_TEST = "import pytest\n@pytest.mark.skip(reason='no browser')\ndef test_it():\n    pass\n"
WHILE_IT_RUNS = "import pytest\ndef test_it():\n    pytest.skip('no browser')\n"
WHOLE_MODULE = "import pytest\npytest.skip('no browser', allow_module_level=True)\n"
MISSING_LIBRARY = "import pytest\npytest.importorskip('no_such_library')\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    raise ValueError\n"


@pytest.fixture
def outcome(pytester, monkeypatch):
    def run(content: str, ci: str):
        monkeypatch.setenv("CI", ci)
        pytester.makeconftest("from tests.refused_skips import *  # noqa: F403")
        pytester.makepyfile(content)
        pytester.syspathinsert(PROJECT)
        return pytester.runpytest_inprocess("-p", "no:django", "-p", "no:randomly").ret

    return run


@pytest.mark.parametrize("content", [ONE_TEST, WHILE_IT_RUNS, WHOLE_MODULE, MISSING_LIBRARY])
def test_a_skip_fails_under_continuous_integration(outcome, content):
    assert outcome(content, "true") in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)


@pytest.mark.parametrize("content", [ONE_TEST, WHOLE_MODULE])
def test_a_skip_is_one_elsewhere(outcome, content):
    assert outcome(content, "") in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def test_an_expected_failure_is_no_skip(outcome):
    assert outcome(EXPECTED_FAILURE, "true") == pytest.ExitCode.OK
