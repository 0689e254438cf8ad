"""The parapheur's pages: who reaches them, what they say, how a decision is confirmed."""

import pytest

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.parapheur.models import Dossier


@pytest.fixture
def dossier(juvignac, open_dossier):
    with acting_for(juvignac):
        return open_dossier(juvignac)


@pytest.fixture
def page(dossier):
    return f"/o/juvignac/parapheur/{dossier.pk}/"


@pytest.fixture
def dgs_client(agent_client, juvignac):
    return agent_client(juvignac, "dgs")


@pytest.fixture
def maire_client(agent_client, juvignac, maire):
    client = agent_client(juvignac, "maire")
    assert client.account == maire
    return client


def state_of(dossier, organisation):
    with acting_for(organisation):
        return Dossier.objects.get(pk=dossier.pk).state


def endorse(client, page, dossier):
    return client.post(page + "viser/", {"empreinte": dossier.document.sha256})


# -- reading ------------------------------------------------------------------------------------------


def test_the_list_shows_what_waits(dgs_client, dossier, page):
    content = dgs_client.get("/o/juvignac/parapheur/").content.decode()
    assert "Convention de gestion" in content
    assert "À viser" in content
    assert page in content


@pytest.mark.parametrize(
    ("filter_", "shown"), [("attente", True), ("signes", False), ("refuses", False), ("tous", True)]
)
def test_the_list_filters_by_state(dgs_client, dossier, filter_, shown):
    content = dgs_client.get(f"/o/juvignac/parapheur/?etat={filter_}").content.decode()
    assert ("Convention de gestion" in content) == shown


def test_the_page_shows_the_document_its_text_and_the_next_action(dgs_client, dossier, page):
    content = dgs_client.get(page).content.decode()
    assert f"/documents/{dossier.document.pk}/pages/1/" in content
    assert "Deliberation 19.07.01.05" in content  # the text alternative
    assert f"viser/?empreinte={dossier.document.sha256}" in content
    assert "Mise au parapheur" in content  # the journal


def test_a_reader_sees_the_dossier_without_any_action(agent_client, juvignac, dossier, page):
    content = agent_client(juvignac, "lecteur").get(page).content.decode()
    assert "En attente de visa" in content
    assert "empreinte=" not in content


def test_pages_have_no_inline_style_or_script(dgs_client, page):
    content = dgs_client.get(page).content.decode()
    assert " style=" not in content
    assert "<script>" not in content
    assert " onclick" not in content


# -- who reaches what ---------------------------------------------------------------------------------

ADDRESSES = ["", "viser/", "signer/", "refuser/", "avancement/"]


@pytest.mark.parametrize("end", ADDRESSES)
def test_another_organisations_agent_gets_the_page_of_a_missing_thing(agent_client, fabregues, dossier, page, end):
    client = agent_client(fabregues, "maire")
    assert client.get(page + end).status_code == 404
    assert client.get(page.replace("juvignac", "fabregues") + end).status_code == 404


@pytest.mark.parametrize("end", ["viser/", "signer/"])
def test_without_the_permission_a_decision_is_forbidden(agent_client, juvignac, page, end):
    assert agent_client(juvignac, "secretaire").get(page + end).status_code == 403


def test_only_the_person_awaited_may_refuse(agent_client, juvignac, page, dossier):
    client = agent_client(juvignac, "secretaire")
    form = {"empreinte": dossier.document.sha256, "motif": "Motif sérieux"}
    assert client.post(page + "refuser/", form).status_code == 403


def test_anonymous_visitors_are_sent_to_log_in(client, page):
    response = client.get(page)
    assert response.status_code == 302
    assert "/compte/login/" in response["Location"]


def test_an_organisation_that_left_the_application_reads_but_decides_no_more(dgs_client, juvignac, page, dossier):
    juvignac.subscriptions.filter(application="edemat").update(until="2019-06-30")
    assert dgs_client.get(page).status_code == 200
    assert endorse(dgs_client, page, dossier).status_code == 403


# -- deciding -----------------------------------------------------------------------------------------


def test_the_visa_takes_two_clicks_and_says_what_will_happen(dgs_client, juvignac, page, dossier):
    confirmation = dgs_client.get(page + "viser/").content.decode()
    assert "Il part à la signature" in confirmation
    assert state_of(dossier, juvignac) == "visa"
    response = dgs_client.post(page + "viser/", {"empreinte": dossier.document.sha256}, follow=True)
    assert state_of(dossier, juvignac) == "signature"
    assert "Votre visa est donné" in response.content.decode()


def test_the_confirmation_carries_the_digest_of_what_was_shown_not_of_what_is_stored(dgs_client, page):
    shown = "a" * 64
    confirmation = dgs_client.get(page + f"viser/?empreinte={shown}").content.decode()
    assert f'name="empreinte" value="{shown}"' in confirmation
    response = dgs_client.post(page + "viser/", {"empreinte": shown}, follow=True)
    assert "a changé depuis que vous l’avez affiché" in response.content.decode()


