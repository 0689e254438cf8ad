"""A council meeting in a real browser: convene, receive, sit, vote, establish the deliberations."""

from datetime import datetime

import pytest

from parvis.core import clock
from parvis.core.organisations.tenancy import acting_for
from parvis.core.trust.timestamps import TimestampUnavailable
from parvis.edemat.parapheur.models import Dossier
from parvis.edemat.parapheur.services import refuse
from parvis.edemat.seances import services
from parvis.edemat.seances.models import Deliberation, Organe
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, photograph_for_guide, screenshot
from tests.edemat.seances.conftest import make_council  # noqa: F401
from tests.edemat.seances.council import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def council(juvignac, make_council, monkeypatch):  # noqa: F811
    from parvis.edemat.seances.services import evidence

    def unavailable(data: bytes) -> None:
        raise TimestampUnavailable("Aucun service d’horodatage n’est configuré.")

    monkeypatch.setattr(evidence, "request_token", unavailable)
    with acting_for(juvignac):
        return make_council(juvignac, size=7)


@pytest.fixture
def address(council):
    return f"/o/juvignac/seances/{council.seance.pk}/"


def test_a_meeting_from_the_convocation_to_the_deliberations(
    browser_page, agent_client, juvignac, council, address, run_jobs
):
    council.freeze("2019-06-24T17:00+02:00")
    page = browser_page(client=agent_client(juvignac, "secretaire"))
    page.goto("/o/juvignac/seances/")
    assert_accessible(page)
    page.get_by_role("link", name="Conseil municipal").click()
    assert page.get_by_text("Dernier jour d’envoi régulier : mardi 25").count()
    assert_accessible(page)
    screenshot(page, "seance-en-preparation")
    page.get_by_role("link", name="Convoquer…").click()
    assert_accessible(page)
    screenshot(page, "seance-convoquer")
    page.get_by_role("button", name="Convoquer 7").click()
    page.get_by_text("Les convocations partent").wait_for()
    assert_accessible(page)

    with acting_for(juvignac):
        council.deliver()
    council.freeze("2019-07-01T18:30+02:00")
    page.goto(address)
    for member in range(1, 5):
        name = f"{'Mme' if member % 2 else 'M.'} MEMBRE{member:02d}"
        page.get_by_label(name, exact=True).select_option("present")
    page.get_by_text("4\u00a0membres en séance, quorum 4 : atteint").wait_for()  # before anything is recorded
    assert_accessible(page)
    screenshot(page, "seance-presences")
    page.get_by_role("button", name="Enregistrer les présences").click()
    page.get_by_text("Les présences et les pouvoirs sont enregistrés").wait_for()
    page.get_by_role("button", name="Ouvrir la séance").click()
    page.get_by_text("La séance est ouverte").wait_for()
    assert_accessible(page)
    screenshot(page, "seance-votes")
    page.get_by_role("button", name="Unanimité pour le point 1").click()
    page.get_by_text("Le vote du point 1 est enregistré").wait_for()
    page.get_by_text("Saisir le décompte du point 2").click()
    second = page.locator("#point-2")
    second.get_by_label("Pour", exact=True).fill("3")
    second.get_by_label("Contre", exact=True).fill("1")
    second.get_by_role("button", name="Enregistrer le décompte").click()
    page.get_by_text("Le vote du point 2 est enregistré").wait_for()
    page.get_by_role("link", name="Lever la séance…").click()
    assert_accessible(page)
    page.get_by_role("button", name="Lever la séance").click()
    page.get_by_role("button", name="Établir et contrôler").click()
    page.get_by_role("progressbar").wait_for()
    assert_accessible(page)
    screenshot(page, "seance-etablissement")
    run_jobs(queue="seances", may_fail=True)
    page.get_by_text("règles vérifiées").nth(1).wait_for()  # the progress asks again by itself
    assert page.get_by_text("Délibération n° 19.07.01.02").count()
    assert_accessible(page)
    screenshot(page, "seance-levee")
    page.get_by_role("link", name="Mettre à la signature le n° 19.07.01.01", exact=True).first.click()
    page.get_by_text("ne pourront plus changer").wait_for()
    assert_accessible(page)
    screenshot(page, "seance-mise-a-la-signature")


