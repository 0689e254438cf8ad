"""Agents who log in by the directory of their commune: what a right answer opens, and what opens nothing."""

import re

import pytest
from django.test import Client

from parvis.core.federation import directories
from parvis.core.federation.models import Directory, DirectoryAgent
from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account, SecurityEvent
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.core.federation.conftest import parameters

pytestmark = pytest.mark.django_db
LOU, NOUR, VAL = "l.bureau", "n.double", "v.voisin"
ADDRESS = "lou.bureau@juvignac-essai.fr"
ACTOR = Actor("system", "")


@pytest.fixture
def directory(directory_server, proposal, juvignac, account_for):
    """The directory of Juvignac, in service; ``directory.server`` drives it."""
    return in_service(juvignac, directory_server, proposal(), account_for)


def in_service(organisation, server, form, account_for, **changed) -> Directory:
    values = {
        "issuer": form["issuer"], "client_id": "parvis", "secret": form["secret"], "algorithm": "RS256",
        "domains": [form["domains"]], "factor_claim": "", "factor_value": "",
        "claims": {"id": "oid", "given_name": "given_name", "family_name": "family_name", "email": "email"}, **changed,
    }  # fmt: skip
    with acting_for(organisation):
        found = directories.propose(organisation, values, actor=ACTOR)
    directories.approve(found, seen=found.fingerprint, by=account_for(organisation, "administrateur"), actor=ACTOR)
    with acting_for(organisation):
        found = Directory.objects.select_related("organisation").get(pk=found.pk)
    server.code = found.code
    client = {
        "client_id": "parvis",
        "redirect_uris": [found.redirect_uri],
        "post_logout_redirect_uris": [found.post_logout_redirect_uri],
    }
    server.tell(clients=[client])
    found.server = server
    return found


def who(client) -> Account | None:
    key = client.session.get("_auth_user_id")
    return Account.objects.get(pk=key) if key else None


def known(organisation) -> list[DirectoryAgent]:
    with acting_for(organisation):
        return list(DirectoryAgent.objects.filter(organisation=organisation))


# --- the login page -----------------------------------------------------------------------------------------
def test_the_directory_is_offered_by_the_domain_alone(directory, browser, account_for, juvignac):
    account_for(juvignac, "lecteur", email=ADDRESS)
    pages = [
        browser.post("/compte/login/", {"login": address, "password": ""}).content.decode()
        for address in (ADDRESS, "personne@juvignac-essai.fr")
    ]
    for page in pages:
        assert "Se connecter par l’annuaire de la commune de Juvignac" in page
        assert f"/federation/{directory.code}/" in page
    other = browser.post("/compte/login/", {"login": "lou@ailleurs.fr", "password": ""}).content.decode()
    assert "Se connecter par l’annuaire" not in other


def test_the_pages_of_the_organisation_lead_to_its_directory(directory, browser):
    page = browser.get("/compte/login/?next=/o/juvignac/").content.decode()
    assert f"/federation/{directory.code}/?next=%2Fo%2Fjuvignac%2F" in page
    assert directory.code not in browser.get("/compte/login/?next=/o/fabregues/").content.decode()


def test_a_suspended_directory_is_not_offered_and_answers_nothing(directory, browser, juvignac):
    with acting_for(juvignac):
        directories.suspend(directory, actor=ACTOR)
    assert browser.get(f"/federation/{directory.code}/").status_code == 404
    assert directory.code not in browser.get("/compte/login/?next=/o/juvignac/").content.decode()


# --- what is asked ------------------------------------------------------------------------------------------
def test_the_request_binds_the_answer_to_this_browser(directory, browser):
    asked = parameters(directory.server.leave(browser))
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"http://localhost:8000/federation/{directory.code}/retour/"
    assert asked["scope"] == "openid profile email"
    assert "claims" not in asked
    again = parameters(directory.server.leave(browser))
    assert {again[name] for name in ("state", "nonce")}.isdisjoint({asked[name] for name in ("state", "nonce")})


