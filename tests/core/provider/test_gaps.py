"""What the library leaves out and public services need: one test at least per gap that was found."""

import re
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.idp.oidc.models import Token
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser

from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider import keys, subjects
from parvis.core.provider.adapter import Adapter
from parvis.core.provider.models import Grant, Subject
from tests.core.provider.party import ISSUER, answered, login

pytestmark = pytest.mark.django_db


def events(account):
    with identity_of(account.pk):
        return list(SecurityEvent.objects.filter(account=account).values_list("event", flat=True))


# 1. max_age, acr_values, claims; auth_time, amr, acr, sid -----------------------------------------------------
def test_the_id_token_says_how_when_and_in_which_session_the_person_logged_in(site, citizen):
    before = time.time()
    browser = login(citizen, seconds_ago=50)
    after = time.time()
    claims = site.claims(site.tokens(browser)["id_token"])
    assert claims["acr"] == "parvis:1"
    assert claims["amr"] == ["pwd"]
    assert int(before) <= claims["auth_time"] + 50 <= after
    assert claims["nonce"] == site.nonce
    assert len(claims["sid"]) == 40
    assert claims["exp"] - claims["iat"] == 300


def test_two_factors_are_said(site, citizen):
    browser = login(citizen, methods=(("password", None), ("mfa", "totp")))
    claims = site.claims(site.tokens(browser)["id_token"])
    assert claims["acr"] == "parvis:2"
    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}


def test_a_session_that_proves_nothing_is_asked_to(site, citizen):
    browser = login(citizen, methods=())
    assert site.ask(browser)["Location"].startswith("/")
    assert answered(site.ask(browser, prompt="none"))["error"] == "login_required"


def test_max_age_asks_again_and_prompt_login_too(site, citizen):
    browser = login(citizen, seconds_ago=1000)
    assert "code" in answered(site.ask(browser, max_age="2000"))
    for asked in ({"max_age": "500"}, {"prompt": "login"}, {"max_age": "0"}):
        detour = site.ask(browser, **asked)
        assert detour.status_code == 302, asked
        assert detour["Location"].startswith("/"), asked
        assert "next=" in detour["Location"]


def test_after_proving_again_the_request_goes_on_with_what_it_asked(site, citizen):
    browser = login(citizen, seconds_ago=1000)
    detour = site.ask(browser, prompt="login", max_age="0")
    back = parse_qs(urlsplit(detour["Location"]).query)["next"][0]
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() + 1}]
    session.save()
    page = browser.get(back)
    assert page.status_code == 200
    assert b'http-equiv="refresh"' in page.content
    answer = browser.get(page.context["address"])
    assert answered(answer)["state"] == site.state
    tokens = site.exchange(answered(answer)["code"]).json()
    assert site.claims(tokens["id_token"])["auth_time"] >= int(time.time()) - 5


def test_coming_back_without_proving_again_goes_no_further(site, citizen):
    browser = login(citizen, seconds_ago=1000)
    back = parse_qs(urlsplit(site.ask(browser, prompt="login")["Location"]).query)["next"][0]
    again = browser.get(browser.get(back).context["address"])
    assert again.status_code == 302
    assert not again["Location"].startswith("https://site")


def test_prompt_login_asks_again_whoever_has_just_logged_in(site, citizen):
    browser = login(citizen, seconds_ago=60)
    page = browser.get(site.ask(browser, prompt="login")["Location"])
    assert page.status_code == 200
    assert page.request["PATH_INFO"] == "/mon-compte/securite/confirmer/"


@pytest.mark.parametrize(
    "asked",
    [
        {"claims": '{"id_token": {"acr": {"essential": true, "values": ["parvis:2"]}}}'},
        {"claims": '{"id_token": {"acr": {"essential": true, "value": "eidas1"}}}'},
        {"claims": '{"id_token": {"acr": {"essential": true, "value": "urn:inconnu"}}}'},
    ],
)
def test_a_level_that_the_account_cannot_reach_is_said(site, browser, asked):
    assert answered(site.ask(browser, **asked))["error"] == "unmet_authentication_requirements"


def test_a_level_that_is_only_wished_does_not_stop_the_person(site, browser):
    assert "code" in answered(site.ask(browser, acr_values="parvis:2"))


def test_the_level_that_the_registration_demands_cannot_be_lowered(make_site, juvignac, browser, citizen):
    site = make_site(juvignac, acr="parvis:2")
    assert answered(site.ask(browser, acr_values="parvis:1"))["error"] == "unmet_authentication_requirements"
    strong = login(citizen, methods=(("password", None), ("mfa", "totp")))
    assert "code" in answered(site.ask(strong, acr_values="parvis:1"))


