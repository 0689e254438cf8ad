"""Pages of acts in a real browser: accessible, within the screen, and the citizen's path without scripts."""

from datetime import timedelta

import pytest

from parvis.core import clock
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep
from tests.e2e.browser import (
    DESK,
    PHONE,
    assert_accessible,
    assert_fits,
    by_keyboard,
    check,
    photograph_for_guide,
    screenshot,
)

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = [
    ("seances.vote", "26 pour, à l’unanimité"),
    ("parapheur.signature", "par le maire"),
    ("actes.transmission", "à la préfecture"),
    ("actes.acquittement", "Reçue en préfecture le 03/07/2019"),
    ("actes.publication", ""),
    ("archives.versement", ""),
    ("opendata.deliberations", ""),
]
CHECKS = [
    {
        "code": "quorum",
        "severity": "bloquant",
        "ok": True,
        "sentence": "Quorum de 15 atteint par 18 présents",
    },
    {"code": "numero", "severity": "bloquant", "ok": True, "sentence": "Numéro conforme"},
    {
        "code": "secretaire_absent",
        "severity": "avertissement",
        "ok": False,
        "sentence": "Secrétaire non indiqué",
    },
    {
        "code": "mode_scrutin",
        "severity": "avertissement",
        "ok": False,
        "sentence": "Mode de scrutin non précisé",
    },
]


@pytest.fixture
def acte(juvignac, account_for, frozen_clock, run_jobs):
    """An acknowledged deliberation that waits to be published, with its documents."""
    from parvis.core.journal.services import Actor, record
    from parvis.edemat.actes import generated_documents
    from tests.edemat.actes.making import make_acte

    frozen_clock("2019-07-11T09:00+02:00")
    account_for(juvignac, "maire", title="Maire", given_name="Camille", family_name="ESSAI")
    with acting_for(juvignac):
        acte = make_acte(
            juvignac,
            annexes=("Convention de gestion et annexes.pdf",),
            words="Convention de gestion de services communs",
            checks=CHECKS,
        )
        acte.route = Route.objects.create(
            organisation=juvignac, kind="deliberation", title=acte.objet, reference=acte.numero,
            facts={
                "vote": {"pour": 26, "mention": "à l’unanimité"},
                "signature": {"signatory": "Camille ESSAI, Maire", "verdict": "TOTAL_PASSED"},
            },
            created_at=clock.now() - timedelta(days=10),
        )  # fmt: skip
        acte.save(update_fields=["route"])
        for rank, (code, summary) in enumerate(STEPS, start=1):
            done = rank < 5
            RouteStep.objects.create(
                organisation=juvignac, route=acte.route, rank=rank, code=code, summary=summary,
                state="done" if done else "current" if rank == 5 else "waiting",
                started_at=clock.now() - timedelta(days=9 - rank) if rank <= 5 else None,
                ended_at=clock.now() - timedelta(days=9 - rank) if done else None,
            )  # fmt: skip
        for action in ("actes.transmission_demandee", "actes.transmis", "actes.acquitte"):
            record(juvignac, action, subject=("acte", acte.pk), actor=Actor("job", "actes.envoi"))
        generated_documents.produce_after_acknowledgement(acte, actor=Actor("job", "actes.documents"))
    return acte


def test_agents_pages_are_accessible_and_fit(browser_page, agent_client, juvignac, acte):
    from parvis.edemat.actes.enums import Delivery, Status
    from parvis.edemat.actes.models import Transaction
    from tests.edemat.actes.conftest import connect
    from tests.edemat.actes.making import make_acte

    connect(juvignac)
    with acting_for(juvignac):
        waiting = make_acte(juvignac, "19.07.01.06", objet="Tarifs de la cantine", status=Status.A_POSTER)
        individual = make_acte(juvignac, "2019-ARR-12", objet="Avancement d’échelon", nature="3", matiere="4.1")
        refused = make_acte(
            juvignac,
            "19.07.01.07",
            objet="Subventions 2019",
            status=Status.ERREUR,
            matiere="5.99",
            annexes=("Tableau des subventions.pdf",),
        )
        tried = make_acte(juvignac, "19.07.01.08", objet="Règlement du marché")
        Transaction.objects.filter(acte=tried).update(test=True)
        doubtful = Transaction.objects.create(
            organisation=juvignac, acte=tried, kind="6-1", status=Status.EN_ATTENTE, delivery=Delivery.INCERTAINE,
            envelope_name="EACT--213401235--20190703-90.xml", delivery_message="Pas de réponse du ministère.",
            attempt_started_at=clock.now(), created_at=clock.now(),
        )  # fmt: skip
    page = browser_page(width=DESK, client=agent_client(juvignac, "secretaire"))
    here = "/o/juvignac/actes/"
    for name, address in {
        "actes": here,
        "actes-vide": f"{here}?q=introuvable",
        "acte": f"{here}{acte.pk}/",
        "acte-publier": f"{here}{acte.pk}/publier/",
        "acte-annuler": f"{here}{acte.pk}/annuler/",
        "acte-transmettre": f"{here}{waiting.pk}/transmettre/",
        "acte-en-erreur": f"{here}{refused.pk}/",
        "acte-corriger": f"{here}{refused.pk}/corriger/",
        "acte-notifier": f"{here}{individual.pk}/notifier/",
        "acte-a-notifier": f"{here}{individual.pk}/",
        "actes-incertains": f"{here}envois-incertains/",
        "acte-essai": f"{here}{tried.pk}/",
        "acte-envoi-incertain": f"{here}envois-incertains/{doubtful.pk}/",
    }.items():
        page.goto(address)
        check(page, name)
    page.goto(f"{here}{refused.pk}/corriger/")
    photograph_for_guide(page, "secretaire-corriger")


