"""Login through FranceConnect: what a right answer opens, and every wrong answer that must open nothing."""

import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from parvis.core import clock
from parvis.core.federation import client as fc
from parvis.core.federation.models import FederatedIdentity
from parvis.core.identity.models import Account
from parvis.core.organisations.tenancy import identity_of
from tests.core.federation.conftest import parameters
from tests.names import named

pytestmark = pytest.mark.django_db


def nobody(client) -> bool:
    return "_auth_user_id" not in client.session


def create_account(client, **form):
    return client.post("/federation/nouveau-compte/", form)


# --- what is asked ------------------------------------------------------------------------------------------
def test_request_carries_what_franceconnect_demands(franceconnect, browser):
    first, second = (parameters(franceconnect.leave(browser)) for _ in range(2))
    assert first["response_type"] == "code"
    assert first["acr_values"] == "eidas1"
    assert first["redirect_uri"] == "http://localhost:8000/federation/franceconnect/retour/"
    assert first["scope"].split()[0] == "openid"
    assert first["prompt"] == "login consent"
    for name in ("state", "nonce"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]


def test_pkce_is_sent_where_franceconnect_announces_it(franceconnect, browser):
    franceconnect.fault(announces_pkce=True)
    assert parameters(franceconnect.leave(browser))["code_challenge_method"] == "S256"


def test_return_address_never_comes_from_the_host_header(franceconnect, browser, settings):
    settings.ALLOWED_HOSTS = ["*"]
    answer = browser.get("/federation/franceconnect/", headers={"host": "pirate.test"})
    assert parameters(answer["Location"])["redirect_uri"].startswith("http://localhost:8000/")


def test_nothing_is_offered_where_nothing_is_configured(browser, db, settings):
    settings.PARVIS_FRANCECONNECT_ISSUER = settings.PARVIS_PROCONNECT_ISSUER = ""
    assert browser.get("/federation/franceconnect/").status_code == 404
    assert browser.get("/federation/inconnu/retour/?state=x").status_code == 404
    assert "FranceConnect" not in browser.get("/compte/login/").content.decode()


def test_demo_offers_both_buttons_each_with_its_words(sandbox, db, browser):
    from parvis_demo.stage import environment_of

    told = environment_of(sandbox.facts)
    assert told["PARVIS_FRANCECONNECT_ISSUER"] == sandbox.identity["franceconnect"]["issuer"]
    assert told["PARVIS_PROCONNECT_CLIENT_SECRET"] == sandbox.identity["proconnect"]["secret"]
    page = browser.get("/compte/login/?next=/espace/").content.decode()
    for code, label in (("franceconnect", "FranceConnect"), ("proconnect", "ProConnect")):
        (button,) = re.findall(rf'<a [^>]*href="/federation/{code}/\?next=%2Fespace%2F"[^>]*>.*?</a>', page)
        assert re.sub("<[^>]+>", "", button) == f"S’identifier avec {label}"
        assert "aria-label" not in button, "its name is what is read"
        about = f"Qu’est-ce que {label} ?"
        (address,) = re.findall(rf'<a href="([^"]+)">{re.escape(about)}</a>', page)
        assert f'<h1 class="mb-4">{about}</h1>' in browser.get(address).content.decode()