def test_a_member_acknowledges_receipt_without_scripts_on_a_phone(
    browser_page, agent_client, juvignac, council, address
):
    client = agent_client(juvignac, "elu")
    with acting_for(juvignac):
        council.elus[1].account = client.account
        council.elus[1].save()
        council.convoke()
        council.deliver()
    page = browser_page(client=client, width=PHONE, scripts=False)
    page.goto(f"{address}ma-convocation/")
    page.get_by_role("button", name="Accuser réception").click()
    assert page.get_by_text("Vous avez accusé réception").count()
    page = browser_page(client=client, width=PHONE, dark=True)
    page.goto(f"{address}ma-convocation/")
    assert_fits(page)
    assert_accessible(page)
    screenshot(page, "ma-convocation")


def test_the_pages_fit_a_phone(browser_page, agent_client, juvignac, council, address):
    client = agent_client(juvignac, "secretaire")
    with acting_for(juvignac):
        council.convoke()
        services.rectify(council.seance, place="Salle des fêtes", motive="Travaux", actor=ACTOR)
        point = council.seance.points.first()
    ends = ("", "nouvelle/", f"{council.seance.pk}/", f"{council.seance.pk}/preuves/", f"points/{point.pk}/")
    ends += tuple(f"{council.seance.pk}/{end}/" for end in ("rectifier", "reporter", "annuler", "seconde-convocation"))
    for width in (PHONE, DESK):
        page = browser_page(client=client, width=width)
        for end in ends:
            page.goto(f"/o/juvignac/seances/{end}")
            assert_fits(page)
            assert_accessible(page)
        screenshot(page, f"seance-rectifier-{width}")
        page.goto(address)
        screenshot(page, f"seance-convoquee-{width}")
        photograph_for_guide(page, "secretaire-seance-convoquee")


def test_the_list_of_deliberations_is_published_and_read(browser_page, agent_client, juvignac, council):
    with acting_for(juvignac):
        seance = services.plan_seance(
            council.organe, starts_at=datetime(2026, 6, 29, 18, 30, tzinfo=clock.PARIS), actor=ACTOR
        )
        services.add_point(seance, title="Tarifs de la cantine", matiere="7.1", actor=ACTOR)
        council.seance = seance
        council.convoke("2026-06-22T10:00+02:00")
        council.deliver()
        council.open(presents=5, powers=0, at="2026-06-29T18:35+02:00")
        council.rise()
    page = browser_page(client=agent_client(juvignac, "secretaire"), width=DESK)
    page.goto(f"/o/juvignac/seances/{seance.pk}/")
    page.get_by_role("link", name="Publier la liste…").click()
    assert_accessible(page)
    photograph_for_guide(page, "secretaire-publier-la-liste")
    page.get_by_role("button", name="Publier la liste").click()
    page.get_by_text("est en ligne").wait_for()
    assert_accessible(page)
    screenshot(page, "seance-liste")
    for width in (PHONE, DESK):
        page = browser_page(width=width, scripts=width == DESK)
        page.goto("/p/juvignac/seances/")
        if width == DESK:
            assert_accessible(page)
        page.get_by_role("link", name="Conseil municipal").click()
        assert page.get_by_text("Tarifs de la cantine").count()
        assert_fits(page)
        if width == DESK:
            assert_accessible(page)
        screenshot(page, f"liste-publique-{width}")