def test_letters_of_the_prefecture_are_accessible_and_fit(browser_page, agent_client, juvignac, acte):
    from parvis.core.documents.services import store
    from parvis.edemat.actes.models import Transaction, TransactionPiece
    from parvis.edemat.actes.services.letters import prepare_answer
    from parvis.edemat.actes.services.preparation import Annexe
    from tests.edemat.actes.conftest import AGENT, a_pdf, connect

    connect(juvignac)
    with acting_for(juvignac):
        kept = {"organisation": juvignac, "acte": acte, "related": acte.transaction, "created_at": clock.now()}
        dates = {"letter_date": clock.today(), "received_on": clock.today()}
        asked = Transaction.objects.create(
            kind="3-1", status=8, letter_text="Transmettre le rapport de présentation.", **kept, **dates
        )
        Transaction.objects.create(kind="2-1", status=21, read_at=clock.now(), **kept, **dates)
        observed = Transaction.objects.create(
            kind="4-1",
            status=8,
            letter_text="Base légale non visée.",
            message=store(juvignac, b"<observations/>", "observations.xml"),
            **kept,
            **dates,
        )
        TransactionPiece.objects.create(
            organisation=juvignac, transaction=asked, rank=1, posted_filename="Courrier.pdf",
            document=store(juvignac, a_pdf("courrier"), "Courrier.pdf"),
        )  # fmt: skip
        files = [Annexe(store(juvignac, a_pdf("réponse"), "Réponse.pdf"), code_pj="99_DE")]
        prepared = prepare_answer(observed, "4-4", files, actor=AGENT)
    page = browser_page(width=DESK, client=agent_client(juvignac, "secretaire"))
    here = "/o/juvignac/actes/"
    for name, address in {
        "acte-courriers": f"{here}{acte.pk}/",
        "courrier-repondre": f"{here}courriers/{asked.pk}/repondre/",
        "courrier-clore": f"{here}courriers/{asked.pk}/clore/",
        "reponse-envoyer": f"{here}reponses/{prepared.pk}/",
    }.items():
        page.goto(address)
        screenshot(page, name)
        assert_fits(page)
        assert_accessible(page)
    page.goto(f"{here}{acte.pk}/#courriers")
    photograph_for_guide(page, "secretaire-courriers")