def test_official_drawing_takes_the_place_of_ours_where_it_is_installed(sandbox, db, browser, settings, tmp_path):
    settings.PARVIS_REFERENTIALS_DIR = tmp_path
    assert browser.get("/federation/proconnect/bouton.svg").status_code == 404
    (tmp_path / "boutons").mkdir()
    (tmp_path / "boutons" / "proconnect.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    page = browser.get("/compte/login/").content.decode()
    assert '<img src="/federation/proconnect/bouton.svg" alt="S’identifier avec ProConnect"' in page
    assert "<strong>FranceConnect</strong>" in page
    answer = browser.get("/federation/proconnect/bouton.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "sandbox; default-src 'none'" in answer["Content-Security-Policy"]
    (tmp_path / "boutons" / "proconnect.svg").write_bytes(b" " * (256 * 1024 + 1))
    assert browser.get("/federation/proconnect/bouton.svg").status_code == 404, "too large to be a button"
    for odd in ("inconnu", "..", "proconnect.svg"):
        assert browser.get(f"/federation/{odd}/bouton.svg").status_code == 404


def test_secret_may_come_from_a_file(db, settings, tmp_path):
    from parvis.core.federation.configuration import registration

    settings.PARVIS_FRANCECONNECT_ISSUER = "https://fc.test/api/v2"
    settings.PARVIS_FRANCECONNECT_CLIENT_ID = "parvis"
    settings.PARVIS_FRANCECONNECT_CLIENT_SECRET = ""
    settings.PARVIS_SECRETS_DIR = tmp_path
    assert registration("franceconnect") is None
    (tmp_path / "franceconnect-client-secret").write_text("secret\n")
    assert registration("franceconnect").client_secret == "secret"


# --- right answers ------------------------------------------------------------------------------------------
def test_first_login_offers_two_choices_then_an_account_without_password(franceconnect, browser, run_jobs):
    answer = franceconnect.log_in(browser, "test")
    assert answer["Location"] == "/federation/choix/"
    page = browser.get("/federation/choix/").content.decode()
    assert "J’ai déjà un compte" in page
    assert "Créer mon compte" in page
    assert nobody(browser)
    answer = create_account(browser, email="wossewodda-3728@yopmail.com")
    assert answer.status_code == 302, answer.content.decode()
    assert not nobody(browser)
    account = Account.objects.get(pk=browser.session["_auth_user_id"])
    assert account.population == "usager"
    assert not account.has_usable_password()
    assert (account.given_name, account.family_name) == ("Angela", "DUBOIS")
    assert not account.has_address, "an address that FranceConnect gives proves nothing"


@named
def test_the_name_that_franceconnect_gives_is_that_of_the_account(franceconnect, browser, monkeypatch, given, family):
    received = fc._identity

    def named_so(*arguments):
        identity = received(*arguments)
        told = {"given_name": given, "given_name_array": [given], "family_name": family}
        return replace(identity, claims=identity.claims | told)

    monkeypatch.setattr(fc, "_identity", named_so)
    franceconnect.log_in(browser, "test")
    answer = create_account(browser, email="")
    assert answer.status_code == 302, answer.content.decode()
    assert Account.objects.get(pk=browser.session["_auth_user_id"]).full_name == f"{given} {family}"


def test_the_same_identity_opens_the_same_account_again(franceconnect, browser, client):
    franceconnect.log_in(browser, "test")
    create_account(browser, email="")
    franceconnect.log_in(client, "test")
    assert client.session["_auth_user_id"] == browser.session["_auth_user_id"]
    assert Account.objects.count() == 1


def test_two_tabs_at_once_are_both_right(franceconnect, browser):
    one, two = (franceconnect.leave(browser) for _ in range(2))
    back_two = franceconnect.come_back(browser, franceconnect.choose(two, "test"))
    back_one = franceconnect.come_back(browser, franceconnect.choose(one, "test"))
    assert back_two["Location"] == back_one["Location"] == "/federation/choix/"


def test_page_wanted_is_found_again_and_a_foreign_one_is_not(franceconnect, browser, client):
    franceconnect.log_in(browser, "test", next="/espace/")
    assert create_account(browser, email="")["Location"] == "/espace/"
    answer = franceconnect.log_in(client, "test", next="https://pirate.test/")
    assert answer["Location"].startswith("/")


def test_access_token_is_kept_nowhere_and_the_identity_token_is_sealed(franceconnect, browser):
    franceconnect.log_in(browser, "test")
    kept = str(dict(browser.session))
    assert "DUBOIS" not in kept
    assert "eyJ" not in kept, "no token in clear"
    create_account(browser, email="")
    kept = str(dict(browser.session))
    assert "eyJ" not in kept
    assert "access_token" not in kept
    assert browser.session["federation.tokens"]["franceconnect"]


def test_session_is_renewed_at_login(franceconnect, browser):
    franceconnect.log_in(browser, "test")
    before = browser.session.session_key
    create_account(browser, email="")
    assert browser.session.session_key != before


def test_keys_renewed_by_the_provider_are_fetched_once(franceconnect, browser, client):
    franceconnect.log_in(browser, "test")
    franceconnect.tell(rotate=True)
    before = franceconnect.counts["jwks"]
    assert franceconnect.log_in(client, "test")["Location"] == "/federation/choix/"
    assert franceconnect.counts["jwks"] == before + 1


def test_discovery_is_read_once_an_hour(franceconnect, browser):
    franceconnect.leave(browser)
    before = franceconnect.counts["openid-configuration"]
    franceconnect.log_in(browser, "test")
    assert franceconnect.counts["openid-configuration"] == before


# --- refusals and wrong answers -----------------------------------------------------------------------------
def test_refusal_is_told_with_the_other_ways(franceconnect, browser, refusals):
    answer = franceconnect.log_in(browser, None)
    assert [reason for reason, _ in refusals()] == ["declined"]
    assert answer.status_code == 200
    assert "rien n’a été transmis" in answer.content.decode()
    assert "Se connecter autrement" in answer.content.decode()
    assert nobody(browser)


# What the provider lies about, the check that refuses it, and what the log says of it besides.
LIES = {
    "state": ({"state": True}, "state", {}),
    "issuer_of_the_return": ({"iss_callback": True}, "issuer", {}),
    "kind_of_access_token": ({"token_type": True}, "token_answer", {}),
    "alg_none_id_token": ({"alg_none": "id_token"}, "id_token.algorithm", {"alg": "none"}),
    "hs256_with_the_public_key": ({"hs256": "id_token"}, "id_token.algorithm", {"alg": "HS256"}),
    "unknown_kid": ({"unknown_kid": "id_token"}, "id_token.key", {}),
    "key_of_another": ({"foreign_key": "id_token"}, "id_token.signature", {"cause": "BadSignatureError"}),
    "key_inside_the_token": ({"embedded_key": "id_token"}, "id_token.signature", {"cause": "BadSignatureError"}),
    "issuer_of_the_token": ({"iss_token": "id_token"}, "id_token.issuer", {}),
    "audience": ({"aud": "id_token"}, "id_token.audience", {}),
    "expired": ({"expired": "id_token"}, "id_token.dates", {}),
    "nonce": ({"nonce": True}, "id_token.nonce", {}),
    "no_nonce": ({"no_nonce": True}, "id_token.nonce", {}),
    "at_hash": ({"at_hash": True}, "id_token.at_hash", {}),
    "lower_acr": ({"lower_acr": "eidas0"}, "id_token.acr", {"acr": "eidas0"}),
    "userinfo_refused": ({"userinfo_error": True}, "userinfo.status", {"status": 401}),
    "userinfo_in_json": ({"userinfo_json": True}, "userinfo.media_type", {"media_type": "application/json"}),
    "alg_none_userinfo": ({"alg_none": "userinfo"}, "userinfo.algorithm", {"alg": "none"}),
    "hs256_userinfo": ({"hs256": "userinfo"}, "userinfo.algorithm", {"alg": "HS256"}),
    "unknown_kid_userinfo": ({"unknown_kid": "userinfo"}, "userinfo.key", {}),
    "key_of_another_userinfo": ({"foreign_key": "userinfo"}, "userinfo.signature", {"cause": "BadSignatureError"}),
    "key_inside_the_userinfo": ({"embedded_key": "userinfo"}, "userinfo.signature", {"cause": "BadSignatureError"}),
    "issuer_of_the_userinfo": ({"iss_token": "userinfo"}, "userinfo.issuer", {}),
    "audience_of_the_userinfo": ({"aud": "userinfo"}, "userinfo.audience", {}),
    "expired_userinfo": ({"expired": "userinfo"}, "userinfo.dates", {}),
    "userinfo_of_somebody_else": ({"userinfo_sub": True}, "userinfo.another_subject", {}),
}


@pytest.mark.parametrize("lie", LIES, ids=list(LIES))
def test_every_lie_opens_nothing_and_is_refused_by_its_own_check(franceconnect, browser, refusals, lie):
    franceconnect.log_in(browser, "test")
    create_account(browser, email="")
    other = type(browser)()
    faults, reason, facts = LIES[lie]
    franceconnect.fault(**faults)
    answer = franceconnect.log_in(other, "test")
    assert refusals() == [(reason, {"reason": reason, **facts})]
    assert answer.status_code == 400
    assert nobody(other)
    assert "federation.pending" not in other.session
    page = answer.content.decode()
    assert "Se connecter autrement" in page
    assert "Traceback" not in page


def test_a_failed_login_is_logged_with_its_reason(franceconnect, browser, monkeypatch):
    from parvis.core.federation.views import login

    logged = []
    monkeypatch.setattr(login, "audit", lambda event, **facts: logged.append((event, facts["data"]["reason"])))
    for lie in ("nonce", "audience", "userinfo_in_json", "issuer_of_the_token", "issuer_of_the_return"):
        faults, reason, _ = LIES[lie]
        franceconnect.fault(**faults)
        franceconnect.log_in(browser, "test")
        assert logged.pop() == ("user.login.failure", reason)


def test_a_code_that_the_provider_does_not_know_is_refused(franceconnect, browser, refusals):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    code = parameters(back)["code"]
    assert franceconnect.come_back(browser, back.replace(code, "un-code-invente")).status_code == 400
    assert [reason for reason, _ in refusals()] == ["token_endpoint"]


def test_a_return_without_code_is_refused(franceconnect, browser, refusals):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    assert franceconnect.come_back(browser, back.replace("code=", "autre=")).status_code == 400
    assert [reason for reason, _ in refusals()] == ["code"]


def test_the_issuer_is_looked_at_before_the_error(franceconnect, browser, refusals):
    franceconnect.fault(iss_callback=True)
    assert franceconnect.log_in(browser, None).status_code == 400
    assert [reason for reason, _ in refusals()] == ["issuer"]


def test_acr_lower_than_the_one_demanded_is_refused(franceconnect, browser, settings, refusals):
    settings.PARVIS_FRANCECONNECT_ACR = "eidas2"
    address = franceconnect.leave(browser)
    assert parameters(address)["acr_values"] == "eidas2"
    settings.PARVIS_FRANCECONNECT_ACR = "eidas1"
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    settings.PARVIS_FRANCECONNECT_ACR = "eidas2"
    assert franceconnect.come_back(browser, back).status_code == 400
    assert refusals() == [("id_token.acr", {"reason": "id_token.acr", "acr": "eidas1"})]


def test_level_that_is_not_allowed_comes_back_as_an_error(franceconnect, browser, settings, refusals):
    settings.PARVIS_FRANCECONNECT_ACR = "eidas3"
    address = franceconnect.leave(browser)
    back = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
    assert parameters(back)["error"] == "invalid_acr"
    answer = franceconnect.come_back(browser, back)
    assert "n’a pas pu terminer" in answer.content.decode()
    assert refusals() == [("provider_error", {"reason": "provider_error", "error": "invalid_acr"})]


def test_unknown_keys_do_not_make_us_call_the_provider_at_will(franceconnect, browser, refusals):
    franceconnect.log_in(browser, "test")
    franceconnect.fault(unknown_kid=True)
    before = franceconnect.counts["jwks"]
    for _ in range(3):
        assert franceconnect.log_in(browser, "test").status_code == 400
    assert franceconnect.counts["jwks"] == before + 1
    assert [reason for reason, _ in refusals()] == ["id_token.key"] * 3


def test_answer_of_another_browser_is_refused(franceconnect, browser, client, refusals):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    assert franceconnect.come_back(client, back).status_code == 400
    assert [reason for reason, _ in refusals()] == ["state"]
    assert nobody(client)


def test_replayed_return_is_refused(franceconnect, browser, refusals):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    assert franceconnect.come_back(browser, back).status_code == 302
    answer = franceconnect.come_back(browser, back)
    assert answer.status_code == 400
    assert "a déjà servi" in answer.content.decode()
    assert [reason for reason, _ in refusals()] == ["state"]


def test_stale_return_is_refused(franceconnect, browser, monkeypatch, refusals):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    later = clock.now() + timedelta(minutes=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    answer = franceconnect.come_back(browser, back)
    assert answer.status_code == 400
    assert "trente minutes" in answer.content.decode()
    assert [reason for reason, _ in refusals()] == ["stale"]


def test_answer_of_one_provider_is_not_taken_for_the_others(franceconnect, proconnect, browser, refusals):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    mixed_up = back.replace("/federation/franceconnect/", "/federation/proconnect/")
    assert franceconnect.come_back(browser, mixed_up).status_code == 400
    assert franceconnect.come_back(browser, back).status_code == 400, "a state serves once, right or wrong"
    assert [reason for reason, _ in refusals()] == ["mixed_up", "state"]


def test_return_without_anything_is_refused(franceconnect, browser, refusals):
    assert browser.get("/federation/franceconnect/retour/").status_code == 400
    assert [reason for reason, _ in refusals()] == ["state"]


def test_identity_waits_half_an_hour_and_no_more(franceconnect, browser, monkeypatch):
    franceconnect.log_in(browser, "test")
    later = clock.now() + timedelta(minutes=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert create_account(browser, email="")["Location"] == "/compte/login/"
    assert not Account.objects.exists()


# --- a provider in trouble ----------------------------------------------------------------------------------
def unavailable(refused) -> list[str]:
    assert all(reason == "unavailable" for reason, _ in refused)
    return [facts["cause"] for _, facts in refused]


def test_provider_down_is_told_with_the_other_ways(franceconnect, browser, refusals):
    franceconnect.fault(down=True)
    answer = browser.get("/federation/franceconnect/")
    assert answer.status_code == 503
    assert "ne répond pas" in answer.content.decode()
    assert unavailable(refusals()) == ["status 503"]
    assert "Se connecter autrement" in answer.content.decode()


def test_silent_provider_holds_no_worker_twice(franceconnect, browser, refusals):
    franceconnect.fault(slow={"/.well-known/openid-configuration": 8})
    assert browser.get("/federation/franceconnect/").status_code == 503
    began = time.monotonic()
    assert browser.get("/federation/franceconnect/").status_code == 503
    assert time.monotonic() - began < 1
    assert unavailable(refusals()) == ["ReadTimeout", "silent a moment ago"]


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/jwks"])
def test_slow_provider_makes_nobody_wait_five_seconds(franceconnect, browser, refusals, path):
    back = franceconnect.choose(franceconnect.leave(browser), "test")
    franceconnect.fault(slow={path: 8})
    began = time.monotonic()
    answer = franceconnect.come_back(browser, back)
    assert time.monotonic() - began < 5
    assert answer.status_code == 503
    ((reason, facts),) = refusals()
    assert (reason, facts["cause"], facts["url"]) == ("unavailable", "ReadTimeout", franceconnect.issuer + path)
    assert nobody(browser)


def test_closed_port_is_a_provider_that_does_not_answer(browser, db, settings, sandbox, refusals):
    settings.PARVIS_FRANCECONNECT_ISSUER = "http://127.0.0.1:9/api/v2"
    assert browser.get("/federation/franceconnect/").status_code == 503
    assert unavailable(refusals()) == ["ConnectionError"]


def test_discovery_that_names_another_issuer_is_refused(franceconnect, browser, refusals):
    franceconnect.fault(iss_discovery=True)
    assert browser.get("/federation/franceconnect/").status_code == 503
    assert unavailable(refusals()) == ["the discovery document names another issuer"]


# --- who the account is -------------------------------------------------------------------------------------
def test_suspended_account_stays_closed_and_learns_nothing_more(franceconnect, browser, client):
    franceconnect.log_in(browser, "test")
    create_account(browser, email="")
    Account.objects.update(suspended_at=clock.now(), is_active=False)
    answer = franceconnect.log_in(client, "test")
    assert answer.status_code == 302
    assert nobody(client)


def test_identity_of_another_is_not_shown_by_the_database(franceconnect, browser, citizen):
    franceconnect.log_in(browser, "test")
    create_account(browser, email="")
    assert not FederatedIdentity.objects.exists()
    with identity_of(citizen().pk):
        assert not FederatedIdentity.objects.exists()
    with identity_of(int(browser.session["_auth_user_id"])):
        assert FederatedIdentity.objects.count() == 1