def test_the_level_said_is_the_one_that_was_demanded(make_site, juvignac, site, citizen):
    both = login(citizen, methods=(("password", None), ("mfa", "totp"), ("franceconnect", None)))
    demanding = make_site(juvignac, acr="eidas1", name="Exige FranceConnect")
    assert demanding.claims(demanding.tokens(both)["id_token"])["acr"] == "eidas1"
    assert site.claims(site.tokens(both)["id_token"])["acr"] == "parvis:2", "the highest where nothing is asked"
    for asked, said in (("eidas1 parvis:2", "eidas1"), ("parvis:2 eidas1", "parvis:2"), ("inconnu", "parvis:2")):
        assert site.claims(site.tokens(both, acr_values=asked)["id_token"])["acr"] == said


def test_somebody_with_two_factors_is_asked_for_them(make_site, juvignac, agent_client):
    site = make_site(juvignac, acr="parvis:2")
    client = agent_client(juvignac, "secretaire")
    session = client.session
    session["account_authentication_methods"] = session["account_authentication_methods"][:1]
    session.save()
    detour = site.ask(client)
    assert detour.status_code == 302
    assert detour["Location"].startswith("/")
    assert answered(site.ask(client, prompt="none"))["error"] == "login_required"


def test_a_claim_on_the_subject_is_honoured(site, citizen, browser):
    sub = site.claims(site.tokens(browser)["id_token"])["sub"]
    same = site.ask(browser, claims=f'{{"id_token": {{"sub": {{"value": "{sub}"}}}}}}')
    assert "code" in answered(same)
    other = site.ask(browser, claims='{"id_token": {"sub": {"value": "autre"}}}')
    assert answered(other)["error"] == "login_required"


# 2. pairwise subjects -----------------------------------------------------------------------------------------
def test_two_communes_and_a_third_party_know_three_different_subjects(make_site, juvignac, fabregues, browser, citizen):
    own, second = make_site(juvignac), make_site(juvignac, name="Second site")
    other = make_site(fabregues, redirect_uris=["https://fabregues.test/retour"])
    third = make_site(juvignac, relation="tiers", agreement="demander")
    from parvis.core.provider import services

    services.allow(citizen, services.covered(citizen, third.service.client, third.service.scopes))
    subs = [s.claims(s.tokens(browser)["id_token"])["sub"] for s in (own, second, other, third)]
    assert subs[0] == subs[1]
    assert len(set(subs)) == 3
    assert not any(str(citizen.pk) == s or citizen.email in s for s in subs)
    sids = {s.claims(s.tokens(browser)["id_token"])["sid"] for s in (own, second, other, third)}
    assert len(sids) == 4, "the name of the session joins nobody either"


def test_both_hooks_of_the_library_follow(site, browser, citizen):
    sub = site.claims(site.tokens(browser)["id_token"])["sub"]
    client = site.service.client
    assert Adapter().get_user_sub(client, citizen) == sub
    assert Adapter().get_user_by_sub(client, sub) == citizen
    assert Adapter().get_user_by_sub(client, "inconnu") is None
    citizen.is_active = False
    citizen.save()
    assert Adapter().get_user_by_sub(client, sub) is None


def test_a_subject_is_read_by_its_person_and_by_the_organisation_of_its_sector_only(
    site, browser, citizen, account_for, fabregues, juvignac
):
    from parvis.core.organisations.tenancy import acting_for

    site.tokens(browser)
    other = account_for(fabregues, "lecteur")
    with identity_of(other.pk):
        assert not Subject.objects.exists()
        assert not Grant.objects.exists()
    with acting_for(fabregues):
        assert not Subject.objects.exists()
    with identity_of(citizen.pk):
        assert Subject.objects.count() == 1
    assert subjects.account_of(fabregues.pk, f"organisation:{juvignac.pk}", "x") is None


# 3. silent login on the first visit ---------------------------------------------------------------------------
def test_silent_login_works_on_the_first_visit_and_quickly_says_no(site, browser):
    assert "code" in answered(site.ask(browser, prompt="none"))
    nobody = Browser()
    site.ask(nobody, prompt="none")
    start = time.perf_counter()
    refused = answered(site.ask(nobody, prompt="none"))
    assert time.perf_counter() - start < 0.2
    assert refused["error"] == "login_required"
    assert refused["state"] == site.state
    assert refused["iss"] == ISSUER


def test_silent_login_says_that_consent_was_never_asked(make_site, juvignac, browser):
    site = make_site(juvignac, agreement="demander")
    assert answered(site.ask(browser, prompt="none"))["error"] == "consent_required"


