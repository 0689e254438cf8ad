"""Security pages in a real browser: passkeys of a virtual authenticator, step-up, live criteria, end of session."""

import time

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from parvis.core.authentication import sessions
from parvis.core.identity.models import Account, SecurityEvent
from parvis.core.organisations.tenancy import identity_of
from tests.conftest import PASSWORD
from tests.e2e.browser import assert_accessible, by_keyboard, check_both_sizes, photograph_for_guide, screenshot

SECURITY = "/mon-compte/securite/"
ACT = "/o/juvignac/actes/0197c0de-0000-7000-8000-000000000000/transmettre/"


def look(page, name):
    """Check and photograph the page at both sizes, for its guide too."""
    check_both_sizes(page, name)
    photograph_for_guide(page, f"administration-{name}")


def authenticator(page):
    """Give the browser a device that verifies its holder (WebAuthn, discoverable credentials)."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    name = client.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return client, name


def log_in(page, account):
    page.goto("/compte/login/")
    by_keyboard(page.get_by_label("Adresse électronique"), write=account.email)
    by_keyboard(page.get_by_label("Mot de passe", exact=True), write=PASSWORD)
    by_keyboard(page.get_by_role("button", name="Se connecter", exact=True))


def log_out(page):
    page.goto("/compte/logout/")
    page.get_by_role("main").get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/")


def with_passkey(page, account):
    log_in(page, account)
    page.wait_for_url("**/bureau/")
    device = authenticator(page)
    page.goto(SECURITY)
    page.get_by_role("link", name="Ajouter une clé d’accès").click()
    page.get_by_role("heading", name="Ajouter une clé d’accès").wait_for()
    page.get_by_label("Nom de cette clé").fill("Ordinateur du secrétariat")
    return device


@pytest.fixture
def account(account_for, juvignac):
    return account_for(juvignac, "secretaire")


def test_a_passkey_is_added_then_opens_the_account_alone_and_proves_a_fresh_identity(browser_page, account):
    page = browser_page()
    page.goto("/compte/login/")
    look(page, "connexion")
    with_passkey(page, account)
    look(page, "cle-acces-ajout")
    page.get_by_role("button", name="Continuer sur mon appareil").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    look(page, "codes-de-secours")
    page.goto(SECURITY)
    expect(page.get_by_text("Ordinateur du secrétariat").first).to_be_visible()
    look(page, "securite")

    log_out(page)
    page.goto("/compte/login/")
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    page.wait_for_url("**/bureau/")

    log_out(page)
    log_in(page, account)
    page.get_by_role("heading", name="Second facteur").wait_for()
    look(page, "second-facteur-cle")
    page.get_by_role("button", name="Continuer avec ma clé d’accès").click()
    page.wait_for_url("**/bureau/")

    _grow_old(page)
    page.goto("/compte/mfa/totp/activate/")
    page.get_by_role("heading", name="Confirmer votre identité").wait_for()
    look(page, "confirmer-identite")
    page.get_by_role("button", name="Confirmer avec ma clé d’accès").click()
    page.get_by_role("heading", name="Activer le second facteur").wait_for()
    look(page, "second-facteur-activation")


def _grow_old(page):
    """Make the proofs of this browser's session an hour older."""
    from django.contrib.sessions.backends.db import SessionStore

    key = next(c["value"] for c in page.context.cookies() if c["name"] == "sessionid")
    store = SessionStore(key)
    store["account_authentication_methods"] = [
        {**record, "at": time.time() - 3600} for record in store["account_authentication_methods"]
    ]
    store.save()
    assert Session.objects.filter(pk=key).exists()


def test_a_copied_passkey_is_refused_and_logged(browser_page, account):
    page = browser_page()
    with_passkey(page, account)
    page.get_by_role("button", name="Continuer sur mon appareil").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    key = account.authenticator_set.get(type="webauthn")
    key.data["sign_count"] = 1_000_000
    key.save()
    log_out(page)
    page.goto("/compte/login/")
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    page.get_by_text("Ce code n’est pas le bon").wait_for()
    page.goto("/bureau/")
    page.get_by_role("heading", name="Se connecter").wait_for()
    with identity_of(account.pk):
        failure = SecurityEvent.objects.get(account=account, event="user.mfa.failure")
    assert failure.data == {"reason": "counter"}


def test_a_device_that_gives_up_says_so_in_french(browser_page, account):
    page = browser_page()
    client, device = with_passkey(page, account)
    client.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Continuer sur mon appareil").click()
    expect(page.get_by_role("alert")).to_contain_text("n’a pas répondu", timeout=70_000)
    assert not account.authenticator_set.exists()


def test_everything_but_passkeys_works_without_javascript(browser_page, agent_client, juvignac):
    from tests.core.authentication.test_assurance import code_of

    account = agent_client(juvignac, "secretaire").account
    page = browser_page(scripts=False)
    log_in(page, account)
    expect(page.get_by_role("button", name="Continuer avec ma clé d’accès")).to_have_count(0)
    page.get_by_label("Code").fill(code_of(account))
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/bureau/")
    page.goto("/compte/password/change/")
    page.locator("#id_oldpassword").fill(PASSWORD)
    page.locator("#id_password1").fill("azertyuiop12")
    page.locator("#id_password2").fill("azertyuiop12")
    page.get_by_role("button", name="Changer de mot de passe").click()
    expect(page.get_by_role("alert")).to_contain_text("Il manque")


