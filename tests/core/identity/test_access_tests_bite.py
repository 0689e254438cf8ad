"""The tests of access report leaking views: otherwise their silence would mean nothing."""

from pathlib import Path

import pytest

from tests.core.identity import leaks
from tests.core.identity.holdings import MARK, NAMED, Holdings, unknown_parameters
from tests.core.identity.matrix import addresses, outside_subscriptions, pages, taken_without_proof, unwritten
from tests.core.identity.scopes import strange_choices
from tests.core.identity.trespassing import leaking, leaking_forms


@pytest.fixture(autouse=True)
def _with_leaks(settings):
    settings.ROOT_URLCONF = leaks.__name__


@pytest.fixture
def there(callers, fabregues):
    holdings = Holdings(fabregues, MARK)
    with holdings.scope():
        holdings.one("actes.Acte")
    return holdings


def _page(address: str) -> list:
    return [page for page in pages() if page.address == address]


@pytest.mark.parametrize("address", ["fuite/annuaire/", "fuite/<int:pk>/"])
def test_a_page_that_no_mandate_protects_is_to_be_written_by_hand(address):
    assert [f for f in unwritten(addresses()) if f.startswith(f"/{address} is declared")]


def test_a_page_of_a_service_without_its_application_is_reported():
    assert any("actes/<uuid:pk>/fuite/" in fault for fault in outside_subscriptions(addresses()))


def test_a_table_that_leaves_without_a_fresh_proof_is_reported():
    assert any("fuite/adresses/ gives a table" in fault for fault in taken_without_proof(pages()))


def test_a_parameter_of_unknown_meaning_is_reported():
    assert any(fault.startswith("/fuite/<int:pk>/") for fault in unknown_parameters(addresses()))


@pytest.mark.parametrize("view", ["any_act", "chosen", "forged"])
def test_a_view_that_chooses_for_whom_it_acts_is_reported(view):
    source = Path(leaks.__file__).read_text()
    assert any(f" {view} acts for " in fault for fault in strange_choices([("leaks", source)]))


def test_a_page_that_lists_everybody_is_reported(callers, there):
    assert any(
        leak.startswith("nobody get /fuite/annuaire/") for leak in leaking(_page("fuite/annuaire/"), callers, there)
    )


def test_a_page_that_reads_another_commune_s_act_is_reported(callers, there):
    found = leaking(_page("o/<slug:organisation_slug>/actes/<uuid:pk>/fuite/"), callers, there)
    assert any(" get /o/juvignac/" in leak and "the answer holds" in leak for leak in found)


def test_a_page_that_changes_another_commune_s_act_is_reported(callers, there):
    found = leaking(_page("o/<slug:organisation_slug>/actes/<uuid:pk>/fuite/"), callers, there)
    assert any(" post /o/juvignac/" in leak and "was changed" in leak for leak in found)


def test_a_page_that_acts_for_whom_its_address_names_is_reported(callers, there, monkeypatch):
    monkeypatch.setitem(NAMED, "fuite/<int:pk>", "organisations.Organisation")
    found = leaking(_page("fuite/<int:pk>/"), callers, there)
    assert any("a citizen" in leak and "the answer holds" in leak for leak in found)


def test_a_form_that_takes_another_commune_s_act_is_reported(callers, there, juvignac):
    here = Holdings(juvignac, "MAISON")
    with here.scope():
        here.one("actes.Acte")
    found, _ = leaking_forms(_page("o/<slug:organisation_slug>/actes/fuite/"), callers, here, there)
    assert any("with acte=" in leak for leak in found)
