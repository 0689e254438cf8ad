"""Every component, in every state, without an accessibility fault: desk and phone, day and night."""

import pytest

from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, screenshot

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_components_are_accessible(browser_page, width, dark):
    page = browser_page(width=width, dark=dark)
    page.goto("/composants/")
    screenshot(page, f"composants-{'dark' if dark else 'light'}")
    assert_fits(page)
    assert_accessible(page)


def test_route_turns_vertical_on_a_phone(browser_page):
    def tops(width: int) -> list[float]:
        page = browser_page(width=width)
        page.goto("/composants/")
        steps = page.locator("ol[aria-label='Cheminement de l’acte'] > li")
        return [steps.nth(i).bounding_box()["y"] for i in range(steps.count())]

    assert len(set(tops(DESK))) == 1
    phone = tops(PHONE)
    assert phone == sorted(phone)
    assert len(set(phone)) == len(phone)


def test_skip_link_is_the_first_stop_and_leads_to_the_content(browser_page):
    page = browser_page()
    page.goto("/composants/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenu"


def test_every_target_is_at_least_24_pixels_high(browser_page):
    page = browser_page(width=PHONE)
    page.goto("/composants/")
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, .btn, summary, select, input, nav a')]
            .filter(e => e.offsetParent && !e.matches('[type=hidden]'))
            .filter(e => e.getBoundingClientRect().height < 24)
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert small == []


def test_gallery_reads_without_javascript(browser_page):
    page = browser_page(scripts=False)
    page.goto("/composants/")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Convention de gestion")
    assert page.get_by_role("button", name="Transmettre à la préfecture").is_visible()
