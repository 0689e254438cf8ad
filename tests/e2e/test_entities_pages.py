"""Companies and associations of a person in a real browser: added, acted for, ended, without JavaScript.

With ``PARVIS_WRITE_GUIDE=1`` the photograph that the guide shows is written to ``docs/images/guides``.
"""

import os
from pathlib import Path

import pytest

from parvis.core.entities import services
from tests.core.identity.life import browser_of, citizen
from tests.e2e.browser import DESK, PHONE, check

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = Path(__file__).resolve().parents[2] / "docs/images/guides"


def seen(page, name: str, scripts: bool) -> None:
    """What every page owes: one title, no overflow, no accessibility fault, a photograph."""
    page.wait_for_load_state("load")
    if not scripts:  # axe is a script
        return
    check(page, f"organismes-{name}")


@pytest.mark.parametrize(("width", "scripts"), [(PHONE, True), (DESK, True), (DESK, False)])
def test_a_person_declares_an_entity_acts_for_it_and_ends_it(browser_page, juvignac, width, scripts):
    account = citizen(commune=juvignac)
    siret = "55210055400013"
    services.told_by_proconnect(account, siret, name="Atelier d’essai", checked=True, issuer="https://pc.test")
    name = "Association pour la sauvegarde et la mise en valeur du patrimoine des étangs et des garrigues"
    services.declare(account, "W341000123", kind="association", name=name, role="benevole")
    page = browser_page(width=width, client=browser_of(account), scripts=scripts)
    page.goto("/mon-compte/entreprises/ajouter/")
    seen(page, "ajouter", scripts)
    page.get_by_label("SIRET, ou numéro RNA").fill("732 829 320 0007")
    page.get_by_label("Nom de l’organisme").fill("Négoce d’Oc")
    page.get_by_role("button", name="Ajouter cet organisme").click()
    assert page.get_by_text("vous en avez saisi 13").first.is_visible()
    seen(page, "ajouter-erreur", scripts)
    page.get_by_label("SIRET, ou numéro RNA").fill("732 829 320 00074")
    page.get_by_label("Votre rôle").select_option("Salarié habilité")
    page.get_by_role("button", name="Ajouter cet organisme").click()
    page.wait_for_url("**/mon-compte/entreprises/")
    assert page.get_by_text("vérifié par ProConnect").first.is_visible()
    seen(page, "liste", scripts)
    if os.environ.get("PARVIS_WRITE_GUIDE") and (width, scripts) == (DESK, True):
        page.screenshot(path=GUIDE / "usager-entreprises.png", full_page=True)

    page.goto("/espace/")
    seen(page, "espace", scripts)
    page.get_by_label("J’agis pour").select_option(label="Négoce d’Oc (déclaré)")
    page.get_by_role("button", name="Changer").click()
    page.wait_for_url("**/espace/")
    assert page.get_by_text("Vous agissez pour Négoce d’Oc").first.is_visible()
    seen(page, "espace-agir", scripts)

    page.goto("/mon-compte/entreprises/")
    page.get_by_role("link", name="Modifier Négoce d’Oc").click()
    seen(page, "modifier", scripts)
    page.goto("/mon-compte/entreprises/")
    page.get_by_role("link", name="Terminer mon rôle chez Négoce d’Oc").click()
    seen(page, "terminer", scripts)
    page.get_by_role("button", name="Terminer ce rôle").click()
    assert page.get_by_role("heading", name="Rôles terminés").is_visible()
    assert not page.get_by_text("Vous agissez pour Négoce d’Oc").is_visible()
    seen(page, "liste-terminee", scripts)
