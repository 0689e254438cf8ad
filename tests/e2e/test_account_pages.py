"""A citizen's account in a real browser: opened, filled in, exported, deleted, without JavaScript, in two liveries."""

import pytest

from parvis.core.identity import closing, duplicates, profile
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from tests.core.identity.life import PASSWORD, browser_of, citizen, link_in
from tests.e2e.browser import DESK, PHONE, check_both_sizes, photograph_for_guide

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "lea.exemple@exemple.test"


def seen(page, name: str) -> None:
    check_both_sizes(page, f"compte-{name}")


@pytest.mark.parametrize(("width", "commune"), [(PHONE, "juvignac"), (DESK, "fabregues")])
def test_a_citizen_lives_a_whole_account_without_javascript(
    browser_page, juvignac, fabregues, run_jobs, mailoutbox, width, commune
):
    page = browser_page(width=width, scripts=False)
    page.goto(f"/inscription/?commune={commune}&next=/mon-compte/profil/")
    page.get_by_label("Adresse électronique").fill("camille@exеmple.test")  # with a Cyrillic letter
    page.get_by_role("button", name="Recevoir le lien").click()
    assert page.get_by_text("plusieurs alphabets").first.is_visible()
    page.get_by_label("Adresse électronique").fill(NEW)
    page.get_by_role("button", name="Recevoir le lien").click()
    page.wait_for_url("**/inscription/envoye/**")
    run_jobs()

    page.goto(link_in(mailoutbox[-1]))
    page.get_by_label("Prénoms").fill("Léa, Marie")
    page.get_by_label("Nom de naissance").fill("d’Exemple")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_label("Mot de passe, une seconde fois").fill(PASSWORD)
    page.get_by_role("button", name="Ouvrir mon compte").click()
    page.wait_for_url("**/mon-compte/profil/")
    page.get_by_label("Date de naissance").fill("24/08/1962")
    page.get_by_label("Téléphone mobile").fill("06 12 34 56 78")
    page.get_by_role("button", name="Enregistrer mon profil").click()
    page.wait_for_url("**/mon-compte/")
    assert page.get_by_text("24/08/1962").is_visible()

    page.goto("/mon-compte/donnees/")
    page.get_by_role("button", name="Préparer l’export").click()
    page.get_by_text("Export en préparation").wait_for()
    run_jobs()
    page.goto("/mon-compte/donnees/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Votre compte").click()
    assert download.value.suggested_filename == "mes-donnees-compte.zip"

    page.goto("/mon-compte/suppression/")
    page.get_by_role("button", name="Recevoir le lien de suppression").click()
    page.wait_for_url("**/mon-compte/")
    run_jobs()
    page.goto(link_in(mailoutbox[-1]))
    page.get_by_role("button", name="Supprimer mon compte").click()
    page.wait_for_url("**/attestation/")
    run_jobs()
    page.reload()
    assert page.get_by_text("SUP-").is_visible()
    page.goto("/mon-compte/")
    assert "/compte/login" in page.url
    assert not Account.objects.filter(email=NEW).exists()


def test_the_pages_of_an_account_are_accessible(browser_page, juvignac, run_jobs, mailoutbox):
    visitor = browser_page(width=PHONE)
    for name, address in {
        "inscription": "/inscription/?commune=juvignac",
        "inscription-envoye": "/inscription/envoye/",
        "lien-inconnu": "/inscription/inconnu/",
    }.items():
        visitor.goto(address)
        seen(visitor, name)
    visitor.goto("/inscription/?commune=juvignac")
    visitor.get_by_label("Adresse électronique").fill(NEW)
    visitor.get_by_role("button", name="Recevoir le lien").click()
    visitor.wait_for_url("**/envoye/**")
    run_jobs()
    visitor.goto(link_in(mailoutbox[-1]))
    seen(visitor, "inscription-nom")
    visitor.get_by_role("button", name="Ouvrir mon compte").click()
    visitor.get_by_role("alert").wait_for()
    seen(visitor, "inscription-erreurs")

    account = citizen(commune=juvignac)
    audit("manager.user.activation", account=account, organisation=juvignac)  # Juvignac answers for it: its own archive
    profile.declare(account, {"telephone_mobile": "06 12 34 56 78"})
    profile.set_verified(account, "nom_naissance", "ESSAI", "franceconnect")
    profile.set_verified(account, "naissance_date", "1962-08-00", "franceconnect")
    audit("user.login", account=account, method="password")
    audit("user.login.failure", account=account, outcome="failure")
    page = browser_page(width=PHONE, client=browser_of(account))
    for name, address in {
        "accueil": "/mon-compte/",
        "profil": "/mon-compte/profil/",
        "evenements": "/mon-compte/evenements/",
        "adresse": "/mon-compte/adresse/",
        "donnees": "/mon-compte/donnees/",
        "suppression": "/mon-compte/suppression/",
    }.items():
        page.goto(address)
        seen(page, name)
    page.goto("/mon-compte/donnees/")
    page.get_by_role("button", name="Préparer l’export").click()
    page.get_by_text("Export en préparation").wait_for()
    seen(page, "donnees-en-cours")
    run_jobs()
    page.get_by_role("link", name="Votre compte").wait_for()  # the progress asks again by itself
    seen(page, "donnees-pretes")

    holds = lambda who: [closing.Hold("Demande de place en crèche", "Commune de Juvignac")]  # noqa: E731
    closing.register_hold(holds)
    try:
        page.goto("/mon-compte/suppression/")
        seen(page, "suppression-refusee")
    finally:
        closing.unregister_hold(holds)
    page.goto("/mon-compte/suppression/")
    page.get_by_role("button", name="Recevoir le lien de suppression").click()
    page.wait_for_url("**/mon-compte/")
    run_jobs()
    page.goto(link_in(mailoutbox[-1]))
    seen(page, "suppression-confirmer")
    page.get_by_role("button", name="Supprimer mon compte").click()
    page.wait_for_url("**/attestation/")
    seen(page, "attestation-en-cours")
    run_jobs()
    page.reload()
    seen(page, "attestation")


def test_the_pages_of_administrators_are_accessible(browser_page, juvignac, account_for, agent_client):
    twin = {"given_name": "Dominique", "family_name": "Jumeau"}
    agent = account_for(juvignac, "secretaire", **twin)
    account_for(juvignac, "dgs", **twin)
    duplicates.look_for()
    client = agent_client(juvignac, "administrateur")
    Account.objects.filter(pk=client.account.pk).update(is_platform_administrator=True)
    page = browser_page(width=DESK, client=client)
    for name, address in {
        "comptes": "/o/juvignac/administration/comptes/",
        "second-facteur-par-page": "/o/juvignac/administration/second-facteur/",
        "suspendre": f"/o/juvignac/administration/comptes/{agent.pk}/suspendre/",
        "doublons": "/plateforme/doublons/",
    }.items():
        page.goto(address)
        seen(page, name)
    page.goto("/o/juvignac/administration/comptes/")
    photograph_for_guide(page, "administration-comptes")
