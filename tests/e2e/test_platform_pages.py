"""The pages of the platform itself: login with a second factor, desk, administration, errors, statements."""

import time

import pytest

from tests.conftest import PASSWORD
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, screenshot

pytestmark = pytest.mark.django_db(transaction=True)

OPEN_PAGES = {
    "accueil": "/",
    "commune": "/p/juvignac/",
    "connexion": "/compte/login/",
    "mot-de-passe-oublie": "/compte/password/reset/",
    "accessibilite": "/accessibilite/",
    "mentions": "/mentions-legales/",
    "introuvable": "/n-existe-pas/",
}


@pytest.mark.parametrize(("width", "dark"), [(PHONE, False), (PHONE, True), (DESK, False)])
def test_pages_for_everybody_are_accessible(browser_page, juvignac, width, dark):
    page = browser_page(width=width, dark=dark)
    for name, address in OPEN_PAGES.items():
        page.goto(address)
        screenshot(page, f"{name}-nuit" if dark else name)
        assert_fits(page)
        assert_accessible(page)


def _one_task(organisation, account):
    from datetime import timedelta

    from parvis.core import clock
    from parvis.core.ids import uuid7
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.routing.services import open_task

    with acting_for(organisation):
        open_task(
            organisation,
            service="administration",
            verb="Relire",
            title="Relire la liste des mandats",
            summary="Avant la séance d’installation",
            permission="administration.organisation",
            path="/o/juvignac/administration/personnes/",
            subject=("mandat", uuid7()),
            assignee=account,
            deadline=clock.now() - timedelta(days=2),
            deadline_rule="Liste à jour avant la séance",
        )


def test_agent_logs_in_with_a_password_then_a_code_and_does_what_awaits(browser_page, juvignac, agent_client):
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    account = agent_client(juvignac, "administrateur").account
    _one_task(juvignac, account)
    page = browser_page()
    page.goto("/bureau/")
    page.get_by_label("Adresse électronique").fill(account.email)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("heading", name="Second facteur").wait_for()
    assert_accessible(page)
    secret = get_adapter().decrypt(account.authenticator_set.get(type=Authenticator.Type.TOTP).data["secret"])
    page.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("heading", name="Mon bureau").wait_for()
    assert page.get_by_text("En retard").first.is_visible()
    page.get_by_role("link", name="Relire : Relire la liste des mandats").click()
    page.get_by_role("heading", name="Personnes et mandats").wait_for()


def test_wrong_password_says_so_next_to_the_form_and_keeps_the_address(browser_page, juvignac, account_for):
    account = account_for(juvignac, "secretaire")
    page = browser_page(width=PHONE)
    page.goto("/compte/login/")
    page.get_by_label("Adresse électronique").fill(account.email)
    page.get_by_label("Mot de passe", exact=True).fill("ce n’est pas lui")
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Adresse électronique").input_value() == account.email
    assert_accessible(page)


def test_each_commune_wears_its_own_colour(browser_page, juvignac, fabregues):
    page = browser_page()
    seen = []
    for slug in ("juvignac", "fabregues"):
        page.goto(f"/p/{slug}/")
        seen.append(page.locator(".crest").evaluate("e => getComputedStyle(e).backgroundColor"))
    assert seen == ["rgb(122, 46, 93)", "rgb(11, 92, 99)"]


def test_rail_is_at_the_foot_of_a_phone(browser_page, juvignac, agent_client):
    page = browser_page(width=PHONE, client=agent_client(juvignac, "administrateur"))
    page.goto("/bureau/")
    box = page.get_by_role("navigation", name="Services").bounding_box()
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    page.locator("summary", has_text="Mon compte").click()  # what is less daily is in the person's menu
    page.get_by_role("link", name="Organisation").click()
    page.get_by_role("heading", name="Commune de Juvignac").wait_for()


def test_new_administrator_must_set_up_a_second_factor_before_anything_else(browser_page, juvignac, account_for):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    account = account_for(juvignac, "administrateur")
    page = browser_page(width=PHONE)
    page.goto("/compte/login/")
    page.get_by_label("Adresse électronique").fill(account.email)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_text("Choisissez un second facteur").wait_for()
    assert_accessible(page)
    page.goto("/bureau/")
    page.get_by_text("Choisissez un second facteur").wait_for()
    page.get_by_role("link", name="Activer l’application").click()
    page.get_by_role("heading", name="Activer le second facteur").wait_for()
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, "second-facteur-activation")
    secret = page.locator("main code").inner_text()
    page.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Activer").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    assert_accessible(page)
    screenshot(page, "codes-de-secours")
    page.goto("/bureau/")
    page.get_by_role("heading", name="Mon bureau").wait_for()


def test_forgotten_password_is_chosen_anew_from_the_link_received(
    browser_page, juvignac, account_for, mailoutbox, run_jobs
):
    import re

    account = account_for(juvignac, "secretaire")
    page = browser_page()
    page.goto("/compte/password/reset/")
    page.get_by_label("Adresse électronique").fill(account.email)
    page.get_by_role("button", name="Recevoir le lien").click()
    page.get_by_role("heading", name="Message envoyé").wait_for()
    assert_accessible(page)
    run_jobs()
    link = re.search(r"https?://[^/\s]+(/compte/password/reset/key/\S+)", mailoutbox[-1].body).group(1)
    page.goto(link)
    page.get_by_label("Nouveau mot de passe").first.fill("vélo cuivre nuage tambour ravin hibou lanterne")
    page.locator("input[type=password]").nth(1).fill("vélo cuivre nuage tambour ravin hibou lanterne")
    assert_accessible(page)
    page.get_by_role("button", name="Enregistrer le mot de passe").click()
    page.get_by_role("heading", name="Mot de passe changé").wait_for()
    account.refresh_from_db()
    assert account.check_password("vélo cuivre nuage tambour ravin hibou lanterne")
