"""The archives in a real browser: deposit a package, follow its intake, read the archive, the register."""

import pytest

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.archives.models import Transfer
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, screenshot
from tests.edemat.archives.conftest import storage_folders  # noqa: F401
from tests.edemat.archives.dossiers import acte_package
from tests.edemat.archives.routes import route_of

pytestmark = pytest.mark.django_db(transaction=True)


def package(name: str = "paquet.zip", content: bytes | None = None) -> dict:
    buffer = acte_package().getvalue() if content is None else content
    return {"name": name, "mimeType": "application/zip", "buffer": buffer}


def test_a_package_is_deposited_controlled_and_archived(browser_page, agent_client, juvignac, run_jobs):
    page = browser_page(client=agent_client(juvignac, "archiviste"))
    page.goto("/o/juvignac/archives/")
    page.get_by_role("link", name="Déposer un paquet").first.click()
    assert_accessible(page)
    page.get_by_role("button", name="Déposer le paquet").click()
    page.get_by_text("Choisissez le paquet à verser").first.wait_for()
    assert_accessible(page)
    page.get_by_label("Paquet à verser").set_input_files(package("acte.pdf", b"%PDF-1.7"))
    page.get_by_role("button", name="Déposer le paquet").click()
    page.get_by_text("n’est pas une archive ZIP").wait_for()
    page.get_by_label("Paquet à verser").set_input_files(package())
    page.get_by_role("button", name="Déposer le paquet").click()
    page.get_by_text("Le paquet attend d’être contrôlé").wait_for()
    assert_accessible(page)
    run_jobs(queue="archives")
    page.get_by_role("heading", name="Contenu archivé").wait_for()  # the page follows the jobs by itself
    page.get_by_role("heading", name="Événements de conservation").wait_for()
    assert_accessible(page)
    screenshot(page, "archives-versement")
    page.get_by_role("link", name="Prouver").click()
    page.get_by_text("Archivé, copies relues").first.wait_for()
    page.goto("/o/juvignac/archives/registre/")
    assert_accessible(page)
    page.goto("/o/juvignac/archives/?etat=archives")
    assert_accessible(page)
    screenshot(page, "archives-liste")


def test_a_refused_package_says_why(browser_page, agent_client, juvignac, run_jobs):
    page = browser_page(client=agent_client(juvignac, "archiviste"))
    page.goto("/o/juvignac/archives/deposer/")
    broken = acte_package().getvalue().replace(b"manifest.xml", b"manifest.txt")
    page.get_by_label("Paquet à verser").set_input_files(package(content=broken))
    page.get_by_role("button", name="Déposer le paquet").click()
    run_jobs(queue="archives")
    page.get_by_role("heading", name="Versement refusé").wait_for()
    page.get_by_text("un seul bordereau à sa racine").first.wait_for()
    assert_accessible(page)
    screenshot(page, "archives-refus")


def test_the_pages_fit_a_phone_and_work_without_scripts(browser_page, agent_client, juvignac, run_jobs):
    route_of(juvignac)
    run_jobs()
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
    client = agent_client(juvignac, "archiviste")
    page = browser_page(client=client, width=PHONE)
    for end in ("", "deposer/", "registre/", f"{transfer.pk}/"):
        page.goto(f"/o/juvignac/archives/{end}")
        assert_fits(page)
        assert_accessible(page)
    screenshot(page, "archives-telephone")
    page = browser_page(client=client, width=DESK, scripts=False)
    page.goto("/o/juvignac/archives/")
    page.get_by_role("link", name="Convention de gestion").click()
    page.get_by_role("heading", name="Contenu archivé").wait_for()
