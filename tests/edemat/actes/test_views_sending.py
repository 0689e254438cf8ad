"""Pages of sending: two steps before the State, uncertain sends settled by a person, the basket replayed."""

import re
import time
from datetime import timedelta

import pytest

from parvis.core import clock
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.actes.enums import Delivery, InboundState, Status
from parvis.edemat.actes.models import Acte, InboundMessage, Transaction
from parvis.edemat.actes.services import transmission

LIST = "/o/juvignac/actes/"


@pytest.fixture
def secretary(agent_client, commune):
    return agent_client(commune, "secretaire")


@pytest.fixture
def administrator(agent_client, commune):
    return agent_client(commune, "administrateur")


# --- transmission ---
def test_the_confirmation_says_that_it_is_for_good_then_sends(secretary, commune, prepare, state, run_jobs):
    acte = prepare(commune, annexes=1)
    page = secretary.get(f"{LIST}{acte.pk}/transmettre/").content.decode()
    assert "L’acte sera envoyé à la préfecture, sans retour possible, et son numéro sera pris." in page
    assert "19_07_01_05" in page
    assert "annexe.pdf" in page
    run_jobs(queue="actes")
    assert state.sent == [], "looking sends nothing"
    answer = secretary.post(f"{LIST}{acte.pk}/transmettre/")
    assert answer.status_code == 302
    run_jobs(queue="actes")
    assert len(state.sent) == 1
    assert state.again(acte).status == Status.TRANSMIS
    assert "En attente de l’accusé de réception" in secretary.get(f"{LIST}{acte.pk}/").content.decode()


def test_the_page_of_an_act_sent_shows_the_receipt_by_itself(secretary, commune, prepare, state, run_jobs):
    acte = prepare(commune)
    secretary.post(f"{LIST}{acte.pk}/transmettre/")
    run_jobs(queue="actes")
    waiting = secretary.get(f"{LIST}{acte.pk}/").content.decode()
    again = re.search(r'hx-get="([^"]*)" hx-trigger="every 3s"', waiting)[1]
    asked = {"HTTP_HX_REQUEST": "true"}
    assert secretary.get(again, **asked).status_code == 204, "nothing has changed"
    state.poll()
    run_jobs(queue="actes")
    page = secretary.get(again, **asked).content.decode()
    assert re.search(r'role="status" id="acte-annonce">Publier sur le site de la commune', page)
    assert "hx-trigger" not in page, "the state is final"


def proved_an_hour_ago(client) -> None:
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**record, "at": time.time() - 3600} for record in records]
    session.save()


def test_after_a_proof_the_page_names_the_act_and_what_its_button_does(secretary, commune, prepare, state, run_jobs):
    acte = prepare(commune)
    address = f"{LIST}{acte.pk}/transmettre/"
    proved_an_hour_ago(secretary)
    token = secretary.post(address)["Location"].partition("suite=")[2]
    page = secretary.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()
    assert f"<h1>Transmettre à la préfecture l’acte {acte.numero} — {acte.objet}</h1>" in page
    assert "L’acte sera envoyé à la préfecture, sans retour possible, et son numéro sera pris." in page
    assert 'type="submit">Transmettre à la préfecture</button>' in page
    assert f'<a class="btn" href="{LIST}{acte.pk}/">Revenir sans rien faire</a>' in page
    assert "Juvignac</a></header>" in page, "under the look of the organisation"
    run_jobs(queue="actes")
    assert state.sent == [], "saying what will happen sends nothing"


def test_after_a_proof_an_action_without_a_page_leads_back_to_where_it_was_asked(secretary, commune, prepare):
    acte = prepare(commune)
    proved_an_hour_ago(secretary)
    page = f"{LIST}{acte.pk}/transmettre/"
    asked = secretary.post(
        f"{LIST}{acte.pk}/demander-la-classification/", headers={"referer": f"http://testserver{page}"}
    )
    token = asked["Location"].partition("suite=")[2]
    shown = secretary.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()
    assert f'href="{page}">Revenir sans rien envoyer</a>' in shown


def test_pressing_twice_sends_once(secretary, commune, prepare, state, run_jobs):
    acte = prepare(commune)
    secretary.post(f"{LIST}{acte.pk}/transmettre/")
    again = secretary.post(f"{LIST}{acte.pk}/transmettre/")
    assert again.status_code == 302
    run_jobs(queue="actes")
    assert len(state.sent) == 1


def test_an_act_that_may_not_leave_shows_why_and_no_button(secretary, commune, prepare, state):
    acte = prepare(commune)
    with acting_for(commune):
        Acte.objects.filter(pk=acte.pk).update(matiere="5.99")
    page = secretary.get(f"{LIST}{acte.pk}/transmettre/").content.decode()
    assert "ne peut pas encore partir" in page
    assert "son numéro sera pris" not in page
    refused = secretary.post(f"{LIST}{acte.pk}/transmettre/")
    assert refused.status_code == 400
    assert state.again(acte).status == Status.A_POSTER


