"""FranceConnect, ProConnect and a directory in a browser, through the simulated providers: there and back."""

import pytest
from django.core.cache import cache
from django.test import Client

from tests.conftest import PASSWORD
from tests.core.authentication.test_resets import as_operator
from tests.core.federation.conftest import Provider
from tests.core.federation.test_step_up import aged
from tests.e2e.browser import DESK, PHONE, assert_accessible, check, photograph_for_guide

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def providers(sandbox, settings, live_server, juvignac):
    """The providers of the sandbox, knowing this test's server."""
    settings.BASE_URL = live_server.url
    cache.clear()
    found = {}
    for code in ("franceconnect", "proconnect"):
        running = Provider(code, sandbox.identity[code])
        site = f"{live_server.url}/federation/{code}"
        client = {
            "client_id": "parvis",
            "redirect_uris": [f"{site}/retour/", f"http://localhost:8000/federation/{code}/retour/"],
            "post_logout_redirect_uris": [f"{site}/sortie/", f"http://localhost:8000/federation/{code}/sortie/"],
        }
        running.tell(faults={}, clients=[client])
        found[code] = running
    yield found
    for running in found.values():
        running.fault()


@pytest.fixture
def server(sandbox, settings, live_server, juvignac):
    """The directory of the sandbox, which the commune has not proposed yet."""
    settings.BASE_URL = live_server.url
    cache.clear()
    running = Provider("annuaire", sandbox.identity["annuaire"])
    running.fault()
    yield running
    running.fault()


def looked_at(page, name):
    check(page, f"federation-{name}")


def choose(page, login):
    page.get_by_role("heading", name="(simulé)").wait_for()
    page.locator(f'button[value="{login}"]').click()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_citizen_creates_an_account_then_leaves(browser_page, providers, width):
    page = browser_page(width=width)
    page.goto("/compte/login/")
    looked_at(page, "connexion")
    page.get_by_role("link", name="Qu’est-ce que FranceConnect ?").click()
    page.get_by_role("heading", name="Qu’est-ce que FranceConnect ?").wait_for()
    looked_at(page, "explication")
    page.goto("/compte/login/")
    page.get_by_role("link", name="Qu’est-ce que ProConnect ?").click()
    page.get_by_role("heading", name="Qu’est-ce que ProConnect ?").wait_for()
    looked_at(page, "explication-proconnect")
    page.goto("/compte/login/")
    page.get_by_role("link", name="S’identifier avec FranceConnect").click()
    choose(page, page.locator("button[name=login]").first.get_attribute("value"))
    page.get_by_role("heading", name="Première connexion avec FranceConnect").wait_for()
    looked_at(page, "choix")
    page.get_by_role("link", name="Créer mon compte").click()
    page.get_by_role("heading", name="Créer mon compte").wait_for()
    looked_at(page, "nouveau-compte")
    page.get_by_label("Adresse électronique").fill("pas une adresse")
    page.get_by_role("button", name="Créer mon compte").click()
    page.get_by_role("alert").wait_for()
    assert_accessible(page)
    page.get_by_label("Adresse électronique").fill("nouvelle@courriel.test")
    page.get_by_role("button", name="Créer mon compte").click()
    page.get_by_text("Votre compte est créé").wait_for()
    page.goto("/federation/mes-identites/")
    looked_at(page, "identites")
    page.get_by_role("link", name="Délier FranceConnect").click()
    page.get_by_text("seul moyen").wait_for()
    looked_at(page, "delier")
    page.goto("/compte/logout/")
    page.locator("main").get_by_role("button", name="Se déconnecter").click()
    page.get_by_role("heading", name="Vous êtes déconnecté").wait_for()
    assert page.get_by_text("FranceConnect : vous êtes déconnecté.").is_visible()
    looked_at(page, "deconnexion")


