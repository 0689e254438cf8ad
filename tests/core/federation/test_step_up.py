"""A fresh proof through the provider, for whoever has no other: asked anew there, of the same person, dated."""

import json
import time
from uuid import uuid4

import pytest
from django.test import Client

from parvis.core.identity.models import Account
from tests.conftest import prove_by_passkey
from tests.core.authentication.test_assurance import code_of
from tests.core.federation.conftest import parameters

pytestmark = pytest.mark.django_db

ASKS = "/mon-compte/securite/confirmer/"
OTHER = {
    "login": "p.autre",
    "claims": {"given_name": "Paul", "usual_name": "Autre", "siret": "21340123500014"},
    "second_factor": True,
}
TWO_FACTORS = "https://proconnect.gouv.fr/assurance/self-asserted-2fa"


@pytest.fixture(autouse=True)
def _communes(juvignac, fabregues):
    return juvignac, fabregues


SENT = {"reason": "téléphone perdu"}


@pytest.fixture
def address():
    """What cannot be undone, of an act that is not there: the proof is asked before the act is looked for."""
    return f"/o/juvignac/actes/{uuid4()}/transmettre/"


def refused(client, address) -> bool:
    """True when this session has to prove again who it is."""
    answer = client.post(address, SENT)
    assert answer.status_code in (303, 404), answer.status_code
    assert answer.status_code == 404 or answer["Location"].startswith(ASKS)
    return answer.status_code == 303