# --- the first login ----------------------------------------------------------------------------------------
def test_the_first_login_opens_an_account_without_any_right(directory, browser, juvignac, agent_client):
    answer = directory.server.log_in(browser, LOU)
    assert answer.status_code == 302
    account = who(browser)
    assert (account.email, account.full_name) == (ADDRESS, "Lou Bureau")
    assert (account.population, account.has_usable_password()) == ("agent", False)
    assert account.proved_address == ADDRESS
    assert not list(mandates_of(account))
    assert [row.subject for row in known(juvignac)] == ["oid-l.bureau"]
    assert "Votre compte attend ses droits" in browser.get("/mon-compte/").content.decode()
    assert browser.get("/o/juvignac/administration/annuaire/").status_code == 404
    page = agent_client(juvignac, "administrateur").get("/o/juvignac/administration/annuaire/").content.decode()
    assert re.search(r"lou\.bureau@juvignac-essai\.fr.*attend ses droits", page, re.S)
    with identity_of(account.pk):
        events = SecurityEvent.objects.filter(account=account).values_list("event", "method")
        assert ("user.registration", "annuaire") in set(events)
        assert ("user.login", "annuaire") in set(events)


def test_the_identifier_names_the_account_whatever_its_address_becomes(directory, juvignac):
    first, second = Client(), Client()
    directory.server.log_in(first, LOU)
    directory.server.fault(claims={"email": "lou.mariee@juvignac-essai.fr", "family_name": "Mariée"})
    directory.server.log_in(second, LOU)
    assert who(second) == who(first)
    assert who(second).email == ADDRESS


def test_somebody_who_took_over_an_address_does_not_take_over_the_account(directory, juvignac):
    first, second = Client(), Client()
    directory.server.log_in(first, LOU)
    directory.server.fault(claims={"oid": "oid-du-suivant"})
    answer = directory.server.log_in(second, LOU)
    assert who(second) is None
    assert "Un compte a déjà cette adresse" in answer.content.decode()


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"email": "lou@fabregues-essai.fr"}, "n’est pas dans un domaine"),
        ({"email": "lou@sous.juvignac-essai.fr"}, "n’est pas dans un domaine"),
        ({"email": "lou@pirate.test, lou@juvignac-essai.fr"}, "aucune adresse électronique vérifiée"),
        ({"email": ""}, "aucune adresse électronique vérifiée"),
        ({"email": None}, "aucune adresse électronique vérifiée"),
        ({"email_verified": False}, "aucune adresse électronique vérifiée"),
        ({"email_verified": "false"}, "aucune adresse électronique vérifiée"),
        ({"email_verified": 0}, "aucune adresse électronique vérifiée"),
        ({"given_name": ""}, "ni prénom ni nom"),
    ],
)  # fmt: skip
def test_what_the_directory_lacks_or_may_not_say_opens_nothing(directory, browser, juvignac, claims, sentence):
    directory.server.fault(claims=claims)
    answer = directory.server.log_in(browser, LOU)
    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    assert who(browser) is None
    assert not known(juvignac)


def test_the_domain_of_another_commune_is_refused_even_to_a_known_agent(directory, juvignac):
    directory.server.log_in(Client(), LOU)
    directory.server.fault(claims={"email": "val.voisin@fabregues-essai.fr"})
    browser = Client()
    assert directory.server.log_in(browser, LOU).status_code == 409
    assert who(browser) is None


def test_claims_out_of_the_table_give_nothing(directory, browser):
    directory.server.fault(claims={"roles": ["administrateur"], "population": "exploitation", "acr": "parvis:2"})
    directory.server.log_in(browser, LOU)
    account = who(browser)
    assert account.population == "agent"
    assert not account.is_platform_administrator
    assert not list(mandates_of(account))


# --- an account that is there already -------------------------------------------------------------------------
def test_an_agent_with_this_address_links_once_logged_in(directory, account_for, juvignac, logged_in):
    account = account_for(juvignac, "lecteur", email=ADDRESS)
    browser = Client()
    page = directory.server.log_in(browser, LOU).content.decode()
    assert who(browser) is None
    assert "next=%2Ffederation%2Fannuaire%2Frelier%2F" in page
    client = logged_in(account)
    answer = directory.server.log_in(client, LOU)
    assert answer["Location"] == "/federation/annuaire/relier/"
    assert not known(juvignac), "the holder has not confirmed yet"
    client.post("/federation/annuaire/relier/")
    assert [row.account_id for row in known(juvignac)] == [account.pk]
    after = Client()
    directory.server.log_in(after, LOU)
    assert who(after) == account