def test_the_basket_is_accessible_and_fits(browser_page, agent_client, juvignac, frozen_clock):
    from parvis.edemat.actes.models import InboundMessage
    from parvis.edemat.actes.services.reception import process, store_raw
    from tests.edemat.actes.conftest import connect

    frozen_clock("2019-07-11T09:00+02:00")
    mail = (
        b"From: ministere@interieur.test\nSubject: Retour\nMIME-Version: 1.0\nContent-Type: application/xml\n"
        b"Content-Disposition: attachment; "
        b'filename="034-213401235-20190701-INCONNU-DE-1-2_1.xml"\n\n<rien/>\n'
    )
    message = store_raw(juvignac, mail)
    process(juvignac, message.pk)
    with acting_for(juvignac):
        assert InboundMessage.objects.get().state == "banette"
    page = browser_page(width=DESK, client=agent_client(juvignac, "administrateur"))
    for name, address in {
        "banette": "/o/juvignac/actes/banette/",
        "banette-message": f"/o/juvignac/actes/banette/{message.pk}/",
        "banette-rattacher": f"/o/juvignac/actes/banette/{message.pk}/rattacher/",
        "banette-ecarter": f"/o/juvignac/actes/banette/{message.pk}/ecarter/",
        "teletransmission": "/o/juvignac/administration/teletransmission/",
    }.items():
        page.goto(address)
        screenshot(page, name)
        assert_fits(page)
        assert_accessible(page)
    page.goto(f"/o/juvignac/actes/banette/{message.pk}/")
    photograph_for_guide(page, "administration-banette-message")
    connect(juvignac)
    page.goto("/o/juvignac/administration/teletransmission/")
    photograph_for_guide(page, "administration-teletransmission")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_secretary_deposits_an_act_made_elsewhere(browser_page, agent_client, juvignac, frozen_clock, width):
    from tests.edemat.actes.conftest import a_pdf, connect

    frozen_clock("2019-07-11T09:00+02:00")
    connect(juvignac)
    page = browser_page(width=width, client=agent_client(juvignac, "secretaire"))
    page.goto("/o/juvignac/actes/")
    page.get_by_role("link", name="Déposer un acte").click()
    page.get_by_label("Numéro porté sur l’acte").press_sequentially("AR-2019/12")
    page.get_by_text("AR_2019_12").wait_for()
    page.get_by_label("Objet").fill("é" * 500)
    page.get_by_text("500 caractères sur 499 : 1 de trop").wait_for()
    page.get_by_role("button", name="Déposer l’acte").click()
    page.get_by_text("points à corriger").wait_for()
    check(page, "acte-deposer-refuse")
    page.get_by_label("Fichier de l’acte").set_input_files(
        {"name": "arrete.pdf", "mimeType": "application/pdf", "buffer": a_pdf("arrêté")}
    )
    page.get_by_label("Nature").select_option("2")
    page.get_by_label("Date de la décision").fill("2019-07-10")
    page.get_by_label("Objet").fill("Arrêté de circulation rue de l’Église")
    page.get_by_label("Matière").select_option("6.1")
    page.get_by_role("button", name="Déposer l’acte").click()
    page.get_by_text("L’acte est déposé, sous le numéro transmis AR_2019_12").wait_for()
    page.get_by_role("link", name="Transmettre à la préfecture").wait_for()
    check(page, "acte-depose")


def test_the_receipt_comes_to_the_page_by_itself(browser_page, agent_client, juvignac, acte):
    from parvis.edemat.actes.models import Acte

    with acting_for(juvignac):
        Acte.objects.filter(pk=acte.pk).update(status=3, received_on=None)
    page = browser_page(client=agent_client(juvignac, "secretaire"))
    page.goto(f"/o/juvignac/actes/{acte.pk}/")
    page.get_by_role("heading", name="En attente de l’accusé de réception").wait_for()
    with acting_for(juvignac):
        Acte.objects.filter(pk=acte.pk).update(status=4, received_on=clock.today() - timedelta(days=8))
    page.get_by_role("heading", name="Publier sur le site de la commune").wait_for()
    announced = page.locator("#acte-annonce")
    assert announced.get_attribute("role") == "status"
    assert announced.inner_text().startswith("Publier sur le site de la commune")
    check(page)


def test_an_agent_publishes_and_a_citizen_without_scripts_reads(browser_page, agent_client, juvignac, acte, run_jobs):
    page = browser_page(client=agent_client(juvignac, "secretaire"))
    page.goto(f"/o/juvignac/actes/{acte.pk}/")
    by_keyboard(page.get_by_role("link", name="Publier la délibération"))
    by_keyboard(page.get_by_label("Qualité de l’auteur"), write="Maire")
    by_keyboard(page.get_by_role("button", name="Publier maintenant"))
    page.get_by_text("L’acte est en ligne.").wait_for()
    run_jobs(queue="actes")
    page.reload()
    screenshot(page, "acte-publie")
    page.get_by_role("heading", name="En ligne sur le site de la commune").wait_for()
    assert_accessible(page)

    for width in (PHONE, DESK):
        citizen = browser_page(width=width, scripts=False)
        citizen.goto("/p/juvignac/actes/")
        screenshot(citizen, "public-actes")
        citizen.get_by_label("Chercher dans le texte des actes").fill("services communs")
        citizen.get_by_role("button", name="Chercher").click()
        citizen.get_by_role("link", name=acte.objet).click()
        citizen.get_by_text("Camille ESSAI, Maire").first.wait_for()
        screenshot(citizen, "public-acte")
        with citizen.expect_download() as download:
            citizen.get_by_role("link", name="Télécharger l’acte").last.click()
        assert download.value.suggested_filename.endswith("tampon.pdf")


def test_public_pages_are_accessible_and_fit(browser_page, juvignac, acte, run_jobs):
    from parvis.core.journal.services import Actor
    from parvis.edemat.actes.publication import Author, publish

    with acting_for(juvignac):
        online = publish(acte, author=Author("Camille ESSAI", "Maire"), actor=Actor("account", "1"))
    run_jobs(queue="actes")
    page = browser_page(width=PHONE)
    for address in (
        "/p/juvignac/actes/",
        "/p/juvignac/actes/?q=introuvable",
        f"/p/juvignac/actes/{online.pk}/",
        f"/p/juvignac/actes/verification/{acte.unique_id}/",
        "/p/juvignac/actes/verification/inconnu/",
    ):
        page.goto(address)
        check(page)
