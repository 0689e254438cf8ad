"""What operators decide by two, one citizen's account, and the events of an organisation's people, in a browser."""

from datetime import timedelta

import pytest

from parvis.core import clock
from parvis.core.authentication import resets
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Mandate
from parvis.core.organisations.tenancy import acting_for
from tests.core.authentication.test_resets import as_operator
from tests.core.identity.life import citizen
from tests.e2e.browser import check_both_sizes

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_operator_finds_one_citizen_and_suspends_them(browser_page):
    account = citizen("camille@exemple.test")
    page = browser_page(client=as_operator("un@dsi.test"), scripts=True)
    page.goto("/plateforme/usagers/")
    check_both_sizes(page, "usagers-recherche")
    page.get_by_label("Adresse électronique ou numéro").fill("inconnue@exemple.test")
    page.get_by_role("button", name="Trouver ce compte").click()
    page.get_by_text("Aucun compte d’usager").first.wait_for()
    check_both_sizes(page, "usagers-introuvable")
    page.get_by_label("Adresse électronique ou numéro").fill(account.email)
    page.get_by_role("button", name="Trouver ce compte").click()
    page.get_by_role("link", name="Suspendre le compte").click()
    check_both_sizes(page, "usagers-suspendre")
    page.get_by_label("Motif").select_option("detournement")
    page.get_by_label("Référence du dossier").fill("ticket 114")
    page.get_by_role("button", name="Suspendre le compte").click()
    page.get_by_text("ticket 114").wait_for()
    check_both_sizes(page, "usagers-suspendu")


def test_what_takes_two_operators(browser_page, juvignac, account_for, rf):
    one, two = as_operator("un@dsi.test"), as_operator("deux@dsi.test")
    lost = as_operator("perdu@dsi.test")
    request = rf.post("/")
    request.user, request.session = two.account, two.session
    resets.ask_for_operator(lost.account, reason="Clé volée, rencontrée ce matin", by=two.account, request=request)
    account_for(juvignac, "administrateur")
    with acting_for(juvignac):
        Mandate.objects.update(end=clock.today() - timedelta(days=1))
    page = browser_page(client=two)
    page.goto("/plateforme/organisations/juvignac/administration/")
    check_both_sizes(page, "administration-retablir")
    page.get_by_label("Prénom").fill("Ada")
    page.get_by_label("Nom", exact=True).fill("Nouvelle")
    page.get_by_label("Adresse électronique").fill("ada@juvignac.test")
    page.get_by_label("Motif").fill("Décès de l’administratrice, courrier du directeur général")
    page.get_by_role("button", name="Proposer à un second exploitant").click()
    page.get_by_text("attend un autre exploitant").wait_for()
    check_both_sizes(page, "administration-proposee")
    page = browser_page(client=one)
    page.goto("/plateforme/second-facteur/")
    check_both_sizes(page, "exploitants-facteurs")
    page.get_by_role("link", name="Facteurs perdus").first.click()
    check_both_sizes(page, "exploitants-demande")
    page.goto("/plateforme/")
    check_both_sizes(page, "plateforme-a-retablir")
    page.get_by_role("link", name="Commune de Juvignac").first.click()
    page.get_by_role("button", name="Approuver").click()
    page.get_by_text("L’accord est donné").wait_for()


def test_the_platform_asks_for_who_administers_alone(browser_page, juvignac, agent_client):
    alone, page = agent_client(juvignac, "administrateur"), browser_page(client=as_operator("un@dsi.test"))
    page.goto("/plateforme/organisations/juvignac/")
    check_both_sizes(page, "organisation-de-la-plateforme")
    page.get_by_role("link", name="Facteurs perdus").click()
    page.get_by_label("Adresse électronique de la personne").fill("inconnue@juvignac.test")
    page.get_by_label("Motif").fill("Téléphone et codes brûlés, reconnu par visioconférence avec le maire")
    page.get_by_role("button", name="Demander la remise à zéro").click()
    page.get_by_text("Personne n’administre Commune de Juvignac sous cette adresse").first.wait_for()
    check_both_sizes(page, "administration-sans-facteur")
    page.get_by_label("Adresse électronique de la personne").fill(alone.account.email)
    page.get_by_role("button", name="Demander la remise à zéro").click()
    page.get_by_text("attend un autre exploitant").wait_for()
    check_both_sizes(page, "administration-sans-facteur-demandee")
    page = browser_page(client=alone)
    page.goto("/o/juvignac/administration/second-facteur/")
    page.get_by_text("Demandée par l’exploitation de la plateforme").wait_for()
    check_both_sizes(page, "second-facteur-demande-par-la-plateforme")


def test_an_administrator_reads_the_events_of_their_people(browser_page, juvignac, agent_client, account_for):
    client = agent_client(juvignac, "administrateur")
    audit("user.login", account=account_for(juvignac, "maire", given_name="Alix", family_name="Exemple"))
    audit("user.login.failure", account=client.account, outcome="failure")
    page = browser_page(client=client)
    page.goto("/o/juvignac/administration/comptes/evenements/")
    page.get_by_text("Échec de connexion").first.wait_for()
    check_both_sizes(page, "evenements-personnes")
    page.get_by_label("Nom ou adresse").fill("alix")
    page.get_by_role("button", name="Filtrer").click()
    page.get_by_text("Alix Exemple").first.wait_for()
    assert not page.get_by_text("Échec de connexion").count()


def test_a_session_that_changes_browser_says_why_a_proof_is_asked(browser_page, juvignac, agent_client):
    client = agent_client(juvignac, "secretaire")
    client.get("/bureau/", HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")
    page = browser_page(client=client)
    page.goto("/bureau/")
    page.get_by_text("Votre session change de navigateur").wait_for()
    check_both_sizes(page, "session-changee")


def test_an_operator_restarts_a_failed_job_of_the_platform(browser_page):
    from parvis.core.jobs.models import JobFailure
    from tests.core.jobs.test_platform_page import put

    waiting = put("todo", task="identity.export", scheduled="2031-03-01T10:00+00:00")
    failed = put("failed", account=3)
    for job in (waiting, failed):
        JobFailure.objects.create(
            job_id=job, error="smtplib.SMTPServerDisconnected", place="parvis/core/identity/mails.py:42 write_notice",
            correlation_id="0123456789abcdef0123456789abcdef", at=clock.now(),
        )  # fmt: skip
    page = browser_page(client=as_operator("un@dsi.test"))
    page.goto("/plateforme/travaux/")
    page.get_by_text("SMTPServerDisconnected").wait_for()
    check_both_sizes(page, "travaux-plateforme-echec")
    page.goto("/plateforme/travaux/?etat=todo")
    page.get_by_text("Export d’un compte").wait_for()
    check_both_sizes(page, "travaux-plateforme-attente")
    page.goto("/plateforme/travaux/")
    page.get_by_role("button", name="Relancer").click()
    page.get_by_text("Le travail est relancé").wait_for()
