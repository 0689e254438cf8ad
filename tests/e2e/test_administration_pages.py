"""The administration of an organisation and of the platform in a browser; the photographs of its guide."""

import re
from datetime import timedelta

import pytest

from tests.e2e.browser import DESK, PHONE, assert_accessible, check, photograph_for_guide

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/o/juvignac/administration/"
PASSWORD = "quatre girafes patinent sous le préau"
CSV = (
    "matricule;prenom;nom;courriel;role;qualite;service;debut;fin\r\n"
    "A-0101;Zoé;Durand;zoe.durand@juvignac.test;Consultation;Accueil;État civil;01/09/2019;\r\n"
    "A-0102;Malik;Roux;malik.roux@juvignac.test;Sorcier;;;;\r\n"
)


def look(page, name: str) -> None:
    """Check the page and photograph it, for its guide too."""
    check(page, f"admin-{name}")
    photograph_for_guide(page, f"administration-{name}")


@pytest.fixture
def town_hall(juvignac, account_for, agent_client):
    """Juvignac with a few invented people, two services, an own role."""
    from parvis.core import clock
    from parvis.core.identity.models import Account, Mandate
    from parvis.core.organisations.models import Department, Role
    from parvis.core.organisations.tenancy import acting_for

    people = {
        "maire": ("Alix", "Exemple", "Maire"),
        "dgs": ("Morgan", "Modèle", "Directrice générale des services"),
        "secretaire": ("Claude", "Fictif", ""),
        "chef_service": ("Lou", "Registre", "Responsable de l’état civil"),
        "dpo": ("Noa", "Témoin", ""),
        "elu": ("Sam", "Séance", "Conseiller municipal"),
    }
    for role, (given, family, title) in people.items():
        account_for(juvignac, role, given_name=given, family_name=family, title=title)
    account_for(juvignac, "administrateur", email="second@juvignac.test", given_name="Dany", family_name="Second")
    agent = Account.objects.create_user("sacha@juvignac.test", given_name="Sacha", family_name="Guichet")
    with acting_for(juvignac):
        above = Department.objects.create(organisation=juvignac, name="Population")
        head = Account.objects.get(email="chef_service@juvignac.test")
        service = Department.objects.create(organisation=juvignac, name="État civil", parent=above, head=head)
        role = Role.objects.create(
            organisation=juvignac, slug="accueil", label="Accueil", description="Au guichet de la mairie",
            permissions=["actes.lire", "documents.lire"], heads_may_give=True, created_at=clock.now(),
        )  # fmt: skip
        Mandate.objects.create(
            organisation=juvignac, account=agent, own_role=role, department=service, start="2019-01-01"
        )
    return agent_client(juvignac, "administrateur", given_name="Camille", family_name="Essai")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_administrator_makes_the_rules_of_login_stricter(browser_page, town_hall, width):
    page = browser_page(width=width, client=town_hall)
    page.goto(BASE + "connexion/")
    look(page, "connexion")
    page.get_by_label("Longueur minimale d’un mot de passe").fill("12")
    page.get_by_role("button", name="Enregistrer les règles").click()
    page.get_by_role("alert").wait_for()
    page.get_by_label("Longueur minimale d’un mot de passe").fill("16")
    page.get_by_role("button", name="Enregistrer les règles").click()
    page.get_by_text("Les modifications sont enregistrées.").wait_for()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_administrator_does_the_whole_work(browser_page, town_hall, juvignac, run_jobs, width):
    page = browser_page(width=width, client=town_hall)

    page.goto(BASE + "personnes/")
    look(page, "personnes")
    page.get_by_label("Nom ou adresse").fill("guichet")
    page.get_by_role("button", name="Filtrer").click()
    page.get_by_role("link", name="Sacha Guichet").click()
    page.get_by_role("heading", name="Sacha Guichet").wait_for()
    look(page, "personne")
    page.get_by_role("link", name="Modifier le mandat Accueil").click()
    look(page, "mandat")
    page.get_by_label("Qualité").fill("Agent d’accueil")
    page.get_by_role("button", name="Enregistrer le mandat").click()
    page.get_by_text("Le mandat est modifié.").wait_for()

    page.goto(BASE + "personnes/nouvelle/")
    page.get_by_label("Prénom").fill("Dominique")
    page.get_by_label("Nom", exact=True).fill("Nouvelle")
    page.get_by_label("Adresse électronique professionnelle").fill("dominique@juvignac.test")
    page.get_by_label("Rôle").select_option("secretaire")
    look(page, "invitation")
    page.get_by_role("button", name="Envoyer l’invitation").click()
    page.get_by_text("Une invitation part à l’adresse").wait_for()
    run_jobs(queue="messages")
    page.reload()
    look(page, "invitations")

    page.goto(BASE + "roles/")
    look(page, "roles")
    page.get_by_role("link", name="Composer un rôle").click()
    page.get_by_label("Intitulé").fill("Finances")
    page.get_by_label("Consulter les actes", exact=True).check()
    look(page, "role-compose")
    page.get_by_role("button", name="Créer le rôle").click()
    page.get_by_role("heading", name="Finances").wait_for()
    look(page, "role")

    page.goto(BASE + "services/")
    look(page, "services")

    page.goto(BASE + "personnes/imports/")
    look(page, "import")
    page.get_by_label("Fichier CSV").set_input_files(
        {"name": "agents-2019.csv", "mimeType": "text/csv", "buffer": CSV.encode()}
    )
    page.get_by_role("button", name="Examiner le fichier").click()
    page.get_by_role("progressbar").wait_for()
    look(page, "import-examen")
    run_jobs(queue="imports")
    page.get_by_role("button", name="Appliquer l’import").wait_for()
    look(page, "import-rapport")
    page.get_by_role("button", name="Appliquer l’import").click()
    page.get_by_role("progressbar").wait_for()
    run_jobs(queue="imports")
    page.get_by_text("Terminé").first.wait_for()