def test_only_those_who_may_transmit_do(agent_client, commune, prepare):
    acte = prepare(commune)
    for role in ("lecteur", "maire", "administrateur"):
        assert agent_client(commune, role).post(f"{LIST}{acte.pk}/transmettre/").status_code == 403


def test_another_organisations_act_is_missing(agent_client, commune, neighbour, prepare):
    foreign = prepare(neighbour)
    client = agent_client(commune, "secretaire")
    for action in ("transmettre", "annuler"):
        assert client.get(f"{LIST}{foreign.pk}/{action}/").status_code == 404
        assert client.post(f"{LIST}{foreign.pk}/{action}/", {"received": "oui"}).status_code == 404


def test_the_whole_way_from_the_button_to_the_public_page(secretary, commune, prepare, state, run_jobs, client, later):
    acte = prepare(commune)
    secretary.post(f"{LIST}{acte.pk}/transmettre/")
    run_jobs(queue="actes")
    later(minutes=27)
    state.poll()
    run_jobs()
    page = secretary.get(f"{LIST}{acte.pk}/")
    assert "Publier la délibération" in page.content.decode()
    dossier = page.context["dossier"]
    labels = [file.label for file in (dossier.shown, *dossier.files)]
    assert dossier.shown.label == "Acte tamponné"
    assert {"Accusé de réception", "Acte tamponné", "Bordereau d’acquittement", "Enveloppe transmise"} <= set(labels)
    later(days=8)
    secretary.post(f"{LIST}{acte.pk}/publier/", {"author_name": "Jean-Luc SAVY", "author_quality": "Maire"})
    run_jobs()
    shown = client.get("/p/juvignac/actes/").content.decode()
    assert "exécutoire le 11/07/2019" in shown
    page = secretary.get(f"{LIST}{acte.pk}/")
    assert "Certificat du caractère exécutoire" in page.content.decode()


# --- the ministry down ---
def test_the_board_says_that_the_ministry_takes_nothing(secretary, commune, prepare, state, later):
    state.scenario("http_500")
    state.transmit(prepare(commune))
    assert "Le ministère ne prend pas les envois" not in secretary.get(LIST).content.decode()
    later(minutes=1)
    transmission.resume(commune)
    page = secretary.get(LIST).content.decode()
    assert "Le ministère ne prend pas les envois" in page
    assert "1\u00a0envoi attend" in page
    state.scenario("ar")
    later(minutes=5)
    transmission.resume(commune)
    assert "Le ministère ne prend pas les envois" not in secretary.get(LIST).content.decode()


# --- uncertain sends ---
def in_doubt(acte) -> Transaction:
    """Put the transmission of ``acte`` in doubt, as a lost answer does."""
    with acting_for(acte.organisation):
        subject = acte.transaction
        Transaction.objects.filter(pk=subject.pk).update(
            status=Status.EN_ATTENTE, delivery=Delivery.INCERTAINE, attempts=1,
            attempt_started_at=subject.created_at,
            envelope_name="EACT--213401235--20190703-1.xml",
        )  # fmt: skip
        Acte.objects.filter(pk=acte.pk).update(status=Status.EN_ATTENTE)
        subject.refresh_from_db()
        return subject


def test_an_uncertain_send_is_told_and_settled_by_a_person(secretary, commune, prepare, state):
    acte = prepare(commune)
    secretary.post(f"{LIST}{acte.pk}/transmettre/")
    subject = in_doubt(acte)
    assert "1\u00a0envoi incertain" in secretary.get(LIST).content.decode()
    assert acte.objet in secretary.get(f"{LIST}envois-incertains/").content.decode()
    assert "Envoi incertain" in secretary.get(f"{LIST}{acte.pk}/").content.decode()
    address = f"{LIST}envois-incertains/{subject.pk}/"
    assert address in secretary.get(f"{LIST}{acte.pk}/").content.decode()
    page = secretary.get(address).content.decode()
    assert "EACT--213401235--20190703-1.xml" in page
    assert secretary.post(address, {"received": "peut-être"}).status_code == 200
    assert secretary.post(address, {"received": "oui"}).status_code == 302
    with acting_for(commune):
        subject.refresh_from_db()
        assert subject.status == Status.TRANSMIS
    assert secretary.get(address).status_code == 404, "nothing is uncertain any more"


def doubt(organisation, kind: str, number: int, acte=None) -> Transaction:
    with acting_for(organisation):
        return Transaction.objects.create(
            organisation=organisation, acte=acte, kind=kind, status=Status.EN_ATTENTE, delivery=Delivery.INCERTAINE,
            envelope_name=f"EACT--213401235--20190703-{number}.xml", created_at=clock.now(),
            attempt_started_at=clock.now() + timedelta(seconds=number),
        )  # fmt: skip


