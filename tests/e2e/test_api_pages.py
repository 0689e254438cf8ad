"""API accounts in a real browser: an administrator relates a software, copies its secret, rotates it, revokes it."""

import base64

import pytest
from django.test import Client

from tests.core.api.conftest import certificate_pem
from tests.e2e.browser import DESK, PHONE, check, photograph_for_guide

pytestmark = pytest.mark.django_db(transaction=True)


def _call(identifier, secret):
    proof = base64.b64encode(f"{identifier}:{secret}".encode()).decode()
    return Client(headers={"Authorization": f"Basic {proof}"}).get("/api/v1/moi")


def _look(page, name):
    check(page, name)
    photograph_for_guide(page, f"administration-{name}")


@pytest.mark.parametrize(("width", "scripts"), [(DESK, True), (PHONE, True)])
def test_a_software_is_related_then_revoked(browser_page, juvignac, agent_client, width, scripts):
    client = agent_client(juvignac, "administrateur")
    page = browser_page(width=width, client=client, scripts=scripts)
    page.goto("/o/juvignac/administration/api/")
    _look(page, "api-vide")
    page.get_by_role("link", name="Relier un logiciel").click()
    page.get_by_role("heading", name="Relier un logiciel").wait_for()
    _look(page, "api-creation")
    page.get_by_role("button", name="Créer le compte").click()
    page.get_by_text("Ce champ est obligatoire").first.wait_for()
    _look(page, "api-creation-refusee")
    page.get_by_label("Nom du logiciel").fill("Gestion des assemblées")
    page.get_by_label("Adresse à prévenir").fill("support@editeur.test")
    page.get_by_label("Consulter les actes et leurs fichiers").check()
    page.get_by_label("Réseaux admis").fill("127.0.0.0/8\n2001:db8::/32")
    page.get_by_role("button", name="Créer le compte").click()
    page.get_by_text("Ce secret ne sera plus montré").wait_for()
    _look(page, "api-secret")
    identifier = page.get_by_label("Identifiant").input_value()
    secret = page.get_by_label("Secret", exact=True).input_value()
    assert _call(identifier, secret).json()["nom"] == "Gestion des assemblées"

    page.get_by_role("link", name="J’ai copié le secret").click()
    page.get_by_text("depuis 127.0.0.1").wait_for()
    assert secret not in page.content()
    _look(page, "api-compte")
    page.get_by_role("button", name="Renouveler le secret").click()
    second = page.get_by_label("Secret", exact=True).input_value()
    assert [_call(identifier, s).status_code for s in (secret, second)] == [200, 200]

    page.get_by_role("link", name="J’ai copié le secret").click()
    page.get_by_role("link", name="Révoquer le compte").click()
    _look(page, "api-revocation")
    page.get_by_role("button", name="Révoquer le compte").click()
    page.get_by_text("ne peut plus appeler l’API").wait_for()
    assert [_call(identifier, s).status_code for s in (secret, second)] == [401, 401]
    page.goto("/o/juvignac/administration/api/")
    _look(page, "api-liste")


@pytest.mark.parametrize(("width", "dark"), [(DESK, False), (PHONE, True)])
def test_the_documentation_is_read_by_everybody(browser_page, juvignac, width, dark):
    page = browser_page(width=width, dark=dark)
    page.goto("/api/")
    page.get_by_role("heading", name="POST /api/v1/actes").wait_for()
    _look(page, "api-documentation")


def test_a_certificate_is_renewed(browser_page, juvignac, agent_client):
    from parvis.core.api.services import create_account
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.tenancy import acting_for

    certificates = certificate_pem("paie.test"), certificate_pem("paie-2.test")
    with acting_for(juvignac):
        create_account(
            juvignac, name="Paie", contact="x@editeur.test", scopes=[], actor=Actor("system"),
            certificate=certificates[0],
        )  # fmt: skip
    page = browser_page(width=DESK, client=agent_client(juvignac, "administrateur"))
    page.goto("/o/juvignac/administration/api/")
    page.get_by_role("link", name="Paie").click()
    page.get_by_role("link", name="Renouveler le certificat").click()
    page.get_by_label("Nouveau certificat").fill(certificates[0])
    page.get_by_role("button", name="Enregistrer le certificat").click()
    page.get_by_text("déjà celui du compte").first.wait_for()
    _look(page, "api-certificat")
    page.get_by_label("Nouveau certificat").fill(certificates[1])
    page.get_by_role("button", name="Enregistrer le certificat").click()
    page.get_by_text("Le nouveau certificat est accepté dès maintenant").wait_for()
    _look(page, "api-certificats")