def test_criteria_follow_what_is_typed(browser_page, agent_client, juvignac):
    page = browser_page(client=agent_client(juvignac, "secretaire"))
    page.goto("/compte/password/change/")
    page.locator("#id_password1").press_sequentially("bonjour")
    expect(page.get_by_text("14 caractères au moins")).to_contain_text("il manque")
    page.locator("#id_password1").fill("vélo cuivre nuage tambour ravin hibou lanterne")
    expect(page.get_by_text("14 caractères au moins")).to_contain_text("c’est fait")
    look(page, "mot-de-passe-criteres")


def test_the_end_of_the_session_is_announced_and_put_off_with_one_click(
    browser_page, agent_client, juvignac, monkeypatch
):
    monkeypatch.setattr(sessions, "AGENT", sessions.Limits(122, 36000, 5))
    page = browser_page(client=agent_client(juvignac, "secretaire"))
    page.goto(SECURITY)
    dialog = page.get_by_role("dialog", name="Votre session va se fermer")
    dialog.wait_for(timeout=20_000)
    assert_accessible(page)
    screenshot(page, "session-avertissement")
    with page.expect_response("**/prolonger/") as answer:
        dialog.get_by_role("button", name="Rester connecté").click()
    assert answer.value.status == 204
    dialog.wait_for(state="hidden")


def test_the_other_pages_of_security(browser_page, agent_client, juvignac):
    lost = agent_client(juvignac, "secretaire", given_name="Farid", family_name="Bonnaud").account
    administrator = agent_client(juvignac, "administrateur")
    page = browser_page(client=administrator)
    page.goto("/mon-compte/securite/appareils/")
    page.get_by_role("heading", name="Mes appareils").wait_for()
    look(page, "appareils")
    page.goto("/o/juvignac/administration/second-facteur/")
    look(page, "second-facteur")
    page.get_by_role("link", name=f"Facteur perdu : {lost.full_name}").click()
    look(page, "second-facteur-perdu")
    page.get_by_label("Motif").fill("Téléphone perdu")
    page.get_by_role("button", name="Demander la remise à zéro").click()
    page.get_by_text("La demande est transmise").wait_for()
    theirs = browser_page(client=agent_client(juvignac, "secretaire"))
    theirs.goto(SECURITY)
    theirs.get_by_role("button", name="Ce n’est pas moi").wait_for()
    look(theirs, "pas-moi")


def test_an_act_that_engages_the_commune_waits_for_a_second_factor_then_is_taken_up_again(browser_page, account):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    page = browser_page()
    log_in(page, account)
    page.wait_for_url("**/bureau/")
    page.evaluate(
        """([address]) => {
            const form = Object.assign(document.createElement("form"), {method: "post", action: address})
            const token = document.querySelector("[name=csrfmiddlewaretoken]").cloneNode()
            form.append(token)
            document.body.append(form)
            form.submit()
        }""",
        [ACT],
    )
    page.get_by_text("Ce que vous alliez faire engage votre organisation").wait_for()
    look(page, "second-facteur-demande")
    page.get_by_role("link", name="Activer l’application").click()
    secret = page.locator("code").first.inner_text().replace(" ", "")
    code = format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))
    page.get_by_label("Code affiché par l’application").fill(code)
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    look(page, "codes-puis-reprendre")
    page.goto(SECURITY)
    look(page, "second-facteur-pret")
    page.get_by_role("link", name="Reprendre ce que je faisais").click()
    page.get_by_role("button", name="Envoyer maintenant").wait_for()
    look(page, "reprendre")


def test_an_operator_adds_a_passkey_and_nothing_else_opens_the_platform(browser_page, db):
    operator = Account.objects.create_user(
        "exploitation@metropole.test",
        PASSWORD,
        given_name="Opé",
        family_name="Rateur",
        population="exploitation",
        is_platform_administrator=True,
    )
    page = browser_page()
    log_in(page, operator)
    page.goto("/plateforme/")
    page.get_by_text("Ajoutez votre clé d’accès").wait_for()
    look(page, "exploitant-cle-demandee")
    authenticator(page)
    page.get_by_role("link", name="Ajouter une clé d’accès").click()
    page.get_by_label("Nom de cette clé").fill("Clé de l’exploitation")
    page.get_by_role("button", name="Continuer sur mon appareil").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    page.goto("/plateforme/")
    page.get_by_role("heading", name="Organisations").first.wait_for()

    log_out(page)
    log_in(page, operator)
    page.get_by_role("heading", name="Second facteur").wait_for()
    page.get_by_label("Code").fill(operator.authenticator_set.get(type="recovery_codes").wrap().get_unused_codes()[0])
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_text("ni mot de passe ni code ne la remplacent").wait_for()
    look(page, "exploitant-cle-seule")
    page.get_by_role("button", name="Confirmer avec ma clé d’accès").click()
    page.wait_for_url("**/bureau/")


def test_the_platform_approves(browser_page, agent_client, juvignac, run_jobs):
    from tests.core.authentication.test_resets import as_operator, ask

    lost = agent_client(juvignac, "secretaire", given_name="Farid", family_name="Bonnaud").account
    ask(agent_client(juvignac, "administrateur"), lost, in_person="on")
    page = browser_page(client=as_operator("exploitation@plateforme.test"))
    page.goto("/plateforme/second-facteur/")
    look(page, "second-facteur-plateforme")
    page.get_by_role("button", name="Approuver").click()
    page.get_by_text("Le second facteur est remis à zéro").wait_for()
    assert not lost.authenticator_set.exists()
