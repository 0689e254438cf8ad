"""The look of two communes, the editor and its preview, on a phone and on a desk."""

import pytest

from parvis.core.branding.models import BrandingVersion
from parvis.core.organisations.tenancy import acting_for
from tests.core.branding.drawing import LOGO, picture
from tests.e2e.browser import DESK, PHONE, SCREENSHOTS, assert_accessible, assert_fits, screenshot

BASE = "/o/juvignac/administration/charte/"


@pytest.fixture
def looks(juvignac, fabregues):
    from parvis_demo.looks import dress

    dress("juvignac", "fabregues")
    for organisation in (juvignac, fabregues):
        organisation.refresh_from_db()


@pytest.mark.parametrize(("width", "dark"), [(PHONE, False), (DESK, False), (DESK, True), (PHONE, True)])
def test_two_communes_are_recognised_at_a_glance(browser_page, looks, width, dark):
    page = browser_page(width=width, dark=dark)
    seen = []
    for slug in ("juvignac", "fabregues"):
        page.goto(f"/p/{slug}/")
        screenshot(page, f"charte-{slug}{'-nuit' if dark else ''}")
        assert_fits(page)
        assert_accessible(page)
        shown = page.locator(".site-brand .logo")
        assert shown.evaluate("i => i.complete && i.naturalWidth > 0")
        hero = page.locator(".hero")
        words = page.locator(".hero h1").bounding_box()
        image = hero.evaluate("h => getComputedStyle(h, '::after').backgroundImage")
        assert "/charte/" in image
        seen.append((shown.get_attribute("src"), hero.evaluate("h => getComputedStyle(h).backgroundImage"), image))
        assert words["x"] >= 0
    assert all(one != other for one, other in zip(*seen, strict=True))


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_login_and_desk_wear_the_look(browser_page, looks, juvignac, agent_client, width):
    page = browser_page(width=width)
    page.goto("/compte/login/?next=/p/juvignac/")
    screenshot(page, "charte-connexion")
    assert page.locator(".plain-header .logo").count() == 1
    assert_fits(page)
    assert_accessible(page)
    desk = browser_page(width=width, client=agent_client(juvignac, "secretaire"))
    desk.goto("/bureau/")
    screenshot(desk, "charte-bureau")
    assert_fits(desk)
    assert_accessible(desk)


def test_an_administrator_draws_looks_and_publishes(browser_page, juvignac, agent_client):
    page = browser_page(width=DESK, client=agent_client(juvignac, "administrateur"))
    page.goto(BASE)
    assert_fits(page)
    assert_accessible(page)
    page.get_by_label("Couleur principale").fill("#f0a000")
    page.get_by_text("Mesurés sur les couleurs que vous choisissez").wait_for()
    page.get_by_role("complementary").get_by_text("est trop pâle").wait_for()
    assert_accessible(page)
    page.get_by_label("Mot d’accueil").fill("Bienvenue à Juvignac.")
    page.get_by_label("Logo (facultatif)", exact=True).set_input_files(
        {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO}
    )
    page.get_by_label("Image d’en-tête (facultatif)", exact=True).set_input_files(
        {"name": "mairie.jpg", "mimeType": "image/jpeg", "buffer": picture("JPEG")}
    )
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    page.get_by_role("alert").wait_for()
    screenshot(page, "charte-refus")
    assert_fits(page)
    assert_accessible(page)
    assert page.get_by_label("Mot d’accueil").input_value() == "Bienvenue à Juvignac."
    page.get_by_role("main").get_by_role("button", name="Prendre #").first.click()
    page.get_by_text("Mesurés sur les couleurs que vous choisissez").wait_for()
    assert page.get_by_label("Couleur principale").input_value() != "#f0a000", "the button fills the field"
    assert page.get_by_role("complementary").get_by_text("insuffisant").count() == 0
    with acting_for(juvignac):
        assert not BrandingVersion.objects.filter(state="brouillon").exists(), "and saves nothing"
    page.get_by_role("button", name="Enregistrer le brouillon").click()

    page.get_by_role("heading", name="Version 2").wait_for()
    page.wait_for_load_state("networkidle")
    screenshot(page, "charte-apercu")
    assert_fits(page)
    assert_accessible(page)
    words = {"accueil": "Bienvenue à Juvignac", "bureau": "Mon bureau", "message": "Votre demande"}
    for sample, said in words.items():
        inside = page.locator(f"section:has(#apercu-{sample}) iframe").element_handle().content_frame()
        inside.wait_for_load_state()
        assert said in inside.evaluate("document.body.innerText"), sample
    page.locator("section:has(#apercu-message) iframe").screenshot(path=SCREENSHOTS / f"charte-message-{DESK}.png")
    page.get_by_role("button", name="Publier la charte").click()
    page.get_by_text("La version 2 est en ligne.").wait_for()
    screenshot(page, "charte-versions")
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("link", name="Version 1").click()
    page.get_by_role("button", name="Remettre en ligne").click()
    page.get_by_text("de nouveau en ligne, sous le numéro 3").wait_for()
    with acting_for(juvignac):
        assert BrandingVersion.objects.get(state="publiee").restored_from == 1


def test_the_whole_editor_works_without_scripts(browser_page, juvignac, agent_client):
    page = browser_page(client=agent_client(juvignac, "administrateur"), scripts=False)
    page.goto(BASE)
    page.get_by_label("Signature").fill("La mairie")
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    page.get_by_role("button", name="Publier la charte").click()
    page.get_by_text("La version 2 est en ligne.").wait_for()
    juvignac.refresh_from_db()
    assert juvignac.look["signature"] == "La mairie"


def test_an_svg_opened_by_itself_can_do_nothing(browser_page, looks, juvignac):
    page = browser_page()
    page.goto("/p/juvignac/")
    address = page.locator(".site-brand .logo").get_attribute("src")
    response = page.goto(address)
    assert response.headers["content-security-policy"].startswith("sandbox")
    assert page.evaluate("location.origin !== self.origin")