# 4. a code played again ends what it gave ----------------------------------------------------------------------
def test_a_replayed_code_revokes_what_it_gave(make_site, juvignac, browser, citizen):
    site = make_site(juvignac, scopes=["openid", "profile", "offline_access"])
    code = site.code(browser)
    tokens = site.exchange(code).json()
    assert site.userinfo(tokens["access_token"]).status_code == 200
    replay = site.exchange(code)
    assert replay.status_code == 400
    assert replay.json()["error"] == "invalid_grant"
    assert site.userinfo(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert "oidc.code.replay" in events(citizen)


def test_an_old_code_gives_nothing(site, browser):
    code = site.code(browser)
    from datetime import timedelta

    from django.utils import timezone

    Token.objects.filter(type=Token.Type.AUTHORIZATION_CODE).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert site.exchange(code).json()["error"] == "invalid_grant"


# 5. a refresh token played again ends the family -----------------------------------------------------------------
def test_refresh_tokens_rotate_and_a_reused_one_ends_the_family(make_site, juvignac, browser, citizen):
    site = make_site(juvignac, scopes=["openid", "profile", "offline_access"])
    first = site.tokens(browser)
    second = site.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    claims, before = site.claims(second["id_token"]), site.claims(first["id_token"])
    assert (claims["sub"], claims["auth_time"]) == (before["sub"], before["auth_time"])
    assert site.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.userinfo(second["access_token"]).status_code == 401
    assert "oidc.refresh.reuse" in events(citizen)


def test_without_offline_access_there_is_no_refresh_token(site, browser):
    assert "refresh_token" not in site.tokens(browser)


def test_rotating_does_not_prolong_the_family(make_site, juvignac, browser):
    site = make_site(juvignac, scopes=["openid", "offline_access"], refresh_lifetime=3600)
    tokens = site.tokens(browser)
    ends = []
    for _ in range(2):
        tokens = site.refresh(tokens["refresh_token"]).json()
        ends.append(Token.objects.filter(type=Token.Type.REFRESH_TOKEN).latest("pk").expires_at)
    assert abs((ends[0] - ends[1]).total_seconds()) <= 1


def test_a_refresh_asks_for_less_and_never_for_more(make_site, juvignac, browser):
    site = make_site(juvignac, scopes=["openid", "profile", "offline_access"])
    tokens = site.tokens(browser, scope="openid offline_access")
    assert site.refresh(tokens["refresh_token"], scope="openid profile offline_access").status_code == 400
    less = site.refresh(tokens["refresh_token"], scope="openid").json()
    assert less["scope"] == "openid"


# 6. codes are shared by every process ----------------------------------------------------------------------------
def test_a_code_does_not_live_in_the_cache_of_a_process(site, browser):
    code = site.code(browser)
    cache.clear()
    assert site.exchange(code).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_exchanges_at_once_one_only_gets_tokens(make_site, juvignac, browser):
    site = make_site(juvignac)
    code = site.code(browser)
    answers = []

    def exchange():
        try:
            answers.append(site.exchange(code).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=exchange) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(answers) == [200, 400, 400, 400]


# 7. and 8. discovery ---------------------------------------------------------------------------------------------
def test_discovery_announces_what_is_offered_and_no_more(client, site, browser):
    facts = client.get("/.well-known/openid-configuration").json()
    assert facts["issuer"] == ISSUER
    assert facts["response_types_supported"] == ["code"]
    assert facts["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert facts["subject_types_supported"] == ["pairwise"]
    assert facts["id_token_signing_alg_values_supported"] == ["RS256"]
    assert facts["code_challenge_methods_supported"] == ["S256"]
    assert facts["authorization_response_iss_parameter_supported"] is True
    assert facts["backchannel_logout_supported"] is True
    assert "registration_endpoint" not in facts
    assert "device_authorization_endpoint" not in facts
    for name, address in facts.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert client.get(address.removeprefix(ISSUER)).status_code != 404, name
    for kind in ("token", "id_token", "code token", "code id_token", "none"):
        assert answered(site.ask(browser, response_type=kind))["error"] == "unsupported_response_type"
    tokens = site.tokens(browser)
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == "RS256"
    assert set(site.claims(tokens["id_token"])) <= {*facts["claims_supported"], "jti", "at_hash"}
    assert set(site.userinfo(tokens["access_token"]).json()) <= set(facts["claims_supported"])


@pytest.mark.parametrize(
    "grant", ["password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"]
)
def test_no_other_grant_is_offered(site, grant):
    answer = site.post("token", {"grant_type": grant, "username": "a", "password": "b", "scope": "openid"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


# 10. unknown site, bad address ------------------------------------------------------------------------------------
@pytest.mark.parametrize("changes", [{"client_id": "inconnu"}, {"client_id": None}, {"redirect_uri": None},
                                     {"redirect_uri": "https://ailleurs.test/"}])  # fmt: skip
def test_an_unknown_site_or_address_gets_a_page_and_no_redirection(site, browser, changes):
    answer = site.ask(browser, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer
    assert "Connexion impossible" in answer.content.decode()
    assert "ailleurs.test" not in answer.content.decode()


def test_a_site_not_approved_yet_or_suspended_is_unknown(make_site, juvignac, browser):
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.provider import services
    from tests.core.provider.party import ACTOR

    waiting = make_site(juvignac, approved=False)
    assert waiting.ask(browser).status_code == 400
    live = make_site(juvignac)
    tokens = live.tokens(browser)
    with acting_for(juvignac):
        services.suspend(live.service, actor=ACTOR)
    assert live.ask(browser).status_code == 400
    assert live.userinfo(tokens["access_token"]).status_code == 401
    assert live.exchange("x").json()["error"] == "invalid_client"


# 11. state and nonce ----------------------------------------------------------------------------------------------
def test_state_and_nonce_are_demanded_of_our_own_sites_only(make_site, juvignac, browser, citizen):
    own, third = make_site(juvignac), make_site(juvignac, relation="tiers", agreement="demander")
    for missing in ({"state": None}, {"nonce": None}):
        assert answered(own.ask(browser, **missing))["error"] == "invalid_request"
    from parvis.core.provider import services

    services.allow(citizen, services.covered(citizen, third.service.client, third.service.scopes))
    answer = answered(third.ask(browser, state=None, nonce=None))
    assert "code" in answer
    assert "state" not in answer
    assert "nonce" not in third.claims(third.exchange(answer["code"]).json()["id_token"])


# keys -------------------------------------------------------------------------------------------------------------
def test_keys_rotate_published_before_they_sign_and_after_they_stop(site, browser, settings, tmp_path, client):
    settings.PARVIS_SECRETS_DIR = tmp_path
    old = site.tokens(browser)["id_token"]
    kid = keys.rotate()
    published = {k["kid"] for k in client.get("/.well-known/jwks.json").json()["keys"]}
    assert kid in published, "the next key is published before it signs"
    assert len(published) == 2
    still = site.tokens(browser)["id_token"]
    assert jwt.get_unverified_header(still)["kid"] == jwt.get_unverified_header(old)["kid"] != kid
    at_once = keys.rotate(at_once=True)
    new = site.tokens(browser)["id_token"]
    assert jwt.get_unverified_header(new)["kid"] == at_once
    assert {k["kid"] for k in client.get("/.well-known/jwks.json").json()["keys"]} == {at_once}
    assert keys.purge() == 2
    for path in (tmp_path / "oidc").glob("*.json"):
        assert path.stat().st_mode & 0o077 == 0
    assert not any("d" in k for k in client.get("/.well-known/jwks.json").json()["keys"]), "no private part"


def test_the_command_rotates_and_says_so_in_the_log(settings, tmp_path, juvignac, capsys):
    from django.core.management import call_command

    from parvis.core.journal.models import Entry
    from parvis.core.organisations.tenancy import acting_for

    juvignac.kind = "metropole"
    juvignac.save()
    settings.PARVIS_SECRETS_DIR = tmp_path
    call_command("oidc_keys", "rotate")
    call_command("oidc_keys", "list")
    assert "Nouvelle clé" in capsys.readouterr().out
    with acting_for(juvignac):
        assert Entry.objects.filter(action="identite.evenement").exists()


def test_a_sealed_database_holds_neither_secret_nor_token_nor_key(make_site, juvignac, browser):
    site = make_site(juvignac, scopes=["openid", "offline_access"])
    code = site.code(browser)
    tokens = site.exchange(code).json()
    pem = keys.all_keys()[0].pem
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM allauth_idp_oidc_token t")
        content = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(c::text, ' ') FROM allauth_idp_oidc_client c")
        content += cursor.fetchone()[0]
    for secret in (code, tokens["access_token"], tokens["refresh_token"], site.secret, pem.splitlines()[1]):
        assert secret not in content


# statements -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("scopes", "statements"), [(["openid"], 9), (["openid", "offline_access"], 10)])
def test_an_exchange_asks_few_statements(make_site, juvignac, browser, django_assert_num_queries, scopes, statements):
    """The savepoint and what tells the database for whom it acts, at both ends, make four of them."""
    site = make_site(juvignac, scopes=scopes)
    code = site.code(browser)
    with django_assert_num_queries(statements):
        answer = site.exchange(code)
    assert answer.status_code == 200
    with django_assert_num_queries(7):
        site.userinfo(answer.json()["access_token"])


# the decision -----------------------------------------------------------------------------------------------------
def test_the_decision_names_tests_that_exist():
    root = Path(__file__).parents[3]
    written = "".join(path.read_text() for path in (root / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (root / "docs/decisions/0014-oidc-provider-on-allauth.md").read_text())
    assert len(named) > 12
    assert [name for name in named if f"def {name}(" not in written] == []
