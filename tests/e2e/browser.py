"""A real browser for tests: Chromium through Playwright, axe-core for accessibility, photographs for people.

``browser_page(width=…, dark=…)`` opens a page under the project's own content policy. Whatever the browser
complains of (a refused script, a missing file, an exception) fails the test at its end.
"""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.e2e import visits

PROJECT = Path(__file__).resolve().parents[2]
AXE = PROJECT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = PROJECT / "var" / "screenshots"
GUIDE = PROJECT / "docs" / "images" / "guides"
WRITES_GUIDE = os.environ.get("PARVIS_WRITE_GUIDE") == "1"
PHONE, DESK = 390, 1400
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Playwright's synchronous interface keeps an event loop in the test's thread, where Django refuses to work.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

OpenPage = Callable[..., Page]


def chromium_path() -> str | None:
    """Where Chromium is: ``CHROMIUM``, else the system's."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")  # no longer: its event loop would stand in the way of tests that run their own
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed (bin/setup installs it where it may)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: Browser, live_server) -> Iterator[OpenPage]:
    """``browser_page(width=390, dark=True, client=…)`` -> a page; ``client`` lends its session.

    Addresses are relative: ``page.goto("/composants/")``.
    """
    complaints: list[str] = []
    contexts = []

    def open_page(*, width: int = DESK, dark: bool = False, client: Client | None = None, scripts: bool = True) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale="fr-FR",
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
        )
        contexts.append(context)
        if client is not None:
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "response",
            lambda r: "/static/" in r.url and r.status >= 400 and complaints.append(f"{r.status} {r.url}"),
        )
        page.set_default_timeout(15_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A page that is missing on purpose makes the browser say so.
    complaints = [c for c in complaints if "status of 4" not in c]
    assert not complaints, f"the browser complained: {complaints}"


def assert_accessible(page: Page, *, within: str = "") -> None:
    """Fail on any violation that axe-core finds in the page (or under the selector ``within``).

    The check is evaluated by the debugger, so the page's own content policy stays in force.
    """
    if not AXE.exists():
        pytest.skip("axe-core is not installed (bin/setup)")
    if not within:
        _remember(page)
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text())
    results = page.evaluate(
        "([within, tags]) => axe.run(within || document, {runOnly: tags, resultTypes: ['violations']})",
        [within, AXE_TAGS],
    )
    found = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n"
        + "\n".join(f"    {node['html'][:160]}\n      {node['failureSummary']}" for node in violation["nodes"][:4])
        for violation in results["violations"]
    ]
    assert not found, f"{page.url}\n" + "\n".join(found)


def _remember(page: Page) -> None:
    with suppress(Resolver404):  # a page of another site
        visits.remember(resolve(urlsplit(page.url).path).route, page.viewport_size["width"])


def by_keyboard(target: Locator, *, write: str = "") -> None:
    """Go to ``target`` with the tab key alone, then follow it to its page, or ``write`` in it (RGAA 12.8, 12.9)."""
    page = target.page
    for _ in range(150):
        if target.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError(f"the tab key never comes to {target}")
    if write:
        page.keyboard.type(write)
        return
    with page.expect_navigation():
        page.keyboard.press("Enter")


def assert_one_title(page: Page) -> None:
    """Fail unless the page has one first-level title, once it has come: a click ends when the address changes."""
    expect(page.locator("h1"), page.url).to_have_count(1)


def assert_fits(page: Page) -> None:
    """Fail when the page is wider than the screen: nobody should have to scroll sideways (RGAA 10.11)."""
    page.wait_for_load_state("load")
    excess = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert excess <= 0, f"{page.url} is {excess} px wider than the screen"


def screenshot(page: Page, name: str) -> Path:
    """Photograph the whole page into ``var/screenshots/<name>-<width>.png``; not under CI, where nobody looks."""
    path = SCREENSHOTS / f"{name}-{page.viewport_size['width']}.png"
    if os.environ.get("CI") != "true":
        page.screenshot(path=path, full_page=True)
    return path


def check(page: Page, name: str = "") -> None:
    """What every page owes: one title, no overflow, no accessibility fault; photographed under ``name``."""
    assert_one_title(page)
    assert_fits(page)
    if name:
        screenshot(page, name)
    assert_accessible(page)


def check_both_sizes(page: Page, name: str) -> None:
    """``check`` on a phone then on a desk, where the page is left."""
    for width in (PHONE, DESK):
        page.set_viewport_size({"width": width, "height": 844 if width == PHONE else 900})
        check(page, name)


def photograph_for_guide(page: Page, name: str, *, at: Locator | None = None) -> None:
    """With ``PARVIS_WRITE_GUIDE=1``, keep the desk's view in ``docs/images/guides`` when a guide names the picture.

    The view is that of the top of the page, or shows ``at``.
    """
    file = GUIDE / f"{name}.png"
    named = any(file.name in text.read_text() for text in (PROJECT / "docs" / "guides").glob("*.md"))
    if not (WRITES_GUIDE and named and page.viewport_size["width"] == DESK):
        return
    page.set_viewport_size({"width": 1100, "height": 760})
    if at is not None:
        at.scroll_into_view_if_needed()
    image = Image.open(io.BytesIO(page.screenshot())).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    page.set_viewport_size({"width": DESK, "height": 900})
    GUIDE.mkdir(parents=True, exist_ok=True)
    image.save(file, optimize=True)
    assert file.stat().st_size <= 150 * 1024