def test_linking_asks_for_a_fresh_proof(directory, account_for, juvignac, logged_in):
    client = logged_in(account_for(juvignac, "lecteur", email=ADDRESS))
    directory.server.log_in(client, LOU)
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    client.post("/federation/annuaire/relier/")
    assert not known(juvignac)


def test_a_usager_is_never_linked(directory, citizen, logged_in, juvignac):
    answer = directory.server.log_in(logged_in(citizen(email=ADDRESS)), LOU)
    assert answer.status_code == 409
    assert "comptes de ses agents" in answer.content.decode()
    assert not known(juvignac)


def test_an_agent_of_another_commune_is_not_linked(directory, account_for, fabregues, logged_in, juvignac):
    answer = directory.server.log_in(logged_in(account_for(fabregues, "lecteur")), LOU)
    assert answer.status_code == 409
    assert not known(juvignac)


def test_an_identity_is_never_moved_to_another_account(directory, account_for, juvignac, logged_in):
    directory.server.log_in(Client(), LOU)
    other = account_for(juvignac, "lecteur")
    answer = directory.server.log_in(logged_in(other), LOU)
    assert answer.status_code == 409
    assert [row.account.email for row in known(juvignac)] == [ADDRESS]


# --- the second factor ----------------------------------------------------------------------------------------
def strong(client) -> bool:
    return any(record.get("acr") == "eidas2" for record in client.session["account_authentication_methods"])


def test_what_the_directory_says_of_a_second_factor_counts_only_once_approved(directory, browser):
    directory.server.log_in(browser, NOUR)
    assert not strong(browser)


@pytest.mark.parametrize(("claim", "value"), [("amr", "mfa"), ("acr", "2")])
def test_an_approved_value_stands_for_a_second_factor(
    directory_server, proposal, juvignac, account_for, claim, value
):  # fmt: skip
    in_service(juvignac, directory_server, proposal(), account_for, factor_claim=claim, factor_value=value)
    double, simple = Client(), Client()
    directory_server.log_in(double, NOUR)
    directory_server.log_in(simple, LOU)
    assert (strong(double), strong(simple)) == (True, False)


def test_a_directory_answers_for_no_second_factor_in_another_organisation(
    directory_server, proposal, juvignac, fabregues, account_for
):
    in_service(juvignac, directory_server, proposal(), account_for, factor_claim="amr", factor_value="mfa")
    directory_server.log_in(first := Client(), NOUR)
    assert strong(first)
    account_for(fabregues, "maire", email=who(first).email)
    directory_server.log_in(second := Client(), NOUR)
    assert who(second) == who(first)
    assert not strong(second)


def test_a_level_that_proconnect_would_call_strong_is_worth_nothing_here(directory, browser):
    directory.server.fault(lower_acr="eidas3")
    directory.server.log_in(browser, LOU)
    assert not strong(browser)


# --- suspension and removal -----------------------------------------------------------------------------------
def test_a_suspended_account_stays_closed_whatever_the_directory_says(directory, browser):
    from parvis.core import clock

    directory.server.log_in(Client(), LOU)
    Account.objects.filter(email=ADDRESS).update(suspended_at=clock.now())
    directory.server.log_in(browser, LOU)
    assert who(browser) is None


@pytest.mark.parametrize("act", [directories.suspend, directories.remove], ids=["suspend", "remove"])
def test_taking_the_directory_away_ends_the_sessions_of_its_agents(directory, browser, juvignac, act):
    directory.server.log_in(browser, LOU)
    assert browser.get("/mon-compte/").status_code == 200
    with acting_for(juvignac):
        act(directory, actor=ACTOR)
    assert browser.get("/mon-compte/").status_code == 302
    assert Account.objects.filter(email=ADDRESS).exists()


