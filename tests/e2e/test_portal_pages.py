"""The portal in a browser: citizens without JavaScript, agents on a phone, a commune's own host."""

from urllib.parse import urlsplit

import pytest
from django.core.management import call_command

from parvis.core.journal.services import SYSTEM
from tests.conftest import PASSWORD, PROJECT
from tests.e2e.browser import (
    DESK,
    PHONE,
    assert_accessible,
    assert_fits,
    assert_one_title,
    check,
    photograph_for_guide,
    screenshot,
)

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = pytest.mark.parametrize("width", [PHONE, DESK])


@pytest.fixture(autouse=True)
def _hosts_read_again():
    from parvis.core.portal import hosts

    hosts.forget()
    yield
    hosts.forget()


@pytest.fixture
def territory(db):
    """The demo's 32 organisations, under their own colours."""
    from parvis.core.organisations.models import Organisation

    call_command("load_territory", PROJECT / "src" / "parvis_demo" / "territory.csv")
    return {o.slug: o for o in Organisation.objects.all()}


@pytest.fixture
def announce():
    from parvis.core import clock
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.portal import announcements

    def make(organisation, title, **values):
        fields = {"title": title, "text": "Les services restent ouverts en ligne.", "audience": "public"}
        fields |= {"level": "information", "everywhere": False, "since": clock.today(), "until": None, **values}
        with acting_for(organisation):
            return announcements.announce(organisation, fields, actor=SYSTEM)

    return make


@pytest.fixture
def citizen(db):
    from parvis.core.identity.models import Account

    return Account.objects.create_user(
        "habitante@exemple.test", PASSWORD, given_name="Lina", family_name="Exemple", population="usager"
    )


@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (DESK, False)])
def test_public_pages_without_javascript(browser_page, territory, announce, width, dark):
    announce(territory["metropole"], "Interruption dans la nuit de mardi", level="attention", everywhere=True)
    announce(territory["juvignac"], "Mairie fermée le 15 août")
    # The check of accessibility runs in the page, which needs its scripts; what is shown is the same.
    quiet, page = browser_page(width=width, dark=dark, scripts=False), browser_page(width=width, dark=dark)
    pages = {
        "portail": "/",
        "portail-recherche": "/?q=saint",
        "portail-rien": "/?q=Marseille",
        "juvignac": "/p/juvignac/",
        "fabregues": "/p/fabregues/",
        "aide": "/aide/",
        "aide-franceconnect": "/aide/franceconnect/",
        "aide-connexion": "/aide/connexion/",
        "aide-contact": "/aide/contact/?organisation=juvignac",
    }
    for name, address in pages.items():
        quiet.goto(address)
        assert_one_title(quiet)
        assert_fits(quiet)
        screenshot(quiet, f"portail-{name}-nuit" if dark else f"portail-{name}")
        page.goto(address)
        assert_fits(page)
        assert_accessible(page)


def test_a_citizen_finds_the_acts_of_their_commune_without_javascript(browser_page, territory):
    page = browser_page(width=PHONE, scripts=False)
    page.goto("/")
    page.get_by_label("Nom ou code postal de votre commune").fill("34690")
    page.get_by_role("button", name="Chercher").click()
    page.get_by_role("link", name="Fabrègues", exact=True).click()
    page.get_by_role("heading", name="Commune de Fabrègues").wait_for()
    page.get_by_role("main").get_by_role("link", name="Actes publiés").click()
    page.get_by_role("heading", name="Actes de la commune").wait_for()


def test_an_announcement_is_hidden_without_javascript(browser_page, territory, announce):
    announce(territory["juvignac"], "Mairie fermée")
    page = browser_page(width=PHONE, scripts=False)
    page.goto("/p/juvignac/")
    page.get_by_role("button", name="Masquer l’annonce « Mairie fermée »").click()
    page.get_by_role("heading", name="Commune de Juvignac").wait_for()
    assert page.get_by_text("Mairie fermée").count() == 0


@SIZES
def test_citizens_space(browser_page, territory, citizen, width):
    page = browser_page(width=width, scripts=False)
    page.goto("/espace/")
    page.get_by_label("Adresse électronique").fill(citizen.email)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("heading", name="Mon espace").wait_for()
    page.get_by_label("Ma commune").select_option("Commune de Juvignac")
    page.get_by_role("button", name="Enregistrer ma commune").click()
    page.get_by_text("Votre commune est enregistrée.").wait_for()
    screenshot(page, "portail-espace")
    session = next(c["value"] for c in page.context.cookies() if c["name"] == "sessionid")
    checked = browser_page(width=width)
    checked.context.add_cookies([{"name": "sessionid", "value": session, "url": page.url}])
    for address in ("/espace/", "/bureau/recherche/?q=juvignac"):
        checked.goto(address)
        assert_fits(checked)
        assert_accessible(checked)
    screenshot(checked, "portail-recherche-usager")