def test_on_a_phone_the_bar_is_one_row_and_the_pages_fold_under_the_present_one(browser_page, town_hall):
    page = browser_page(width=PHONE, client=town_hall)
    page.goto(f"{BASE}personnes/")
    bar = page.locator(".rail-link:visible")
    assert len({box["y"] for box in (bar.nth(n).bounding_box() for n in range(bar.count()))}) == 1
    menu = page.get_by_role("navigation", name="Administration").locator("summary")
    assert menu.inner_text().startswith("Personnes")
    assert page.get_by_role("heading", level=1).bounding_box()["y"] < menu.bounding_box()["y"] < 400
    check(page, "administration-repliee")
    menu.click()
    check(page, "administration-depliee")
    page.get_by_text("Plus", exact=True).click()
    check(page, "administration-plus")
    page.get_by_role("link", name="Archives", exact=True).click()
    page.wait_for_url("**/archives/")


def test_the_overview_tells_what_is_in_service_from_what_is_only_read(browser_page, town_hall, juvignac):
    from parvis.core import clock

    juvignac.subscriptions.filter(application="opendata").update(until=clock.today() - timedelta(days=1))
    page = browser_page(width=DESK, client=town_hall)
    page.goto(BASE)
    look(page, "organisation")
    over = page.get_by_role("main").get_by_role("listitem").filter(has_text="Données ouvertes")
    assert over.get_by_text("consultation seule").is_visible()
    photograph_for_guide(page, "administration-applications", at=over)


def test_a_review_is_opened_decided_and_closed(browser_page, town_hall, juvignac):
    from parvis.core import clock
    from parvis.core.organisations.models import Review
    from parvis.core.organisations.tenancy import acting_for

    page = browser_page(width=DESK, client=town_hall)
    page.goto(BASE + "revues/nouvelle/")
    page.get_by_label("À terminer le").fill((clock.today() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Ouvrir la revue").click()
    page.get_by_role("table", name="À revoir").wait_for()
    look(page, "revue")
    page.get_by_label("Rôle").select_option("maire")
    page.get_by_role("button", name="Confirmer les mandats cochés").wait_for()
    page.get_by_label("Alix Exemple").check()
    page.get_by_role("button", name="Confirmer les mandats cochés").click()
    page.get_by_text("Mandats confirmés : 1.").wait_for()
    page.get_by_role("link", name="Décider pour Sam Séance").click()
    look(page, "revue-decision")
    page.get_by_role("button", name="Retirer le mandat").click()
    page.get_by_text("Sam Séance, Élu : retiré.").wait_for()
    with acting_for(juvignac):
        Review.objects.update(deadline=clock.today() - timedelta(days=1))
    page.reload()
    assert page.get_by_text("En retard").is_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Clore la revue").click()
    page.get_by_role("button", name="Clore la revue").click()
    page.get_by_role("link", name="Compte rendu").wait_for()
    look(page, "revue-close")
    page.goto(BASE + "revues/")
    look(page, "revues")


def test_an_invited_person_makes_their_account(browser_page, town_hall, run_jobs, mailoutbox):
    from tests.core.organisations.conftest import invitation_form

    town_hall.post(BASE + "personnes/nouvelle/", invitation_form(email="neuf@juvignac.test", title="Adjointe"))
    run_jobs(queue="messages")
    link = re.search(r"https?://[^/\s]+(/invitation/\S+)", mailoutbox[-1].body).group(1)
    for width in (PHONE, DESK):
        page = browser_page(width=width)
        page.goto(link)
        look(page, "acceptation")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_label("Le même mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Créer mon compte et accepter").click()
    page.get_by_text("Votre compte est créé.").wait_for()
    page.goto(link)
    page.get_by_role("heading", name="Cette invitation a déjà servi").wait_for()
    assert_accessible(page)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_platform_is_administered(browser_page, town_hall, juvignac, fabregues, agent_client, width):
    from parvis.core.identity.models import Mandate
    from parvis.core.organisations.tenancy import acting_for

    client = agent_client(fabregues, "elu", email="op@dsi.test", given_name="Oriel", family_name="Exploitant")
    with acting_for(fabregues):
        Mandate.objects.filter(account=client.account).delete()
    client.account.is_platform_administrator = True
    client.account.save()
    page = browser_page(width=width, client=client)
    for name, address in {
        "plateforme": "/plateforme/",
        "plateforme-organisation": "/plateforme/organisations/juvignac/",
        "plateforme-identite": "/plateforme/organisations/juvignac/identite/",
        "plateforme-adhesion": "/plateforme/organisations/juvignac/adhesions/",
        "plateforme-exploitants": "/plateforme/exploitants/",
    }.items():
        page.goto(address)
        check(page, f"admin-{name}")
