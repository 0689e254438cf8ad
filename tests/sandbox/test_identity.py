"""The simulated providers, spoken to as any client would: what they accept, what they refuse, how they lie."""

import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from parvis_sandbox import identity

SITE = "http://parvis.test"


class Clock:
    def __init__(self):
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self):
        return self.at


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def providers(clock):
    running = identity.start(clock, sites=(SITE,))
    yield running
    running.stop()


@pytest.fixture(params=["franceconnect", "proconnect"])
def provider(request, providers):
    yield request.param, providers.providers[request.param]
    providers.providers[request.param].faults = {}


def question(name, **changed):
    asked = {
        "response_type": "code",
        "client_id": "parvis",
        "redirect_uri": f"{SITE}/federation/{name}/retour/",
        "scope": "openid given_name email",
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
    }
    if name == "franceconnect":
        asked["acr_values"] = "eidas1"
    return {k: v for k, v in {**asked, **changed}.items() if v is not None}


def ask(provider, asked):
    return requests.get(f"{provider.issuer}/authorize", params=asked, timeout=5)


def come_back(page, login):
    action = re.search(r'action="([^"]+)/choisir"', page.text).group(1)
    origin = "http://" + urlsplit(page.url).netloc
    answer = requests.post(f"{origin}{action}/choisir", {"login": login}, allow_redirects=False, timeout=5)
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def first(provider):
    return next(iter(provider.people))


def exchange(provider, code, **changed):
    client = provider.clients["parvis"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uris[0],
        "client_id": "parvis",
        "client_secret": client.client_secret,
        **changed,
    }
    return requests.post(f"{provider.issuer}/token", form, timeout=5)


def read(provider, token):
    jwks = requests.get(f"{provider.issuer}/jwks", timeout=5).json()
    return jwt.decode(token, KeySet.import_key_set(jwks), algorithms=["ES256"]).claims


def test_code_becomes_a_signed_identity(provider):
    name, running = provider
    asked = question(name)
    back = come_back(ask(running, asked), first(running))
    assert back["state"] == asked["state"]
    assert back["iss"] == running.issuer
    told = exchange(running, back["code"]).json()
    claims = read(running, told["id_token"])
    assert claims["nonce"] == asked["nonce"]
    assert claims["aud"] == "parvis"
    assert "at_hash" in claims
    answer = requests.get(
        f"{running.issuer}/userinfo", headers={"Authorization": f"Bearer {told['access_token']}"}, timeout=5
    )
    assert answer.headers["Content-Type"] == "application/jwt"
    info = read(running, answer.text)
    assert info["sub"] == claims["sub"]
    assert "given_name" in info
    assert "birthdate" not in info, "only what the scopes ask for"


def test_code_serves_once_and_its_replay_kills_the_token(provider):
    name, running = provider
    back = come_back(ask(running, question(name)), first(running))
    token = exchange(running, back["code"]).json()["access_token"]
    replay = exchange(running, back["code"])
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    answer = requests.get(f"{running.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_code_dies_after_thirty_seconds_and_the_token_after_sixty(provider, clock):
    name, running = provider
    back = come_back(ask(running, question(name)), first(running))
    clock.at += timedelta(seconds=31)
    assert exchange(running, back["code"]).json()["error"] == "invalid_grant"
    back = come_back(ask(running, question(name)), first(running))
    token = exchange(running, back["code"]).json()["access_token"]
    clock.at += timedelta(seconds=61)
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{running.issuer}/userinfo", headers=headers, timeout=5).status_code == 401


@pytest.mark.parametrize(
    ("name", "changed", "code"),
    [
        ("franceconnect", {"nonce": None}, "Y030007"),
        ("franceconnect", {"state": None}, "Y030007"),
        ("franceconnect", {"acr_values": None}, "Y030007"),
        ("franceconnect", {"client_id": "inconnu"}, "Y04EA6EF"),
        ("franceconnect", {"redirect_uri": f"{SITE}/ailleurs/"}, "Y04C013C"),
        ("proconnect", {"prix": "1"}, "Y000400"),
        ("proconnect", {"redirect_uri": f"{SITE}/federation/proconnect/retour"}, "Y030031"),
    ],
)
def test_errors_of_the_service_stay_on_the_providers_page(providers, name, changed, code):
    page = ask(providers.providers[name], question(name, **changed))
    assert page.status_code == 400
    assert code in page.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scope": "email"}, "invalid_request"),
        ({"acr_values": "eidas3"}, "invalid_acr"),
        ({"prompt": "none"}, "invalid_request"),
        ({"prompt": ""}, "invalid_request"),
    ],
)
def test_errors_that_come_back_to_the_service(providers, changed, error):
    running = providers.providers["franceconnect"]
    asked = question("franceconnect", **changed)
    answer = requests.get(f"{running.issuer}/authorize", params=asked, allow_redirects=False, timeout=5)
    assert f"error={error}&" in answer.headers["Location"]
    assert asked["state"] in answer.headers["Location"]


