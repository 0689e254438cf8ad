"""Open data in a real browser: the public table with and without scripts, the agents' page, both themes."""

import csv

import pytest

from parvis.core.organisations.tenancy import acting_for
from tests.e2e.browser import PHONE, assert_accessible, assert_fits, screenshot
from tests.opendata.conftest import facts, open_row, route_at_opendata  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "/p/juvignac/donnees/deliberations/"


@pytest.fixture
def rows(juvignac, open_row):  # noqa: F811
    with acting_for(juvignac):
        open_row(juvignac)
        open_row(
            juvignac,
            numero="18.12.10.02",
            date="2018-12-10",
            objet="Budget primitif 2019",
            matiere="7.1",
            matiere_label="Finances locales/Décisions budgétaires",
        )
        open_row(juvignac, numero="19.07.01.07", objet="Tarifs de la cantine", matiere="7")
    return juvignac


@pytest.mark.parametrize("width", [PHONE, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_public_pages_are_accessible_and_fit(browser_page, rows, width, dark):
    page = browser_page(width=width, dark=dark)
    for address in ("/p/juvignac/donnees/", TABLE, f"{TABLE}?q=rien+de+tel"):
        page.goto(address)
        assert_accessible(page)
        assert_fits(page)
        if address == TABLE:
            screenshot(page, f"donnees-deliberations{'-nuit' if dark else ''}")


def test_a_citizen_filters_and_downloads_without_scripts(browser_page, rows):
    page = browser_page(scripts=False)
    page.goto("/p/juvignac/donnees/")
    page.get_by_role("link", name="Délibérations", exact=True).click()
    page.get_by_label("Matière").select_option(label="Finances locales (1)")
    page.get_by_role("button", name="Filtrer").click()
    page.get_by_role("heading", name="1 délibération").wait_for()
    page.get_by_role("rowheader", name="Budget primitif 2019").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger en CSV").click()
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        assert [row["DELIB_ID"] for row in csv.DictReader(file)] == ["19.07.01.05", "18.12.10.02"]


def test_an_agent_sees_the_refusal_and_takes_the_dataset_offline(browser_page, agent_client, rows):
    page = browser_page(client=agent_client(rows, "secretaire"))
    page.goto("/o/juvignac/donnees/")
    page.get_by_text("doit être de niveau 2 exactement").wait_for()
    assert_accessible(page)
    screenshot(page, "donnees-agent")
    page.get_by_role("button", name="Retirer de la page publique").click()
    page.get_by_text("n’est plus en ligne").wait_for()
    page.get_by_text("hors ligne").wait_for()
    assert_accessible(page)
