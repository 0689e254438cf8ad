"""The pages by which an organisation relates its older software in SAML, in a browser."""

import pytest

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from tests.core.authentication.test_resets import as_operator
from tests.core.saml.test_metadata import described, key
from tests.e2e.browser import DESK, PHONE, check, photograph_for_guide

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/o/juvignac/administration/saml/"


def look(page, name: str) -> None:
    check(page, f"saml-{name}")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_service_is_proposed_changed_then_suspended(browser_page, juvignac, agent_client, tmp_path, width):
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
    page.get_by_text("la plateforme doit maintenant l’approuver").wait_for()
    with acting_for(juvignac):
        site = SamlSite.objects.get()
    services.approve(site, seen=site.fingerprint, by=None, actor=Actor("system", "essai"))
    page.reload()
    page.get_by_text("Service SAML, en service").wait_for()
    look(page, "service")
    photograph_for_guide(page, "administration-service-saml")
    page.get_by_role("link", name="Modifier").click()
    look(page, "modifier")
    page.get_by_label("Prénom").check()
    moved = {**file, "buffer": described(keys=key(tmp_path), acs="https://ancien.exemple.fr/autre")}
    page.get_by_label("Nouvelles métadonnées").set_input_files(moved)
    page.get_by_role("button", name="Proposer la modification").click()
    page.get_by_text("prendra effet quand la plateforme l’aura approuvée").wait_for()
    look(page, "modification")
    platform = browser_page(width=width, client=as_operator("un@dsi.test"))
    platform.goto("/plateforme/saml/")
    look(platform, "approbations")
    platform.get_by_role("link", name="Gestion du cimetière").click()
    look(platform, "approbation")
    platform.get_by_label("Motif du refus").fill("L’adresse n’est pas celle de l’éditeur.")
    platform.get_by_role("button", name="Refuser la proposition").click()
    platform.get_by_text("La proposition de Juvignac est refusée.").wait_for()
    page.reload()
    page.get_by_text("La plateforme a refusé la dernière modification.").wait_for()
    look(page, "modification-refusee")
    page.goto(BASE)
    look(page, "liste-refusee")
    page.get_by_role("link", name="Gestion du cimetière").click()
    page.get_by_role("link", name="Suspendre").click()
    look(page, "suspendre")
    page.get_by_role("button", name="Suspendre").click()
    page.get_by_text("est suspendu.").first.wait_for()  # said once, then shown
    page.goto(BASE)
    look(page, "liste")