@SIZES
def test_agents_pages(browser_page, territory, announce, agent_client, account_for, width):
    organisation = territory["juvignac"]
    client = agent_client(organisation, "administrateur")
    account_for(organisation, "secretaire", given_name="Juliette", family_name="Exemple")
    announce(organisation, "Formation au parapheur jeudi", audience="agents")
    made = announce(organisation, "Mairie fermée le 15 août", until=None)
    page = browser_page(width=width, client=client)
    pages = {
        "bureau": "/bureau/",
        "annonces": "/o/juvignac/administration/annonces/",
        "annonce": "/o/juvignac/administration/annonces/nouvelle/",
        "annonce-retirer": f"/o/juvignac/administration/annonces/{made.pk}/retirer/",
        "recherche": "/bureau/recherche/?q=juvignac",
        "personnes": "/o/juvignac/administration/personnes/",
    }
    for name, address in pages.items():
        page.goto(address)
        check(page, f"portail-agent-{name}")
    page.goto(pages["annonces"])
    photograph_for_guide(page, "administration-annonces")


def test_a_phone_shows_every_service_and_the_last_row_above_them(browser_page, territory, agent_client):
    page = browser_page(width=PHONE, client=agent_client(territory["juvignac"], "administrateur"))
    page.goto("/o/juvignac/administration/")
    services = page.get_by_role("navigation", name="Services")
    bar = services.bounding_box()
    assert bar["height"] < 2 * 56, "one row"
    shown = services.get_by_role("link").all()
    for one in (*shown, services.locator("summary")):
        box = one.bounding_box()
        left, right = box["x"], box["x"] + box["width"]
        assert (left >= 0, right <= PHONE, box["y"] >= bar["y"]) == (True, True, True), one.inner_text()
        assert box["height"] >= 44
    services.locator("summary").click()
    more = services.get_by_role("link").all()
    assert len(more) >= 6 > len(shown)
    for link in more:
        box = link.bounding_box()
        assert (box["x"] >= 0, box["x"] + box["width"] <= PHONE, box["y"] >= 0) == (True, True, True), link.inner_text()
    services.locator("summary").click()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    last = page.locator("main > *").last.bounding_box()
    assert last["y"] + last["height"] <= bar["y"]


def test_a_phone_reads_a_table_row_by_row_with_the_names_of_columns(browser_page, territory, announce, agent_client):
    announce(territory["juvignac"], "Mairie fermée", until=None)
    page = browser_page(width=PHONE, client=agent_client(territory["juvignac"], "administrateur"))
    page.goto("/o/juvignac/administration/annonces/")
    area = page.locator(".table-scroll")
    assert area.evaluate("e => e.scrollWidth <= e.clientWidth")
    said = page.locator("td[data-label='Pour']").evaluate("e => getComputedStyle(e, '::before').content")
    assert said == '"Pour"'
    assert page.get_by_role("table", name="Annonces").get_by_role("cell", name="Tout le monde").is_visible()
    assert page.get_by_role("row").count() == 2


@SIZES
def test_hosts_of_the_platform(browser_page, territory, agent_client, width):
    client = agent_client(territory["metropole"], "administrateur")
    client.account.is_platform_administrator = True
    client.account.save()
    page = browser_page(width=width, client=client)
    page.goto("/plateforme/noms-de-domaine/")
    page.get_by_label("Organisation", exact=True).select_option("Commune de Juvignac")
    page.get_by_label("Nom de domaine").fill("services.juvignac.test")
    page.get_by_label("Adresse principale").check()
    page.get_by_role("button", name="Ajouter ce nom de domaine").click()
    page.get_by_text("Le nom de domaine est ajouté.").wait_for()
    screenshot(page, "portail-hotes")
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("link", name="Retirer services.juvignac.test").click()
    page.get_by_role("heading", name="Ce qui va se passer").wait_for()
    assert_accessible(page)


def test_login_from_a_communes_own_host_and_back(browser_page, live_server, territory, citizen, settings):
    from parvis.core.portal import hosts

    port = urlsplit(live_server.url).port
    settings.BASE_URL = f"http://localhost:{port}"
    own = f"http://juvignac.localhost:{port}"
    hosts.add_host(territory["juvignac"], "juvignac.localhost", primary=True, actor=SYSTEM)
    page = browser_page(width=PHONE)
    page.goto(f"{own}/")
    page.get_by_role("heading", name="Commune de Juvignac").wait_for()
    screenshot(page, "portail-hote-juvignac")
    assert_accessible(page)
    page.get_by_role("main").get_by_role("link", name="Actes publiés").click()
    assert page.url == f"{own}/p/juvignac/actes/"
    page.get_by_role("link", name="Se connecter").click()
    assert page.url.startswith(f"http://localhost:{port}/compte/login/")
    page.get_by_label("Adresse électronique").fill(citizen.email)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"{own}/p/juvignac/actes/")
    assert [c["name"] for c in page.context.cookies(own)] == ["parvis-connu"]
    page.get_by_role("link", name="Mon espace").click()
    page.get_by_role("heading", name="Mon espace").wait_for()
    assert page.url == f"http://localhost:{port}/espace/"
