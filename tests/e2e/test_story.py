"""The main job as people do it: from login to open data, in a real browser, with the real worker and the sandbox.

The same demo that a person starts with ``bin/demo --by-hand`` runs beside the browser; the test turns its clock to
the dates of the deliberation. Every page met on the way is checked by axe and must fit a phone and a desk.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from parvis_demo import story
from parvis_demo.stage import set_clock
from tests.conftest import PROJECT
from tests.e2e.browser import DESK, PHONE, check_both_sizes

pytestmark = pytest.mark.timeout(600)
PATIENCE = 60_000  # milliseconds


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    """The running demonstration: its address, its clock, its mailboxes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://localhost:{port}"

    def at(self, instant: datetime) -> None:
        set_clock(self.folder / "clock.json", instant)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("story"), _free_port()
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PARVIS_", "DATABASE_", "DJANGO_", "PYTEST_"))
    }
    output = (folder / "demo.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "parvis_demo", "--by-hand", "--folder", str(folder), "--port", str(port)],
        env={**environment, "PYTHONPATH": str(PROJECT / "src"), "PYTHONUNBUFFERED": "1"},
        stdout=output, stderr=subprocess.STDOUT, cwd=PROJECT,
    )  # fmt: skip
    running = Demo(folder, port)
    deadline = time.monotonic() + 240
    while True:
        try:
            urllib.request.urlopen(f"{running.url}/p/juvignac/", timeout=2)
            break
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError((folder / "demo.log").read_text()[-4000:]) from None
            time.sleep(0.3)
    yield running
    process.terminate()
    process.wait(30)