def test_a_body_and_its_tableau_are_made_on_the_pages(browser_page, agent_client, juvignac, frozen_clock, tmp_path):
    frozen_clock("2026-04-02T09:00+02:00")
    page = browser_page(client=agent_client(juvignac, "secretaire"), scripts=False)
    page.goto("/o/juvignac/seances/")
    page.get_by_role("link", name="Créer une assemblée").click()
    page.get_by_label("Nom", exact=True).fill("Conseil municipal")
    page.get_by_label("Population au dernier renouvellement").fill("10979")
    page.get_by_label("Sous ce régime depuis le").fill("2026-03-29")
    page.get_by_role("button", name="Créer l’assemblée").click()
    page.get_by_role("link", name="Ajouter un membre").click()
    page.get_by_label("Civilité").select_option("Mme")
    page.get_by_label("Prénom").fill("Zoé")
    page.get_by_label("Nom", exact=True).fill("Durand")
    page.get_by_label("Adresse électronique").fill("zoe.durand@juvignac.test")
    page.get_by_role("button", name="Ajouter au tableau").click()
    assert page.get_by_text("Mme Zoé DURAND").count()
    page.get_by_role("link", name="Importer").click()
    file = tmp_path / "tableau.csv"
    file.write_text("civilite;prenom;nom;courriel;groupe\nM.;Luc;Petit;luc@juvignac.test;Ensemble\nMme;Anne;;;\n")
    page.get_by_label("Fichier CSV").set_input_files(file)
    page.get_by_role("button", name="Examiner le fichier").click()
    assert page.get_by_text("« nom » est vide").count()
    page.get_by_role("button", name="Appliquer l’import").click()
    assert page.get_by_text("Membres ajoutés : 1").count()
    with acting_for(juvignac):
        organe = Organe.objects.get()
        elu = organe.elus.get(rank=2)
    ends = ("assemblees/", "assemblees/nouvelle/", f"assemblees/{organe.pk}/", f"assemblees/{organe.pk}/importer/")
    ends += (f"assemblees/{organe.pk}/regime/", f"membres/{elu.pk}/", f"membres/{elu.pk}/fin/")
    for width in (PHONE, DESK):
        look = browser_page(client=agent_client(juvignac, "secretaire"), width=width)
        for n, end in enumerate(ends):
            look.goto(f"/o/juvignac/seances/{end}")
            assert_fits(look)
            assert_accessible(look)
            screenshot(look, f"assemblee-{n}-{width}")
    look.goto(f"/o/juvignac/seances/assemblees/{organe.pk}/")
    photograph_for_guide(look, "administration-assemblee")


def test_a_refused_deliberation_is_corrected_and_sent_back(browser_page, agent_client, account_for, juvignac, council):
    reader = account_for(juvignac, "dgs")
    with acting_for(juvignac):
        council.convoke()
        council.deliver()
        council.open(presents=5, powers=1)
        council.rise()
        council.freeze("2019-07-02T09:00+02:00")
        deliberation = services.establish(Deliberation.objects.get(point__rank=1), actor=ACTOR)
        services.send_to_signature(deliberation, actor=ACTOR)
        dossier = Dossier.objects.get()
        sha256 = dossier.document.sha256
        refuse(dossier.pk, account=reader, motive="Le montant est faux", sha256=sha256, actor=ACTOR)
    for width in (PHONE, DESK):
        page = browser_page(client=agent_client(juvignac, "secretaire"), width=width, scripts=width == DESK)
        page.goto(f"/o/juvignac/parapheur/{dossier.pk}/")
        if width == PHONE:
            assert_fits(page)
        else:
            assert_accessible(page)
        page.get_by_role("link", name="Corriger et renvoyer à la signature").click()
        assert page.get_by_text("Le montant est faux").count()
        assert_fits(page)
        if width == DESK:
            assert_accessible(page)
            screenshot(page, "deliberation-corriger")
    page.get_by_label("Dispositif").fill("D’APPROUVER la somme de 193,60 euros")
    page.get_by_role("button", name="Enregistrer et contrôler").click()
    page.get_by_text("reste au dossier").wait_for()
    assert_accessible(page)
    screenshot(page, "deliberation-renvoyer")
    page.get_by_role("button", name="Renvoyer à la signature").click()
    page.get_by_text("est au parapheur").wait_for()
    assert_accessible(page)
    page.goto(f"/o/juvignac/parapheur/{dossier.pk}/")
    page.get_by_role("link", name="Voir la suite du dossier").click()
    assert page.get_by_text("En attente de visa").count()
