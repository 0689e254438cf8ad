"""For whom the code acts is never chosen by what a request brings."""

from tests.core.identity.scopes import modules, strange_choices


def test_a_request_chooses_for_whom_nothing_acts():
    faults = strange_choices(list(modules()))
    assert not faults, "\n".join(faults)