# --- attacks ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"state": True}, "state"),
        ({"iss_callback": True}, "issuer"),
        ({"no_iss": True}, "issuer"),
        ({"iss_token": True}, "id_token.issuer"),
        ({"aud": True}, "id_token.audience"),
        ({"nonce": True}, "id_token.nonce"),
        ({"no_nonce": True}, "id_token.nonce"),
        ({"expired": True}, "id_token.dates"),
        ({"at_hash": True}, "id_token.at_hash"),
        ({"alg_none": True}, "id_token.algorithm"),
        ({"hs256": True}, "id_token.algorithm"),
        ({"unknown_kid": True}, "id_token.key"),
        ({"foreign_key": True}, "id_token.signature"),
        ({"embedded_key": True}, "id_token.signature"),
        ({"claims": {"oid": 7}}, "id_token.subject"),
        ({"claims": {"oid": ""}}, "id_token.subject"),
        ({"claims": {"oid": "x" * 256}}, "id_token.subject"),
    ],
    ids=str,
)
def test_a_forged_answer_opens_nothing(directory, browser, juvignac, directory_refusals, faults, reason):
    directory.server.fault(**faults)
    answer = directory.server.log_in(browser, LOU)
    assert answer.status_code == 400
    assert [one[1] for one in directory_refusals()] == [reason]
    assert who(browser) is None
    assert not known(juvignac)


@pytest.fixture
def directory_refusals(caplog):
    """``directory_refusals()`` -> (directory, reason, data) of each login refused."""
    from parvis.core.federation.views.arrivals import logger

    return lambda: [record.args for record in caplog.records if record.name == logger.name]


def test_an_answer_serves_once_and_in_its_own_browser(directory, browser):
    back = directory.server.choose(directory.server.leave(browser), LOU)
    assert directory.server.come_back(Client(), back).status_code == 400, "another browser"
    assert directory.server.come_back(browser, back).status_code == 302
    browser.logout()
    assert directory.server.come_back(browser, back).status_code == 400, "again"
    assert who(browser) is None


def test_the_answer_of_another_provider_is_not_taken_for_the_directory_s(directory, proconnect, browser):
    address = directory.server.leave(browser)
    state = parameters(address)["state"]
    answer = browser.get(f"/federation/proconnect/retour/?code=x&state={state}&iss={proconnect.issuer}")
    assert answer.status_code == 400
    assert who(browser) is None


def test_a_directory_that_does_not_promise_its_name_is_told_by_its_return_address(directory, browser):
    quiet = {"authorization_response_iss_parameter_supported": False}
    from django.core.cache import cache

    cache.clear()
    directory.server.fault(no_iss=True, discovery=quiet)
    directory.server.log_in(browser, LOU)
    assert who(browser).email == ADDRESS


# --- proving again, and leaving ---------------------------------------------------------------------------------
def test_a_proof_is_asked_again_of_the_directory(directory, browser):
    directory.server.log_in(browser, LOU)
    asked = parameters(browser.get("/federation/annuaire/?next=/mon-compte/")["Location"])
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    directory.server.fault(session_of=3600)
    back = directory.server.choose(browser.get("/federation/annuaire/")["Location"], LOU)
    stale = directory.server.come_back(browser, back)
    assert "sans vous redemander" in stale.content.decode()


def test_logout_goes_on_to_the_directory(directory, browser):
    import requests

    directory.server.log_in(browser, LOU)
    before = len(directory.server.ended)
    browser.post("/compte/logout/")
    address = browser.get("/federation/deconnexion/")["Refresh"].removeprefix("0; url=")
    assert parameters(address)["post_logout_redirect_uri"] == directory.post_logout_redirect_uri
    back = requests.get(address, allow_redirects=False, timeout=5)
    assert len(directory.server.ended) == before + 1
    directory.server.come_back(browser, back.headers["Location"])
    page = browser.get("/federation/deconnexion/").content.decode()
    assert "annuaire de la commune de Juvignac : vous êtes déconnecté." in page


# --- what the holder has --------------------------------------------------------------------------------------
def test_the_export_and_the_deletion_know_the_identity(directory, browser, juvignac):
    from parvis.core.federation import arrivals

    directory.server.log_in(browser, LOU)
    account = who(browser)
    assert [one["identifiant"] for one in arrivals.exported(account)] == ["oid-l.bureau"]
    assert "Annuaire de la commune de Juvignac" in browser.get("/federation/mes-identites/").content.decode()
    assert arrivals.forget(account) == 1
    assert not known(juvignac)
