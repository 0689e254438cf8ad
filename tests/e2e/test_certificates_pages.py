"""Signing certificates and alerts of the antivirus in a real browser, on a phone and on a desk."""

import pytest
from django.conf import settings as project

from tests.core.trust.conftest import _running, authority  # noqa: F401
from tests.e2e.browser import assert_accessible

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