def test_refusal_and_breakdown_leave_the_other_ways(browser_page, providers):
    page = browser_page(width=PHONE)
    page.goto("/federation/franceconnect/")
    page.get_by_role("button", name="Refuser").click()
    page.get_by_role("heading", name="Connexion non aboutie").wait_for()
    looked_at(page, "refus")
    page.get_by_role("link", name="Se connecter autrement").click()
    page.get_by_label("Adresse électronique").wait_for()
    cache.clear()
    providers["franceconnect"].fault(down=True)
    assert page.request.get("/federation/franceconnect/").status == 503


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_member_links_franceconnect_after_a_confirmation(browser_page, providers, width):
    from parvis.core.identity.models import Account

    Account.objects.create_user(
        "camille@courriel.test", PASSWORD, given_name="Camille", family_name="Essai", population="usager"
    )
    page = browser_page(width=width)
    page.goto("/federation/franceconnect/")
    choose(page, page.locator("button[name=login]").first.get_attribute("value"))
    page.get_by_role("link", name="J’ai déjà un compte").click()
    page.get_by_label("Adresse électronique").fill("camille@courriel.test")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter", exact=True).click()
    page.get_by_role("heading", name="Relier FranceConnect à mon compte").wait_for()
    looked_at(page, "relier")
    page.get_by_role("button", name="Relier à mon compte").click()
    page.get_by_text("FranceConnect est relié à votre compte.").wait_for()
    page.get_by_role("link", name="Délier FranceConnect").click()
    page.get_by_role("heading", name="Délier FranceConnect de mon compte").wait_for()
    looked_at(page, "delier-possible")
    page.locator("main").get_by_role("button", name="Délier FranceConnect").click()
    page.get_by_role("heading", name="Déconnexion terminée").wait_for()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_agent_asks_and_the_administration_answers(browser_page, providers, juvignac, agent_client, account_for, width):
    account = account_for(juvignac, "secretaire", given_name="Maël", family_name="Simple")
    account.set_unusable_password()  # with one, its holder would have to log in before linking anything
    account.save()
    page = browser_page(width=width)
    page.goto("/compte/login/")
    page.get_by_role("link", name="S’identifier avec ProConnect").click()
    choose(page, "p.durable")
    page.get_by_role("heading", name="Votre compte doit être activé").wait_for()
    looked_at(page, "agent-en-attente")

    office = browser_page(width=width, client=agent_client(juvignac, "administrateur"))
    office.goto("/o/juvignac/administration/activations/")
    office.get_by_role("heading", name="Paule Durable").wait_for()
    looked_at(office, "file-des-agents")
    photograph_for_guide(office, "administration-agents-proconnect")
    office.get_by_label("Domaine").fill("gmail.com")
    office.get_by_role("button", name="Déclarer ce domaine").click()
    office.get_by_role("alert").wait_for()
    assert_accessible(office)
    office.get_by_label("Domaine").fill("juvignac.test")
    office.get_by_role("button", name="Déclarer ce domaine").click()
    office.get_by_text("Le domaine est déclaré.").wait_for()
    looked_at(office, "domaines")
    photograph_for_guide(office, "administration-domaines", at=office.get_by_role("button", name="Déclarer ce domaine"))
    office.get_by_label("Cet agent est").select_option(label=f"{account.full_name} ({account.email})")
    office.get_by_role("button", name="C’est cet agent").click()
    office.get_by_text("confirmera à sa prochaine connexion").wait_for()

    page.goto("/federation/agent/")
    page.get_by_role("heading", name="Relier ProConnect à votre compte").wait_for()
    looked_at(page, "agent-a-relier")
    page.get_by_role("button", name="Relier et continuer").click()
    page.get_by_text("ProConnect est relié à votre compte").wait_for()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_agent_without_password_confirms_with_proconnect(browser_page, providers, juvignac, agent_client, width):
    proconnect, first = providers["proconnect"], agent_client(juvignac, "secretaire")
    proconnect.log_in(first, "p.durable")
    first.post("/federation/relier/")
    first.account.set_unusable_password()
    first.account.save()
    first.account.authenticator_set.all().delete()
    client = Client()
    proconnect.log_in(client, "p.durable")
    page = browser_page(width=width, client=aged(client))
    page.goto("/mon-compte/securite/confirmer/?next=/bureau/")
    looked_at(page, "confirmer")
    proconnect.fault(session_of=3600)
    page.get_by_role("link", name="Confirmer avec ProConnect").click()
    choose(page, "p.durable")
    page.get_by_role("heading", name="Rien n’est confirmé").wait_for()
    looked_at(page, "rien-de-confirme")
    proconnect.fault()
    page.get_by_role("link", name="Revenir").click()
    page.get_by_role("link", name="Confirmer avec ProConnect").click()
    choose(page, "p.durable")
    page.wait_for_url("**/bureau/")