@pytest.fixture
def person(chromium: Browser, demo: Demo):
    """``person("secretaire")`` -> a page where that invented person has logged in with both factors."""
    contexts = []

    def log_in(role: str) -> Page:
        who = next(p for p in story.PEOPLE if p.role == role)
        context = chromium.new_context(
            base_url=demo.url, viewport={"width": DESK, "height": 900}, locale="fr-FR", reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/bureau/")
        page.fill("input[name=login]", who.email)
        page.fill("input[name=password]", story.PASSWORD)
        check_both_sizes(page, f"story-login-{role}")
        go(page.get_by_role("button", name=re.compile("connecter", re.I)))
        page.fill("input[name=code]", _code())
        go(page.locator("form:has(input[name=code]) button[type=submit]").first)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Mon bureau")
        return page

    yield log_in
    for context in contexts:
        context.close()


def _code() -> str:
    """The second factor that an authenticator application would show now."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return format_hotp_value(hotp_value(story.TOTP_SECRET, int(time.time()) // 30))


def go(target: Locator) -> None:
    """Click what leads to another page and wait until that page has come."""
    with target.page.expect_navigation(wait_until="load"):
        target.click()


def until(page: Page, text: str) -> None:
    """Reload until the page shows ``text``: the work goes on in the background, as for a person who waits."""
    deadline = time.monotonic() + PATIENCE / 1000
    while page.get_by_text(text).count() == 0:
        assert time.monotonic() < deadline, f"« {text} » never came on {page.url}"
        page.wait_for_timeout(500)
        page.reload()


def test_a_deliberation_from_convocation_to_open_data(person, demo: Demo, chromium: Browser):
    when = story.Calendar()

    # The secretary convenes on 24 June, in two clicks.
    demo.at(when.convocation)
    secretary = person("secretaire")
    check_both_sizes(secretary, "story-bureau")
    go(secretary.get_by_role("link", name=re.compile("^Convoquer")).first)
    check_both_sizes(secretary, "story-seance-preparation")
    assert "mardi 25 juin 2019" in secretary.locator("main").inner_text().replace("\u00a0", " ")
    go(secretary.get_by_role("link", name="Convoquer…"))
    check_both_sizes(secretary, "story-convoquer")
    go(secretary.get_by_role("button", name=re.compile("^Convoquer 29")))
    seance = secretary.url
    until(secretary, "29 sur 29 convoqués")
    mailbox = json.loads((demo.folder / "sandbox" / "ports.json").read_text())["inbox_url"]
    assert "elu01@juvignac.test" in urllib.request.urlopen(mailbox, timeout=5).read().decode()

    # On 1 July: presences and powers, opening, votes.
    demo.at(when.meeting)
    secretary.goto(seance)
    _fill_presences(secretary)
    until(secretary, "18 membres en séance")
    check_both_sizes(secretary, "story-presences")
    go(secretary.get_by_role("button", name="Ouvrir la séance"))
    for rank in range(1, 6):
        item = secretary.locator(f"#point-{rank}")
        if rank == story.RANK:
            item.locator("select[name$=mode]").select_option("non_precise")
        go(item.get_by_role("button", name=re.compile("^Unanimité")))
        expect(secretary.locator(f"#point-{rank}")).to_contain_text("Adoptée")
    check_both_sizes(secretary, "story-votes")
    go(secretary.get_by_role("link", name="Lever la séance…"))
    go(secretary.get_by_role("button", name="Lever la séance"))
    go(secretary.get_by_role("button", name="Établir et contrôler"))
    until(secretary, "5 remarques")
    item = secretary.locator(f"#point-{story.RANK}")
    expect(item).to_contain_text("5 remarques")
    check_both_sizes(secretary, "story-deliberations")
    go(item.get_by_role("link", name=re.compile("^Mettre à la signature")))
    check_both_sizes(secretary, "story-mettre-a-la-signature")
    go(secretary.get_by_role("button", name="Mettre à la signature"))

    # On 2 July: visa of the director, signature of the mayor.
    demo.at(when.signature)
    director = person("dgs")
    go(director.get_by_role("link", name=re.compile("^Viser")).first)
    check_both_sizes(director, "story-dossier")
    go(director.get_by_role("link", name="Viser", exact=True))
    check_both_sizes(director, "story-viser")
    go(director.locator(".confirm-actions button[type=submit]"))
    mayor = person("maire")
    go(mayor.get_by_role("link", name=re.compile("^Signer")).first)
    go(mayor.get_by_role("link", name="Signer", exact=True))
    if mayor.locator("input[name=password]").count():
        mayor.fill("input[name=password]", story.PASSWORD)
        go(mayor.locator("form:has(input[name=password]) button[type=submit]").first)
    check_both_sizes(mayor, "story-signer")
    go(mayor.locator(".confirm-actions button[type=submit]"))
    until(mayor, "signature valide")
    check_both_sizes(mayor, "story-signe")

    # On 3 July: transmission in two clicks, the State's receipt comes back.
    demo.at(when.transmission)
    secretary.goto("/bureau/")
    go(secretary.get_by_role("link", name=re.compile("^Transmettre")).first)
    if "transmettre" not in secretary.url:
        check_both_sizes(secretary, "story-acte-a-transmettre")
        go(secretary.get_by_role("link", name=re.compile("^Transmettre")).first)
    check_both_sizes(secretary, "story-transmettre")
    go(secretary.get_by_role("button", name="Transmettre à la préfecture"))
    until(secretary, "034-213401235-20190701-19_07_01_05-DE")
    until(secretary, "Bordereau d’acquittement")
    check_both_sizes(secretary, "story-acte-acquitte")

    # On 11 July: publication; archive and open data follow by themselves.
    demo.at(when.publication)
    secretary.reload()
    go(secretary.get_by_role("link", name=re.compile("^Publier")).first)
    check_both_sizes(secretary, "story-publier")
    go(secretary.get_by_role("button", name="Publier maintenant"))
    until(secretary, "Archivée")
    until(secretary, "En données ouvertes")
    check_both_sizes(secretary, "story-acte-complet")
    go(secretary.get_by_role("link", name="preuve").first)
    check_both_sizes(secretary, "story-preuve")
    secretary.goto("/o/juvignac/archives/")
    check_both_sizes(secretary, "story-archives")
    go(secretary.locator("main table a").first)
    check_both_sizes(secretary, "story-versement")

    # Anybody reads it, without scripts.
    citizen = chromium.new_context(
        base_url=demo.url, java_script_enabled=False, viewport={"width": PHONE, "height": 844}
    ).new_page()
    citizen.goto("/p/juvignac/actes/")
    go(citizen.get_by_role("link", name=re.compile("Convention de gestion")))
    expect(citizen.locator("main")).to_contain_text("Alix Exemple")
    with citizen.expect_download() as download:
        citizen.locator("main a[href*='/documents/']").first.click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    citizen.goto("/p/juvignac/donnees/deliberations/")
    expect(citizen.locator("table")).to_contain_text("19.07.01.05")
    citizen.context.close()


def _fill_presences(page: Page) -> None:
    """The sheet as the act prints it: 18 in the room, 8 powers, 3 absent."""
    rows = page.locator("table.presence-sheet tbody tr")
    holders = {giver[1]: holder for giver, holder in story.POWERS}
    absent = {name for _, name in story.ABSENT}
    if page.locator("#presences details:not([open]) > summary").count():
        page.locator("#presences summary").first.click()
    for index in range(rows.count()):
        row = rows.nth(index)
        name = row.locator("th").inner_text().split(" ", 1)[1].strip()
        state, holder = row.locator("select").nth(0), row.locator("select").nth(1)
        if name in absent:
            state.select_option(label="Absent")
        elif name in holders:
            state.select_option(label="Pouvoir")
            options = holder.locator("option").all_inner_texts()
            holder.select_option(label=next(o for o in options if o.endswith(f" {holders[name]}")))
        else:
            state.select_option(label="En séance")
    go(page.get_by_role("button", name="Enregistrer les présences"))