def test_two_doubts_about_one_act_are_named_and_settled_one_by_one(secretary, commune, prepare):
    acte = prepare(commune)
    pieces, cancelling = doubt(commune, "3-4", 2, acte), doubt(commune, "6-1", 3, acte)
    assert "envoi des pièces complémentaires" in secretary.get(f"{LIST}{acte.pk}/").content.decode()
    address = f"{LIST}envois-incertains/{cancelling.pk}/"
    assert "Annulation de la transmission" in secretary.get(address).content.decode()
    assert secretary.post(address, {"received": "oui"}).status_code == 302
    with acting_for(commune):
        assert list(Transaction.objects.uncertain()) == [pieces]


def test_a_doubt_about_the_classification_is_settled_too(secretary, commune):
    asked = doubt(commune, "7-1", 2)
    listed = secretary.get(f"{LIST}envois-incertains/").content.decode()
    assert f"envois-incertains/{asked.pk}/" in listed
    answer = secretary.post(f"{LIST}envois-incertains/{asked.pk}/", {"received": "oui"})
    assert answer["Location"] == f"{LIST}envois-incertains/"


def test_another_organisations_doubt_is_missing(secretary, neighbour):
    foreign = doubt(neighbour, "7-1", 2)
    assert secretary.get(f"{LIST}envois-incertains/{foreign.pk}/").status_code == 404
    assert secretary.post(f"{LIST}envois-incertains/{foreign.pk}/", {"received": "oui"}).status_code == 404


def test_the_list_of_doubts_has_pages(secretary, commune):
    for number in range(1, 53):
        doubt(commune, "7-1", number)
    first = secretary.get(f"{LIST}envois-incertains/").content.decode()
    assert first.count('class="item"') == 50
    following = first.partition("?apres=")[2].partition('"')[0]
    assert secretary.get(f"{LIST}envois-incertains/?apres={following}").content.decode().count('class="item"') == 2


# --- the basket ---
UNKNOWN = b"""From: actes-bac-a-sable@interieur.test
To: retours-actes@parvis.test
Subject: =?utf-8?q?Accus=C3=A9_de_r=C3=A9ception?=
MIME-Version: 1.0
Content-Type: application/xml; name="034-213401235-20190701-INCONNU-DE-1-2_1.xml"
Content-Disposition: attachment; filename="034-213401235-20190701-INCONNU-DE-1-2_1.xml"

<script>alert(1)</script><pas-un-message/>
"""


def test_an_empty_basket_says_so(administrator):
    assert "La banette est vide" in administrator.get(f"{LIST}banette/").content.decode()


def test_a_message_that_fits_no_act_waits_with_its_raw_text(administrator, commune, state):
    state.poll([UNKNOWN])
    with acting_for(commune):
        message = InboundMessage.objects.get()
        assert message.state == InboundState.BANETTE
    listed = administrator.get(f"{LIST}banette/").content.decode()
    assert "À examiner" in listed
    page = administrator.get(f"{LIST}banette/{message.pk}/").content.decode()
    assert "Accusé de réception" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page, "shown, never run"
    assert message.error.split(" : ")[0][:20] in page.replace("&#x27;", "'")
    assert "Banette d’erreur" in administrator.get(LIST).content.decode()
    again = administrator.post(f"{LIST}banette/{message.pk}/relire/", follow=True).content.decode()
    assert "reste dans la banette" in again


def test_a_replayed_message_finds_its_act_once_the_cause_is_gone(administrator, commune, prepare, state):
    acte = state.transmit(prepare(commune))
    mails = state.mails()
    with acting_for(commune):
        Acte.objects.filter(pk=acte.pk).update(numero_actes="AUTRE")
    state.poll(mails)
    with acting_for(commune):
        message = InboundMessage.objects.get(state=InboundState.BANETTE)
        Acte.objects.filter(pk=acte.pk).update(numero_actes="19_07_01_05")
    answer = administrator.post(f"{LIST}banette/{message.pk}/relire/", follow=True)
    assert "lu et rattaché" in answer.content.decode()
    assert state.again(acte).status == Status.ACQUITTE
    assert "19.07.01.05" in administrator.get(f"{LIST}banette/?vue=traites").content.decode()


def test_the_basket_is_for_administrators(secretary):
    assert secretary.get(f"{LIST}banette/").status_code == 403


def test_another_organisations_message_is_missing(agent_client, commune, neighbour, state):
    state.poll([UNKNOWN])
    with acting_for(commune):
        message = InboundMessage.objects.get()
    client = agent_client(neighbour, "administrateur")
    assert client.get(f"/o/fabregues/actes/banette/{message.pk}/").status_code == 404
    assert client.post(f"/o/fabregues/actes/banette/{message.pk}/relire/").status_code == 404
