"""The parapheur in a real browser: read, endorse, prove who you are, sign, see the signed document."""

import pytest

from parvis.core.organisations.tenancy import acting_for
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, by_keyboard, screenshot
from tests.edemat.parapheur.conftest import _steps, _trust, maire, open_dossier, pki  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dossier(juvignac, open_dossier):  # noqa: F811
    with acting_for(juvignac):
        return open_dossier(juvignac)


def test_a_document_is_endorsed_then_signed_by_keyboard(browser_page, agent_client, juvignac, dossier, maire, run_jobs):  # noqa: F811
    address = f"/o/juvignac/parapheur/{dossier.pk}/"
    page = browser_page(client=agent_client(juvignac, "dgs"))
    page.goto("/o/juvignac/parapheur/")
    assert_accessible(page)
    by_keyboard(page.get_by_role("link", name="Convention de gestion"))
    by_keyboard(page.get_by_role("link", name="Viser"))
    assert_accessible(page)
    by_keyboard(page.get_by_role("button", name="Donner mon visa"))
    page.get_by_text("Votre visa est donné").wait_for()

    page = browser_page(client=agent_client(juvignac, "maire"))
    page.goto(address)
    page.wait_for_function("[...document.images].every(image => image.loading === 'lazy' || image.naturalWidth > 0)")
    assert_accessible(page)
    screenshot(page, "parapheur-a-signer")
    by_keyboard(page.get_by_role("link", name="Signer", exact=True))
    page.get_by_text("Une signature ne se retire pas").wait_for()
    assert_accessible(page)
    screenshot(page, "parapheur-confirmation")
    by_keyboard(page.get_by_role("button", name="Signer maintenant"))
    page.get_by_text("La signature attend son tour").wait_for()
    assert_accessible(page)
    run_jobs(queue="parapheur")
    page.get_by_role("heading", name="Document signé").wait_for()  # the page follows the job by itself
    assert page.get_by_text("Signature valide", exact=False).count()
    assert_accessible(page)
    screenshot(page, "parapheur-signe")


def test_the_pages_fit_a_phone_and_work_without_scripts(browser_page, agent_client, juvignac, dossier):
    client = agent_client(juvignac, "dgs")
    page = browser_page(client=client, width=PHONE)
    for end in ("", f"{dossier.pk}/", f"{dossier.pk}/viser/", f"{dossier.pk}/refuser/"):
        page.goto(f"/o/juvignac/parapheur/{end}")
        assert_fits(page)
        assert_accessible(page)
    page = browser_page(client=client, width=DESK, scripts=False)
    page.goto(f"/o/juvignac/parapheur/{dossier.pk}/")
    page.get_by_role("link", name="Refuser").click()
    page.get_by_label("Motif du refus").fill("La date du vote manque")
    page.get_by_role("button", name="Refuser le document").click()
    assert page.get_by_text("La date du vote manque").count()
