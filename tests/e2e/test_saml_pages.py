"""The pages by which an organisation relates its older software in SAML, in a browser."""

import pytest

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from tests.core.saml.test_metadata import described, key
from tests.e2e.browser import (
    DESK,
    PHONE,
    assert_accessible,
    assert_fits,
    assert_one_title,
    photograph_for_guide,
    screenshot,
)

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/o/juvignac/administration/saml/"


def look(page, name: str) -> None:
    screenshot(page, f"saml-{name}")
    assert_one_title(page)
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_service_is_proposed_then_suspended(browser_page, juvignac, agent_client, tmp_path, width):
    from parvis.core.saml import services
    from parvis.core.saml.models import SamlSite

    page = browser_page(width=width, client=agent_client(juvignac, "administrateur"))
    page.goto(BASE)
    look(page, "vide")
    page.get_by_role("link", name="Proposer un service").click()
    look(page, "proposer")
    page.get_by_label("Nom du service").fill("Gestion du cimetière")
    page.get_by_label("Adresse du contact technique").fill("support@editeur.test")
    page.get_by_label("Agents et élus").check()
    file = {"name": "service.xml", "mimeType": "text/xml", "buffer": described(keys=key(tmp_path))}
    page.get_by_label("Métadonnées du service").set_input_files(file)
    page.get_by_role("button", name="Proposer le service").click()
    page.get_by_text("la métropole le mettra en service").wait_for()
    with acting_for(juvignac):
        site = SamlSite.objects.get()
    services.approve(site, seen=site.fingerprint, by=None, actor=Actor("system", "essai"))
    page.reload()
    page.get_by_text("Service SAML en service").wait_for()
    look(page, "service")
    photograph_for_guide(page, "administration-service-saml")
    page.get_by_role("link", name="Suspendre le service").click()
    look(page, "suspendre")
    page.get_by_role("button", name="Suspendre").click()
    page.get_by_text("n’est plus en service").wait_for()
    page.goto(BASE)
    look(page, "liste")
