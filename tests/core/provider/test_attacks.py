"""Attacks on the provider: each gets an answer that gives nothing and tells no more than it should."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import urlencode

import jwt
import pytest
from django.core import signing
from django.test import Client as Browser

from parvis.core import clock
from parvis.core.identity.models import Mandate, SecurityEvent
from parvis.core.organisations.models import Role
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider import keys, services
from parvis.core.provider.adapter import Adapter
from parvis.core.provider.claims import readable
from parvis.core.provider.models import Consent
from tests.core.provider.party import ACTOR, BACK, ISSUER, answered, login

pytestmark = pytest.mark.django_db


# --- where the answer goes ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    [
        BACK + "/",
        BACK + "?x=1",
        BACK + "#a",
        BACK.upper(),
        BACK.replace("site.", "SITE."),
        BACK.replace("https:", "HTTPS:"),
        BACK.replace("https:", "http:"),
        BACK.replace("site.juvignac.test", "site.juvignac.test:443"),
        BACK.replace("https://", "https://moi@"),
        BACK.replace("https://site.juvignac.test", "https://site.juvignac.test@ailleurs.test"),
        BACK.replace("/retour", "/./retour"),
        BACK.replace("/retour", "/%72etour"),
        BACK.replace("/retour", "//retour"),
        BACK.replace("site.juvignac.test", "site.juvignac.test.ailleurs.test"),
        BACK.replace("site.juvignac.test", "*.juvignac.test"),
        BACK.replace("https://", "https:\\\\"),
        BACK + "\n",
        " " + BACK,
        "//site.juvignac.test/retour",
        "javascript:alert(1)",
        "/retour",
        "",
    ],
)
def test_an_address_that_is_not_the_registered_one_to_the_letter_is_refused(site, browser, address):
    answer = site.ask(browser, redirect_uri=address)
    assert answer.status_code == 400
    assert "Location" not in answer


def test_an_address_given_twice_is_refused(site, browser):
    query = urlencode([*site.question().items(), ("redirect_uri", "https://ailleurs.test/")])
    assert browser.get(f"/identite/o/authorize?{query}").status_code == 400
    query = urlencode([*site.question().items(), ("scope", "openid")])
    assert answered(browser.get(f"/identite/o/authorize?{query}"))["error"] == "invalid_request"


def test_the_address_is_checked_again_against_the_code(make_site, juvignac, browser):
    site = make_site(juvignac, redirect_uris=[BACK, "https://site.juvignac.test/autre"])
    code = site.code(browser)
    assert site.exchange(code, redirect_uri="https://site.juvignac.test/autre").status_code == 400
    assert site.exchange(code, redirect_uri=None).status_code == 400


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "ey.ey.ey"}, "request_not_supported"),
        ({"request_uri": "https://ailleurs.test/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid agent"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "un"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[" * 3000}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"id_token_hint": "ey.ey.ey"}, "invalid_request"),
        ({"nonce": "n" * 5000}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_to_the_site_with_its_state_and_our_name(site, browser, asked, error):
    refused = answered(site.ask(browser, **asked))
    assert (refused["error"], refused["state"], refused["iss"]) == (error, site.state, ISSUER)
    assert refused["error_description"].isascii()


# --- PKCE -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "court"},
    ],
)
def test_pkce_cannot_be_left_out_nor_weakened(site, browser, changes):
    assert answered(site.ask(browser, **changes))["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", [None, "x" * 43, ""])
def test_a_code_without_its_verifier_gives_nothing(site, browser, verifier):
    answer = site.exchange(site.code(browser), code_verifier=verifier)
    assert answer.status_code == 400
    assert "access_token" not in answer.content.decode()


# --- clients --------------------------------------------------------------------------------------------------------
def test_a_site_cannot_use_the_code_nor_the_refresh_token_of_another(make_site, juvignac, fabregues, browser):
    mine = make_site(juvignac, scopes=["openid", "offline_access"])
    thief = make_site(fabregues, redirect_uris=[BACK], scopes=["openid", "offline_access"])
    code = mine.code(browser)
    assert thief.exchange(code, code_verifier=mine.verifier).json()["error"] == "invalid_grant"
    tokens = mine.exchange(code).json()
    assert thief.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    thief.post("revoke", {"token": tokens["access_token"]})
    thief.post("revoke", {"token": tokens["refresh_token"]})
    assert mine.userinfo(tokens["access_token"]).status_code == 200
    assert mine.refresh(tokens["refresh_token"]).status_code == 200


def test_a_wrong_or_missing_secret_is_refused_and_a_public_client_needs_none(make_site, juvignac, browser):
    site = make_site(juvignac)
    code = site.code(browser)
    wrong = site.post("token", {"grant_type": "authorization_code", "code": code}, secret="faux")
    assert wrong.status_code == 401
    assert wrong.json()["error"] == "invalid_client"
    site.secret = None
    assert site.exchange(code).status_code == 401
    public = make_site(juvignac, type="public", name="Application")
    assert public.exchange(public.code(browser)).status_code == 200


def test_the_secret_goes_one_way_only(site, browser):
    code = site.code(browser)
    answer = site.exchange(code, client_id=site.client_id, client_secret=site.secret)
    assert answer.json()["error"] == "invalid_client", "in the header and in the body at once (RFC 6749, 2.3)"
    pair, site.secret = site.secret, None
    assert site.exchange(code, client_id=site.client_id, client_secret=pair).status_code == 200


def test_a_site_revokes_its_tokens(make_site, juvignac, browser):
    site = make_site(juvignac, scopes=["openid", "offline_access"])
    tokens = site.tokens(browser)
    assert site.post("revoke", {"token": tokens["access_token"]}).status_code == 200
    assert site.userinfo(tokens["access_token"]).status_code == 401
    newer = site.refresh(tokens["refresh_token"]).json()
    site.post("revoke", {"token": newer["refresh_token"]})
    assert site.userinfo(newer["access_token"]).status_code == 401
    assert site.refresh(newer["refresh_token"]).status_code == 400


# --- tokens ---------------------------------------------------------------------------------------------------------
def test_an_access_token_is_taken_from_the_header_only(site, browser):
    token = site.tokens(browser)["access_token"]
    assert site.http.get(f"/identite/o/userinfo?access_token={token}").status_code == 401
    assert site.http.post("/identite/o/userinfo", {"access_token": token}).status_code == 401
    refused = site.userinfo("faux")
    assert refused.status_code == 401
    assert "Bearer" in refused["WWW-Authenticate"]


def test_the_id_token_is_no_access_token(site, browser):
    tokens = site.tokens(browser)
    assert site.userinfo(tokens["id_token"]).status_code == 401


@pytest.mark.parametrize("how", ["suspended", "inactive"])
def test_a_suspended_account_gets_nothing_more(make_site, juvignac, browser, citizen, how):
    site = make_site(juvignac, scopes=["openid", "profile", "offline_access"])
    tokens, code = site.tokens(browser), site.code(browser)
    if how == "suspended":
        citizen.suspended_at = clock.now()
    else:
        citizen.is_active = False
    citizen.save()
    assert site.userinfo(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).status_code == 400
    assert site.exchange(code).status_code == 400
    answer = site.ask(browser)
    assert "code=" not in answer.get("Location", "")


def forged(kind, claims):
    public = keys.load(keys.all_keys()[0].pem)[1].public_key()
    if kind == "none":
        return jwt.encode(claims, None, algorithm="none")
    if kind == "hs256":  # the public key, which everybody has, used as a shared secret
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        kid = keys.load(keys.all_keys()[0].pem)[0]["kid"]
        part = lambda d: base64.urlsafe_b64encode(json.dumps(d).encode()).rstrip(b"=")  # noqa: E731
        head = part({"alg": "HS256", "typ": "JWT", "kid": kid}) + b"." + part(claims)
        mark = base64.urlsafe_b64encode(hmac.new(pem, head, hashlib.sha256).digest()).rstrip(b"=")
        return (head + b"." + mark).decode()
    from cryptography.hazmat.primitives.asymmetric import rsa

    kid = keys.load(keys.all_keys()[0].pem)[0]["kid"]
    other = rsa.generate_private_key(65537, 2048)
    return jwt.encode(claims, other, algorithm="RS256", headers={"kid": kid})


@pytest.mark.parametrize("kind", ["none", "hs256", "other_key"])
def test_a_forged_hint_neither_logs_out_nor_names_anybody(site, browser, kind):
    claims = site.claims(site.tokens(browser)["id_token"])
    hint = forged(kind, claims)
    assert answered(site.ask(browser, id_token_hint=hint))["error"] == "invalid_request"
    page = browser.get("/identite/o/logout?" + urlencode({"id_token_hint": hint, "client_id": site.client_id}))
    assert page.status_code == 200
    assert "Voulez-vous vous déconnecter" in page.content.decode()
    assert "code" in answered(site.ask(browser, prompt="none")), "still logged in"


def test_a_hint_issued_by_somebody_else_is_refused(site, browser, settings):
    claims = site.claims(site.tokens(browser)["id_token"])
    key = keys.load(Adapter().get_signing_key().pem)
    mixed = jwt.encode({**claims, "iss": "https://ailleurs.test"}, key[1], "RS256", headers={"kid": key[0]["kid"]})
    assert answered(site.ask(browser, id_token_hint=mixed))["error"] == "invalid_request"


def test_a_hint_for_another_site_or_another_person_does_not_pass(make_site, juvignac, site, browser, account_for):
    other = make_site(juvignac, name="Autre")
    hint = site.tokens(browser)["id_token"]
    assert answered(other.ask(browser, id_token_hint=hint))["error"] == "invalid_request"
    neighbour = login(account_for(juvignac, "lecteur"), methods=(("password", None), ("mfa", "totp")))
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(neighbour.account, generate_totp_secret())
    assert answered(site.ask(neighbour, id_token_hint=hint))["error"] == "login_required"


# --- the name of the provider ---------------------------------------------------------------------------------------
def test_the_issuer_does_not_follow_the_host_of_the_request(site, browser, settings):
    settings.ALLOWED_HOSTS = ["*"]
    facts = Browser().get("/.well-known/openid-configuration", headers={"Host": "ailleurs.test"}).json()
    assert facts["issuer"] == ISSUER
    assert "ailleurs" not in json.dumps(facts)
    answer = browser.get("/identite/o/authorize?" + urlencode(site.question()), headers={"Host": "ailleurs.test"})
    assert answered(answer)["iss"] == ISSUER


def test_every_answer_names_the_issuer(site, browser):
    assert answered(site.ask(browser))["iss"] == ISSUER
    assert answered(site.ask(browser, scope="profile"))["iss"] == ISSUER
    assert answered(site.ask(Browser(), prompt="none"))["iss"] == ISSUER


# --- consent --------------------------------------------------------------------------------------------------------
@pytest.fixture
def asking(make_site, juvignac):
    return make_site(juvignac, relation="tiers", agreement="demander", name="Prestataire")


def test_consent_lists_values_is_kept_and_asked_once(asking, browser, citizen):
    page = asking.ask(browser)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Prestataire souhaite vous connaître" in text
    assert "Camille" in text
    assert "camille@exemple.test" in text
    assert "given_name" not in text
    assert "Commune de Juvignac" in text
    assert "form-action 'self' https://site.juvignac.test" in page.headers["Content-Security-Policy"]
    answer = browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "accepter"})
    tokens = asking.exchange(answered(answer)["code"]).json()
    assert asking.userinfo(tokens["access_token"]).json()["email"] == "camille@exemple.test"
    assert "code" in answered(asking.ask(browser)), "not asked twice"
    assert asking.ask(browser, prompt="consent").status_code == 200
    assert answered(asking.ask(browser, prompt="none")).get("code")


def test_a_narrower_request_gives_less_and_a_wider_one_asks_again(asking, browser, citizen):
    page = asking.ask(browser, scope="openid profile")
    answer = browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "accepter"})
    tokens = asking.exchange(answered(answer)["code"]).json()
    assert "email" not in asking.userinfo(tokens["access_token"]).json()
    assert asking.ask(browser, scope="openid profile email").status_code == 200


def test_a_refusal_is_said_to_the_site_and_nothing_is_kept(asking, browser, citizen):
    page = asking.ask(browser)
    answer = answered(
        browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "refuser"})
    )
    assert answer["error"] == "access_denied"
    assert answer["state"] == asking.state
    with identity_of(citizen.pk):
        assert not Consent.objects.exists()
        assert SecurityEvent.objects.filter(event="user.service.sso.refusal", account=citizen).exists()


def test_consent_cannot_be_given_from_elsewhere(asking, citizen, account_for, juvignac):
    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = login(citizen).cookies
    page = asking.ask(careful)
    signed = page.context["signed"]
    assert careful.post("/identite/o/consentement", {"demande": signed, "decision": "accepter"}).status_code == 403
    neighbour = login(account_for(juvignac, "lecteur"))
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(neighbour.account, generate_totp_secret())
    assert neighbour.post("/identite/o/consentement", {"demande": signed, "decision": "accepter"}).status_code == 400
    for made_up in ("", "x", signing.dumps({"account": citizen.pk, "reprise": "x"}, salt="autre")):
        assert login(citizen).post("/identite/o/consentement", {"demande": made_up}).status_code == 400


def test_a_request_kept_too_long_is_not_resumed(asking, browser, monkeypatch):
    page = asking.ask(browser)
    monkeypatch.setattr("parvis.core.provider.views.login.CONSENT_LASTS", -1)
    answer = browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "accepter"})
    assert answer.status_code == 400


def test_a_resumed_request_is_checked_like_a_new_one(site, browser):
    made_up = signing.dumps(
        {"parameters": site.question(redirect_uri="https://ailleurs.test/"), "started": 0, "tried": False},
        salt="provider.authorization",
    )
    for path in ("authorize", "suite"):
        assert browser.get(f"/identite/o/{path}?reprise={made_up}").status_code == 400
        assert browser.get(f"/identite/o/{path}?reprise=faux").status_code == 400


# --- who may log in -------------------------------------------------------------------------------------------------
def test_a_site_for_agents_refuses_citizens_and_one_for_members_refuses_others(
    make_site, juvignac, fabregues, browser, account_for, agent_client
):
    agents = make_site(juvignac, populations=["agent"])
    assert answered(agents.ask(browser))["error"] == "access_denied"
    members = make_site(juvignac, members_only=True, scopes=["openid", "agent"])
    assert answered(members.ask(agent_client(fabregues, "secretaire")))["error"] == "access_denied"
    member = agent_client(juvignac, "secretaire")
    claims = members.userinfo(members.tokens(member)["access_token"]).json()
    assert claims["organizational_unit"] == "Commune de Juvignac"
    assert claims["roles"] == ["secretaire"]
    assert claims["siret"] == juvignac.siret


def test_prolonged_access_ends_with_the_mandate_or_the_admission(make_site, juvignac, agent_client):
    members = make_site(juvignac, members_only=True, scopes=["openid", "agent", "offline_access"])
    citizens = make_site(juvignac, name="Pour tous", scopes=["openid", "offline_access"])
    member = agent_client(juvignac, "secretaire")
    held, other = members.tokens(member), citizens.tokens(member)
    code = members.code(member)
    with acting_for(juvignac):
        Mandate.objects.update(start=clock.today() - timedelta(9), end=clock.today() - timedelta(1))
    assert members.userinfo(held["access_token"]).status_code == 401
    assert members.refresh(held["refresh_token"]).status_code == 400
    assert members.exchange(code).status_code == 400
    assert citizens.userinfo(other["access_token"]).status_code == 200, "open to whoever has an account"
    client = citizens.service.client
    client.refresh_from_db()
    client.data["site"]["populations"] = ["usager"]
    client.save()
    assert citizens.userinfo(other["access_token"]).status_code == 401
    assert citizens.refresh(other["refresh_token"]).status_code == 400


def test_a_suspended_site_reads_nobody_any_more(make_site, juvignac, browser):
    site = make_site(juvignac, scopes=["openid", "offline_access"])
    tokens = site.tokens(browser)
    with acting_for(juvignac):
        services.suspend(site.service, actor=ACTOR)
    assert site.userinfo(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).status_code == 401


def test_an_own_role_is_said_by_its_code(make_site, juvignac, agent_client):
    site = make_site(juvignac, scopes=["openid", "agent"])
    member = agent_client(juvignac, "secretaire")
    with acting_for(juvignac):
        own = Role.objects.create(
            organisation=juvignac,
            label="Agent d’accueil",
            slug="accueil",
            permissions=["actes.lire"],
            created_at=clock.now(),
        )
        Mandate.objects.update(role="", own_role=own)
    assert site.userinfo(site.tokens(member)["access_token"]).json()["roles"] == ["accueil"]
    shown = readable(member.account, services.Site.of(site.service.client), ["agent.roles"])
    assert ("Rôles dans l’organisation", "Agent d’accueil") in shown


def test_consent_is_kept_for_an_address_whose_query_is_written_otherwise(make_site, juvignac, browser, citizen):
    back = "https://site.juvignac.test/retour?a=x%2Fy~%7e&b"
    site = make_site(juvignac, relation="tiers", agreement="demander", redirect_uris=[back])
    page = site.ask(browser)
    answer = browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "accepter"})
    assert "code" in answered(answer)
    assert "code" in answered(site.ask(browser)), "not asked twice"


def test_a_site_learns_the_roles_of_its_own_organisation_only(
    make_site, juvignac, fabregues, account_for, agent_client
):
    site = make_site(juvignac, scopes=["openid", "agent"])
    client = agent_client(juvignac, "lecteur", email="deux@roles.test")
    account_for(fabregues, "dgs", email="deux@roles.test")
    claims = site.userinfo(site.tokens(client)["access_token"]).json()
    assert claims["roles"] == ["lecteur"]


def test_withdrawing_consent_ends_what_the_site_holds(asking, browser, citizen):
    services.allow(citizen, services.covered(citizen, asking.service.client, asking.service.scopes))
    token = asking.tokens(browser)["access_token"]
    assert services.withdraw(citizen, asking.client_id)
    assert asking.userinfo(token).status_code == 401
    assert asking.ask(browser).status_code == 200, "asked again"
    assert not services.withdraw(citizen, asking.client_id)


def test_post_of_the_request_becomes_a_get_without_cookies_being_used(site, browser):
    answer = browser.post("/identite/o/authorize", site.question())
    assert answer.status_code == 303
    assert answer["Location"].startswith("/identite/o/authorize?")


# --- pairs that do not match ----------------------------------------------------------------------------------------
def test_the_address_of_another_site_is_not_a_way_back(make_site, juvignac, fabregues, browser):
    first = make_site(juvignac)
    second = make_site(
        fabregues, name="Second", redirect_uris=["https://second.test/retour"],
        post_logout_uris=["https://second.test/fin"],
    )  # fmt: skip
    assert first.ask(browser, redirect_uri=second.redirect_uri).status_code == 400
    assert second.ask(browser, redirect_uri=first.redirect_uri).status_code == 400
    code = first.code(browser)
    assert second.exchange(code, redirect_uri=first.redirect_uri, code_verifier=first.verifier).status_code == 400
    hint = first.tokens(browser)["id_token"]
    for client_id in (first.client_id, second.client_id):
        wanted = {"id_token_hint": hint, "client_id": client_id}
        way_back = second if client_id == first.client_id else first
        wanted["post_logout_redirect_uri"] = way_back.service.post_logout_uris[0]
        assert browser.get("/identite/o/logout?" + urlencode(wanted)).status_code == 400
    assert "code" in answered(first.ask(browser, prompt="none")), "and nobody was logged out by it"


def test_the_hint_of_another_person_or_site_logs_nobody_out(make_site, juvignac, browser, account_for):
    site, other = make_site(juvignac), make_site(juvignac, name="Autre")
    neighbour = login(account_for(juvignac, "lecteur"), methods=(("password", None), ("mfa", "totp")))
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(neighbour.account, generate_totp_secret())
    theirs, mine = site.tokens(neighbour)["id_token"], site.tokens(browser)["id_token"]
    for wanted in ({"id_token_hint": theirs}, {"id_token_hint": mine, "client_id": other.client_id}):
        page = browser.get("/identite/o/logout?" + urlencode(wanted))
        assert page.status_code == 200
        assert "Voulez-vous vous déconnecter" in page.content.decode()
    assert "code" in answered(site.ask(browser, prompt="none"))


def test_what_we_sign_for_something_else_is_no_hint(site, browser):
    """A logout token names the person and the session as well, under the same key."""
    claims = site.claims(site.tokens(browser)["id_token"])
    jwk, key = keys.load(Adapter().get_signing_key().pem)
    other = jwt.encode(claims, key, "RS256", headers={"kid": jwk["kid"], "typ": "logout+jwt"})
    assert answered(site.ask(browser, id_token_hint=other))["error"] == "invalid_request"
    page = browser.get("/identite/o/logout?" + urlencode({"id_token_hint": other}))
    assert "Voulez-vous vous déconnecter" in page.content.decode()


# --- frames ---------------------------------------------------------------------------------------------------------
def test_the_pages_where_a_person_decides_are_shown_in_no_frame(asking, browser):
    browser.get("/")
    for page in (asking.ask(browser), browser.get(f"/identite/o/logout?client_id={asking.client_id}")):
        assert page.status_code == 200
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
        assert page["Cache-Control"] == "no-store"


# --- values that no base holds --------------------------------------------------------------------------------------
ODD = ["\x00", "a\x00b", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "é", " ", "x" * 5000]


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_get_an_answer(site, browser, odd):
    assert site.ask(browser, client_id=odd).status_code == 400
    assert site.ask(browser, redirect_uri=odd).status_code == 400
    for name in ("nonce", "state", "scope", "prompt", "login_hint"):
        assert site.ask(browser, **{name: odd}).status_code in (200, 302), name
    for name in ("client_id", "id_token_hint", "state"):
        assert browser.get("/identite/o/logout?" + urlencode({name: odd})).status_code == 200, name
    for name in ("client_id", "code", "redirect_uri", "code_verifier", "refresh_token", "client_assertion"):
        fields = {"grant_type": "authorization_code", "code": "x", name: odd}
        assert site.post("token", fields).status_code in (400, 401), name
        assert site.http.post("/identite/o/token", fields).status_code in (400, 401), name
    assert site.post("revoke", {"token": odd}).status_code in (200, 400)
    assert site.userinfo(odd.replace("\x00", "")).status_code == 401


def test_a_control_character_is_told_to_the_site(site, browser):
    assert answered(site.ask(browser, nonce="a\x00b"))["error"] == "invalid_request"


def test_an_assertion_from_a_name_that_cannot_be_one_is_refused(site):
    for name in ("a\x00", "\ud800", "x" * 200):
        made_up = jwt.encode({"iss": name, "sub": name}, "k" * 40, "HS256", headers={"kid": "k"})
        fields = {"grant_type": "authorization_code", "code": "x", "client_assertion": made_up}
        assert site.http.post("/identite/o/token", fields).status_code == 401


@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_a_field_given_twice_is_refused(site, browser, endpoint):
    code = site.code(browser)
    fields = {
        "grant_type": "authorization_code", "code": [code, code], "redirect_uri": site.redirect_uri,
        "code_verifier": site.verifier, "token": ["x", "y"],
    }  # fmt: skip
    answer = site.post(endpoint, fields)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_a_code_in_the_address_is_refused(site, browser):
    """An address ends in logs (RFC 6749, 3.2)."""
    code = site.code(browser)
    pair = base64.b64encode(f"{site.client_id}:{site.secret}".encode()).decode()
    query = urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": site.redirect_uri,
                       "code_verifier": site.verifier})  # fmt: skip
    answer = site.http.post(f"/identite/o/token?{query}", headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 400


# --- suspension -----------------------------------------------------------------------------------------------------
def test_what_was_issued_before_a_suspension_stays_dead_after_it(make_site, juvignac, browser):
    site = make_site(juvignac, scopes=["openid", "offline_access"])
    tokens, code = site.tokens(browser), site.code(browser)
    with acting_for(juvignac):
        services.suspend(site.service, actor=ACTOR)
        services.reactivate(site.service, actor=ACTOR)
    assert site.userinfo(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.exchange(code).json()["error"] == "invalid_grant"
    assert site.tokens(browser)["access_token"]


# --- applications in a browser --------------------------------------------------------------------------------------
def test_an_application_in_a_browser_reads_the_answers_from_its_own_pages_only(make_site, juvignac, browser):
    public = make_site(juvignac, type="public", name="Application")
    secret = make_site(juvignac, name="Serveur")
    for site, origin, read in (
        (public, "https://site.juvignac.test", True),
        (public, "https://ailleurs.test", False),
        (public, "null", False),
        (secret, "https://site.juvignac.test", False),
    ):
        site.http.defaults["HTTP_ORIGIN"] = origin
        answer = site.exchange(site.code(browser))
        assert answer.status_code == 200
        for shown in (answer, site.userinfo(answer.json()["access_token"])):
            assert shown.headers.get("Access-Control-Allow-Origin") == (origin if read else None)
            assert "Access-Control-Allow-Credentials" not in shown.headers
    for endpoint in ("token", "userinfo", "revoke"):
        before = Browser().options(f"/identite/o/{endpoint}")
        assert before.status_code == 204
        assert "Authorization" in before["Access-Control-Allow-Headers"]