def test_wrong_secret_is_refused(provider):
    name, running = provider
    back = come_back(ask(running, question(name)), first(running))
    assert exchange(running, back["code"], client_secret="faux").status_code == 401


def test_two_services_know_the_same_person_by_different_subjects(provider):
    from dataclasses import replace

    _, running = provider
    one = running.clients["parvis"]
    person = running.people[first(running)]
    assert running.subject(one, person) != running.subject(replace(one, client_id="autre"), person)


def test_logout_wants_a_token_of_ours_and_a_registered_address(provider):
    name, running = provider
    back = come_back(ask(running, question(name)), first(running))
    token = exchange(running, back["code"]).json()["id_token"]
    out = f"{SITE}/federation/{name}/sortie/"

    def end(**asked):
        return requests.get(f"{running.issuer}/session/end", params=asked, allow_redirects=False, timeout=5)

    answer = end(id_token_hint=token, post_logout_redirect_uri=out, state="etat")
    assert answer.headers["Location"] == f"{out}?state=etat"
    assert "Y030111" in end(id_token_hint=token, post_logout_redirect_uri="http://ailleurs.test/").text
    assert end(post_logout_redirect_uri=out).status_code == 400


def test_proconnect_refuses_a_second_factor_that_nobody_can_prove(providers):
    running = providers.providers["proconnect"]
    wanted = {"id_token": {"acr": {"essential": True, "values": ["eidas2"]}}}
    asked = question("proconnect", claims=json.dumps(wanted))
    assert come_back(ask(running, asked), "m.simple")["error"] == "access_denied"
    assert "code" in come_back(ask(running, asked), "p.durable")


def test_control_sets_faults_and_people(providers):
    running = providers.providers["proconnect"]
    control = providers.control_url("proconnect")
    person = {"login": "n.neuf", "claims": {"given_name": "Neuf", "email": "neuf@juvignac.test"}}
    told = requests.post(control, json={"faults": {"down": True}, "people": [person]}, timeout=5).json()
    assert "n.neuf" in told["people"]
    assert requests.get(f"{running.issuer}/jwks", timeout=5).status_code == 503
    requests.post(control, json={"faults": {}}, timeout=5)
    assert requests.get(f"{running.issuer}/jwks", timeout=5).status_code == 200


def test_without_a_file_a_few_invented_citizens_are_offered():
    logins = [person.login for person in identity.people.read_citizens(None)]
    assert logins == ["lou", "sacha", "noor", "alix"]


def test_the_38_fictional_identities_are_read(shared_dir):
    path = shared_dir / "samples" / "identity" / "franceconnect-test-identities.csv"
    people = {p.login: p.claims for p in identity.people.read_citizens(path)}
    assert len(people) == 38
    assert people["naissance_Algérie"]["birthplace"] == ""
    assert "email" not in people["sans_mail"]
    assert people["plusieurs_prénoms_3"]["given_name_array"] == ["Jean", "Philippe", "Arnaud"]