def aged(client, seconds=3600):
    """The proofs of this session were made ``seconds`` ago."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - seconds
    session.save()
    return client


@pytest.fixture
def linked(proconnect, agent_client, juvignac):
    """``linked(login)`` -> an agent linked to this identity of ProConnect; without ``own``, they have nothing else."""

    def make(login="p.durable", *, password=False, own=False):
        client = agent_client(juvignac, "secretaire", email="seul@juvignac.test")
        account = client.account
        proconnect.log_in(client, login)
        assert client.post("/federation/relier/").status_code == 302
        if not password:
            account.set_unusable_password()
            account.save(update_fields=["password"])
        if not own:
            account.authenticator_set.all().delete()
        Account.objects.filter(pk=account.pk).update(created_at="2019-01-01T00:00Z")
        return account

    return make


@pytest.fixture
def alone(linked, proconnect):
    """The browser of an agent whom ProConnect alone lets in, logged in an hour ago."""
    account = linked()
    client = Client()
    proconnect.log_in(client, "p.durable")
    assert client.session["_auth_user_id"] == str(account.pk)
    client.account = account
    return aged(client)


def asked_for(client, address):
    """What leads to the page that asks for the proof."""
    answer = client.post(address, SENT)
    assert answer["Location"].startswith(ASKS)
    return answer["Location"]


def test_proconnect_is_asked_anew_for_two_factors_and_what_was_being_sent_goes_on(proconnect, alone, address):
    page = asked_for(alone, address)
    shown = alone.get(page).content.decode()
    assert "Confirmer avec ProConnect" in shown
    assert "Mot de passe" not in shown
    before = alone.session.session_key
    leaving = proconnect.leave(alone, next=page)
    asked = parameters(leaving)
    assert asked["prompt"] == "login"
    assert "max_age" not in asked
    claims = json.loads(asked["claims"])["id_token"]
    assert claims["auth_time"] == {"essential": True}
    assert claims["acr"]["essential"]
    assert TWO_FACTORS in claims["acr"]["values"]
    back = proconnect.come_back(alone, proconnect.choose(leaving, "p.durable"))
    assert back["Location"] == page
    resumed = alone.get(page)
    assert resumed["Location"].startswith("/mon-compte/securite/reprendre/?suite=")
    assert alone.session.session_key != before, "a new session identifier at each proof"
    assert 'value="téléphone perdu"' in alone.get(resumed["Location"]).content.decode()
    assert not refused(alone, address)


@pytest.mark.parametrize("fault", [{"session_of": 3600}, {"no_auth_time": True}], ids=["old", "undated"])
def test_a_session_that_was_open_there_proves_nothing_now(proconnect, alone, address, refusals, fault):
    page = asked_for(alone, address)
    proconnect.fault(**fault)
    answer = proconnect.log_in(alone, "p.durable", next=page)
    assert [reason for reason, _ in refusals()] == ["id_token.auth_time"]
    assert answer.status_code == 400
    assert "ProConnect a répondu sans vous redemander qui vous êtes" in answer.content.decode()
    assert f'href="{page}"' in answer.content.decode(), "the way back to the page that asks"
    assert "_auth_user_id" in alone.session
    assert alone.get(page).status_code == 200, "still asked"
    assert refused(alone, address)


def test_another_identity_confirms_nothing(proconnect, alone, address):
    proconnect.tell(people=[OTHER])
    page = asked_for(alone, address)
    answer = proconnect.log_in(alone, "p.autre", next=page)
    assert answer.status_code == 409
    assert "déjà relié à une autre identité" in answer.content.decode()
    assert refused(alone, address)


def test_the_identity_of_another_account_confirms_nothing(proconnect, alone, address, agent_client, juvignac):
    proconnect.tell(people=[OTHER])
    colleague = agent_client(juvignac, "secretaire")
    proconnect.log_in(colleague, "p.autre")
    assert colleague.post("/federation/relier/").status_code == 302
    page = asked_for(alone, address)
    answer = proconnect.log_in(alone, "p.autre", next=page)
    assert answer.status_code == 409
    assert "déjà reliée à un autre compte" in answer.content.decode()
    assert alone.session["_auth_user_id"] == str(alone.account.pk)
    assert refused(alone, address)


def test_a_level_below_two_factors_is_refused_to_whoever_has_none_here(proconnect, alone, address, refusals):
    page = asked_for(alone, address)
    proconnect.fault(lower_acr="eidas1")
    assert proconnect.log_in(alone, "p.durable", next=page).status_code == 400
    assert [reason for reason, _ in refusals()] == ["id_token.acr"]
    assert refused(alone, address)


def test_an_agent_with_a_code_and_no_password_gives_both(proconnect, linked, address):
    account = linked("m.simple", own=True)
    client = Client()
    second = proconnect.log_in(client, "m.simple")["Location"]
    client.post(second, {"code": code_of(account)})
    assert client.session["_auth_user_id"] == str(account.pk)
    from django.core.cache import cache

    cache.clear()  # the code of this half minute may serve again
    aged(client)
    page = asked_for(client, address)
    back = proconnect.log_in(client, "m.simple", next=page)
    assert back["Location"] == page
    shown = client.get(page).content.decode()
    assert "Il reste à donner votre second facteur" in shown
    assert refused(client, address), "one factor is not enough"
    token = page.partition("suite=")[2]
    answer = client.post(ASKS, {"code": code_of(account), "suite": token})
    assert answer["Location"].startswith("/mon-compte/securite/reprendre/")
    assert not refused(client, address)


def test_one_factor_of_proconnect_opens_the_page_where_a_second_one_is_chosen(proconnect, linked, address):
    linked("m.simple")
    client = Client()
    proconnect.log_in(client, "m.simple")
    aged(client)
    choosing = "/compte/mfa/totp/activate/"
    asked = client.get(choosing)["Location"]
    assert "Confirmer avec ProConnect" in client.get(asked, follow=True).content.decode()
    leaving = proconnect.leave(client, next=asked)
    assert "acr" not in json.loads(parameters(leaving)["claims"])["id_token"]
    assert client.get(choosing).status_code == 302, "not on a proof of an hour ago"
    proconnect.come_back(client, proconnect.choose(leaving, "m.simple"))
    assert client.get(choosing).status_code == 200
    assert client.post(address, SENT)["Location"] == "/mon-compte/securite/", "and nothing that asks for two"


def test_a_code_alone_is_not_enough_without_the_provider(proconnect, linked, address):
    account = linked("m.simple", own=True)
    client = Client()
    second = proconnect.log_in(client, "m.simple")["Location"]
    client.post(second, {"code": code_of(account)})
    from django.core.cache import cache

    cache.clear()
    page = asked_for(aged(client), address)
    assert "les deux sont demandés" in client.get(page).content.decode()
    client.post(ASKS, {"code": code_of(account), "suite": page.partition("suite=")[2]})
    assert refused(client, address)


def test_a_wrong_password_does_not_lose_the_way_through_the_provider(proconnect, linked, address):
    account = linked(password=True)
    client = Client()
    proconnect.log_in(client, "p.durable")
    assert client.session["_auth_user_id"] == str(account.pk)
    page = asked_for(aged(client), address)
    token = page.partition("suite=")[2]
    wrong = client.post(ASKS, {"password": "faux", "suite": token})
    assert wrong.status_code == 400
    assert f"?next=%2Fmon-compte%2Fsecurite%2Fconfirmer%2F%3Fsuite%3D{token}" in wrong.content.decode()


def test_proconnect_confirms_nothing_for_an_operator(proconnect, linked):
    account = linked(password=True)
    account.population, account.is_platform_administrator = "exploitation", True
    account.save()
    operator = Client()
    operator.force_login(account)
    operator.account = account
    prove_by_passkey(operator)
    page = aged(operator).get(f"{ASKS}?next=/plateforme/").content.decode()
    assert "Exploiter la plateforme demande votre clé" in page
    assert "Confirmer avec ProConnect" not in page


def test_login_reuses_the_session_of_proconnect_but_proves_nothing_recent(proconnect, linked, address):
    linked()
    client = Client()
    asked = parameters(proconnect.leave(client))
    assert "prompt" not in asked
    proconnect.fault(session_of=3600)
    assert proconnect.log_in(client, "p.durable").status_code == 302
    assert "_auth_user_id" in client.session
    assert client.get("/o/juvignac/seances/").status_code == 200
    assert refused(client, address)


def test_franceconnect_confirms_before_a_first_factor_is_added(franceconnect, browser):
    franceconnect.log_in(browser, "test")
    browser.post("/federation/nouveau-compte/", {"email": ""})
    choosing = "/compte/mfa/totp/activate/"
    assert browser.get(choosing).status_code == 200, "logged in a moment ago"
    asked = aged(browser).get(choosing)["Location"]
    assert "Confirmer avec FranceConnect" in browser.get(asked, follow=True).content.decode()
    franceconnect.log_in(browser, "test", next=asked)
    assert browser.get(asked, follow=True).redirect_chain[-1][0] == choosing


def test_franceconnect_that_dates_an_old_login_confirms_nothing(franceconnect, browser, refusals):
    franceconnect.log_in(browser, "test")
    browser.post("/federation/nouveau-compte/", {"email": ""})
    asked = aged(browser).post("/federation/franceconnect/delier/")["Location"]
    franceconnect.fault(session_of=3600)
    assert franceconnect.log_in(browser, "test", next=asked).status_code == 400
    assert [reason for reason, _ in refusals()] == ["id_token.auth_time"]
    assert browser.get(asked).status_code == 200, "still asked"
    franceconnect.fault(no_auth_time=True)
    assert franceconnect.log_in(browser, "test", next=asked)["Location"] == asked
    assert browser.get(asked).status_code == 302, "it always asks to log in, and need not say when"
