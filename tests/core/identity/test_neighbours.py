"""What another commune holds stays there: its identifiers, in addresses and in forms, lead nobody of Juvignac to it.

Fabrègues has a real row for every parameter of every address (``holdings``), all marked. Whatever Juvignac's people,
a citizen or nobody at all ask for, with these identifiers or without any, no answer holds the mark and no row of
Fabrègues changes; and Fabrègues' own people do reach them, so that the refusals mean something.
"""

import pytest

from tests.core.identity.callers import machine_of
from tests.core.identity.holdings import ADMINISTRATION, MARK, Holdings, unknown_parameters
from tests.core.identity.matrix import addresses, pages
from tests.core.identity.trespassing import leaking, leaking_forms, leaking_operations, person, unreached


def test_every_parameter_says_what_it_names():
    faults = unknown_parameters(addresses())
    assert not faults, "\n".join(faults)


@pytest.fixture
def there(callers, fabregues):
    """What Fabrègues holds."""
    holdings = Holdings(fabregues, MARK, member=callers["fabregues", "maire"].account)
    holdings.everything()
    return holdings


@pytest.mark.timeout(900)
def test_no_answer_tells_what_the_neighbour_holds_nor_changes_it(callers, there):
    leaks = leaking(pages(), callers, there)
    assert not leaks, "\n".join(leaks)


@pytest.mark.timeout(900)
def test_the_neighbour_s_own_people_reach_what_it_holds(callers, there):
    lost = unreached(pages(), callers, there)
    assert not lost, "\n".join(lost)


@pytest.fixture
def here(callers, juvignac):
    """What Juvignac holds: its pages show forms."""
    holdings = Holdings(juvignac, "MAISON")
    holdings.everything()
    return holdings


@pytest.mark.timeout(900)
def test_no_form_takes_what_the_neighbour_holds(callers, here, there):
    leaks, forged = leaking_forms(pages(), callers, here, there)
    assert not leaks, "\n".join(leaks)
    assert forged > 20, "forms are no longer read"


def test_no_operation_of_the_api_gives_what_the_neighbour_holds(there, juvignac, fabregues):
    machines = [machine_of(organisation) for organisation in (juvignac, fabregues)]
    leaks = leaking_operations(addresses(), *machines, there)
    assert not leaks, "\n".join(leaks)


@pytest.mark.timeout(900)
def test_a_head_of_service_reaches_nobody_of_another_service(callers, here):
    head = ("juvignac", "a head of one service")
    people = [page for page in pages() if page.address.startswith(ADMINISTRATION + "personnes/")]
    leaks = leaking(people, {head: callers[head]}, here, mark=here.account.email, watched=person)
    assert not leaks, "\n".join(leaks)