@pytest.mark.parametrize("empreinte", ["", "x", '"><script>'])
def test_a_malformed_digest_changes_nothing(dgs_client, juvignac, page, dossier, empreinte):
    response = dgs_client.post(page + "viser/", {"empreinte": empreinte}, follow=True)
    assert "incomplète" in response.content.decode()
    assert state_of(dossier, juvignac) == "visa"


def test_signing_asks_who_you_are_again(agent_client, juvignac, maire, dgs_client, page, dossier):
    endorse(dgs_client, page, dossier)
    client = agent_client(juvignac, "maire")
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()
    assert client.get(page + "signer/").status_code == 200
    response = client.post(page + "signer/", {"empreinte": dossier.document.sha256})
    assert response.status_code == 303
    assert response["Location"].startswith("/mon-compte/securite/confirmer/?suite=")
    assert state_of(dossier, juvignac) == "signature"


def test_the_maire_signs_and_follows_the_progress(maire_client, dgs_client, juvignac, page, dossier, run_jobs):
    endorse(dgs_client, page, dossier)
    assert "Une signature ne se retire pas" in maire_client.get(page + "signer/").content.decode()
    waiting = maire_client.post(page + "signer/", {"empreinte": dossier.document.sha256}, follow=True).content.decode()
    assert "La signature attend son tour" in waiting
    assert f'hx-get="{page}avancement/"' in waiting
    assert "Actualiser" in waiting
    progress = maire_client.get(page + "avancement/")
    assert progress.status_code == 200
    assert "HX-Refresh" not in progress
    run_jobs(queue="parapheur")
    assert state_of(dossier, juvignac) == "signed"
    assert maire_client.get(page + "avancement/")["HX-Refresh"] == "true"
    done = maire_client.get(page).content.decode()
    assert "Document signé" in done
    assert "Signature valide" in done
    assert "sans valeur légale" in done


def test_a_signature_without_certificate_says_what_to_do(agent_client, juvignac, dgs_client, page, dossier):
    endorse(dgs_client, page, dossier)
    client = agent_client(juvignac, "maire", email="sans-certificat@juvignac.test")
    response = client.post(page + "signer/", {"empreinte": dossier.document.sha256}, follow=True)
    assert "Aucun certificat de signature valable" in response.content.decode()
    assert state_of(dossier, juvignac) == "signature"


def test_a_failed_signature_is_told_on_the_page(maire_client, dgs_client, juvignac, page, dossier, run_jobs, settings):
    endorse(dgs_client, page, dossier)
    settings.PARVIS_TSA_URLS = []
    maire_client.post(page + "signer/", {"empreinte": dossier.document.sha256})
    run_jobs(queue="parapheur")
    content = maire_client.get(page).content.decode()
    assert "La signature n’a pas abouti" in content
    assert "Aucun service d’horodatage" in content


def test_a_refusal_without_motive_keeps_the_form_and_says_why(dgs_client, juvignac, page, dossier):
    response = dgs_client.post(page + "refuser/", {"empreinte": dossier.document.sha256, "motif": ""})
    assert response.status_code == 422
    assert "Indiquez le motif du refus." in response.content.decode()
    assert state_of(dossier, juvignac) == "visa"


def test_a_refusal_is_shown_and_the_preparer_puts_the_document_back(dgs_client, agent_client, juvignac, page, dossier):
    form = {"empreinte": dossier.document.sha256, "motif": "La date du vote manque"}
    assert "prévenue du motif" in dgs_client.post(page + "refuser/", form, follow=True).content.decode()
    assert state_of(dossier, juvignac) == "refused"
    secretary = agent_client(juvignac, "secretaire")
    content = secretary.get(page).content.decode()
    assert "La date du vote manque" in content
    assert "Remettre au parapheur" in content
    response = secretary.post(page + "reprendre/", follow=True)
    assert "de nouveau au parapheur" in response.content.decode()


def test_the_list_costs_the_same_queries_whatever_its_length(
    dgs_client, juvignac, open_dossier, dossier, django_assert_max_num_queries
):
    with acting_for(juvignac):
        for number in range(5):
            open_dossier(juvignac, text=f"Deliberation {number}")
    dgs_client.get("/o/juvignac/parapheur/")  # the first page of the day writes down that the mandate serves
    with django_assert_max_num_queries(23):
        dgs_client.get("/o/juvignac/parapheur/")


def test_the_signatory_is_told_that_another_gives_the_visa(maire_client, juvignac, page, dossier):
    content = maire_client.get(page).content.decode()
    assert "une autre personne doit le viser avant vous" in content
    assert "viser/?empreinte" not in content
    answer = maire_client.post(page + "viser/", {"empreinte": dossier.document.sha256}, follow=True)
    assert "seule personne habilitée à signer" in answer.content.decode()
    assert state_of(dossier, juvignac) == "visa"


@pytest.mark.parametrize("form", [{}, {"motif": "La date manque"}, {"motif": "La date manque", "empreinte": "x"}])
def test_a_refusal_that_does_not_say_which_document_was_seen_is_explained(dgs_client, juvignac, page, dossier, form):
    response = dgs_client.post(page + "refuser/", form)
    content = response.content.decode()
    assert response.status_code == 422
    assert "Affichez à nouveau le document" in content
    assert "Empreinte</a>" not in content
    assert state_of(dossier, juvignac) == "visa"