def test_login_page_on_a_dark_screen(browser_page, providers):
    page = browser_page(width=PHONE, dark=True)
    page.goto("/compte/login/")
    looked_at(page, "connexion-sombre")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_directory_from_its_proposal_to_the_agents_of_the_commune(
    browser_page, server, sandbox, juvignac, agent_client, account_for, width
):
    office = browser_page(width=width, client=agent_client(juvignac, "administrateur"))
    office.goto("/o/juvignac/administration/annuaire/")
    looked_at(office, "annuaire-aucun")
    office.get_by_role("link", name="Proposer l’annuaire").click()
    for label, value in {
        "Émetteur": server.issuer, "Identifiant de la plateforme dans l’annuaire": "parvis",
        "Secret de la plateforme": sandbox.identity["annuaire"]["secret"],
        "Domaines de messagerie des agents": "gmail.com", "Attribut de l’identifiant": "oid",
    }.items():  # fmt: skip
        office.get_by_label(label).fill(value)
    office.get_by_role("button", name="Proposer l’annuaire").click()
    office.get_by_role("alert").wait_for()
    looked_at(office, "annuaire-refuse")
    office.get_by_label("Secret de la plateforme").fill(sandbox.identity["annuaire"]["secret"])
    office.get_by_label("Domaines de messagerie des agents").fill("juvignac-essai.fr")
    office.get_by_role("button", name="Proposer l’annuaire").click()
    office.get_by_text("La proposition est enregistrée").wait_for()
    looked_at(office, "annuaire-propose")
    redirect_uri, after_logout = office.locator("dt:has-text('Adresse de retour') + dd").all_inner_texts()
    client = {"client_id": "parvis", "redirect_uris": [redirect_uri], "post_logout_redirect_uris": [after_logout]}
    server.tell(clients=[client])

    platform = browser_page(width=width, client=as_operator("exploitation@plateforme.test"))
    platform.goto("/plateforme/annuaires/")
    looked_at(platform, "annuaires")
    platform.get_by_role("link", name="Commune de Juvignac").click()
    looked_at(platform, "annuaire-a-approuver")
    platform.get_by_role("button", name="Mettre en service").click()
    platform.get_by_text("est en service").first.wait_for()

    page = browser_page(width=width)
    page.goto("/compte/login/")
    page.get_by_label("Adresse électronique").fill("lou.bureau@juvignac-essai.fr")
    page.get_by_role("button", name="Se connecter", exact=True).click()
    offered = page.get_by_role("link", name="Se connecter par l’annuaire de la commune de Juvignac")
    offered.wait_for()
    looked_at(page, "annuaire-offert")
    offered.click()
    choose(page, "l.bureau")
    page.get_by_text("Votre compte attend ses droits").wait_for()
    looked_at(page, "annuaire-sans-droits")
    page.goto("/federation/mes-identites/")
    looked_at(page, "annuaire-mes-identites")

    office.goto("/o/juvignac/administration/annuaire/")
    office.get_by_text("attend ses droits").wait_for()
    looked_at(office, "annuaire-en-service")
    photograph_for_guide(office, "administration-annuaire")
    for name in ("Suspendre", "Retirer"):
        office.goto("/o/juvignac/administration/annuaire/")
        office.get_by_role("link", name=name, exact=True).click()
        looked_at(office, f"annuaire-{name.lower()}")

    colleague = account_for(juvignac, "secretaire", email="nour.double@juvignac-essai.fr")
    stranger = browser_page(width=width)
    stranger.goto("/compte/login/?next=/o/juvignac/")
    stranger.get_by_role("link", name="Se connecter par l’annuaire").click()
    choose(stranger, "n.double")
    stranger.get_by_role("heading", name="Un compte a déjà cette adresse").wait_for()
    looked_at(stranger, "annuaire-compte-connu")
    stranger.get_by_role("link", name="Me connecter et relier").click()
    stranger.get_by_label("Adresse électronique").fill(colleague.email)
    stranger.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    stranger.get_by_role("button", name="Se connecter", exact=True).click()
    stranger.get_by_role("heading", name="Relier l’annuaire à mon compte").wait_for()
    looked_at(stranger, "annuaire-relier")
    stranger.get_by_role("button", name="Relier à mon compte").click()
    stranger.get_by_text("ouvre désormais votre compte").wait_for()
