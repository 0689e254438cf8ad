"""Signing certificates and alerts of the antivirus in a real browser, on a phone and on a desk."""

import pytest
from django.conf import settings as project

from parvis.core.documents import infections
from parvis.core.journal.services import SYSTEM
from parvis.core.organisations.tenancy import acting_for
from parvis.core.trust import certificates
from tests.core.trust.conftest import _running, authority  # noqa: F401
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, screenshot

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/o/juvignac/administration/certificats/"


@pytest.fixture
def material(authority, settings, tmp_path):  # noqa: F811
    settings.PARVIS_SECRETS_DIR = tmp_path / "secrets"
    settings.PARVIS_TRUST_ROOTS_DIR = authority.trust_roots_dir
    return authority.issue_signer("Camille ESSAI", "Commune de Juvignac", "213401235")


def test_an_administrator_enrols_then_revokes_without_scripts(
    browser_page, juvignac, account_for, agent_client, material
):
    account_for(juvignac, "maire", email="maire@juvignac.test")
    page = browser_page(client=agent_client(juvignac, "administrateur", given_name="Sacha"), scripts=False)
    page.goto(BASE)
    page.get_by_role("link", name="Enregistrer un certificat").click()
    page.get_by_label("Personne", exact=True).select_option(label="Camille Essai")
    page.get_by_label("Fichier du certificat").set_input_files(material.path)
    page.get_by_label("Phrase secrète").fill(material.password)
    page.get_by_role("button", name="Enregistrer le certificat").click()
    page.get_by_text("Au nom de la personne à qui il est attribué.").wait_for()
    page.get_by_role("link", name="Révoquer").click()
    page.get_by_label("Motif").fill("Carte perdue")
    page.get_by_role("button", name="Révoquer le certificat").click()
    page.get_by_text("Carte perdue").wait_for()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_pages_are_accessible_and_fit(browser_page, juvignac, account_for, agent_client, material, width):
    maire = account_for(juvignac, "maire", email="maire@juvignac.test")
    with acting_for(juvignac):
        found = certificates.enrol_pkcs12(
            juvignac, material.path.read_bytes(), material.password, account=maire, actor=SYSTEM
        )
        infections.tell(juvignac, "facture.pdf.exe", "0" * 64, "Eicar-Test-Signature")
    administrator = agent_client(juvignac, "administrateur", given_name="Sacha")
    pages = {
        "certificats": (administrator, BASE),
        "certificat": (administrator, f"{BASE}{found.pk}/"),
        "certificat-nouveau": (administrator, f"{BASE}nouveau/"),
        "certificat-revoquer": (administrator, f"{BASE}{found.pk}/revoquer/"),
        "certificats-miens": (agent_client(juvignac, "maire", email="maire@juvignac.test"), f"{BASE}les-miens/"),
        "fichiers-infectes": (administrator, "/o/juvignac/documents/fichiers-infectes/"),
    }
    for name, (client, address) in pages.items():
        page = browser_page(width=width, client=client)
        page.goto(address)
        page.get_by_role("heading", level=1).wait_for()
        screenshot(page, name)
        assert_accessible(page)
        assert_fits(page)


def test_a_file_too_heavy_is_refused_with_a_page_that_leads_back(browser_page, juvignac, agent_client, monkeypatch):
    monkeypatch.setattr(project, "DATA_UPLOAD_MAX_MEMORY_SIZE", 100_000)
    page = browser_page(client=agent_client(juvignac, "secretaire"))
    page.goto("/o/juvignac/archives/deposer/")
    answer = page.request.post(
        "/o/juvignac/travaux/",
        multipart={"fichier": {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": b"x" * 200_000}},
    )
    assert answer.status == 413
    page.set_content(answer.text())
    assert_accessible(page)
