"""Sites that prove themselves by a key: what is accepted, and every way of pretending."""

import json
import threading
import time
import uuid
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from parvis.core.organisations.tenancy import acting_for
from parvis.core.provider import assertions, services
from parvis.core.provider.models import AssertionUse
from parvis.core.provider.services import RegistrationRefused
from tests.core.provider.party import ACTOR, ISSUER, registration

pytestmark = pytest.mark.django_db
RSA = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
TOKEN = f"{ISSUER}/identite/o/token"


def public(key, kid, **changes):
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    written = json.loads(algorithm.to_jwk(key.public_key()))
    return {**written, "kid": kid, "use": "sig", **changes}


KEYS = {"keys": [public(RSA, "r1"), public(CURVE, "c1")]}


@pytest.fixture
def site(make_site, juvignac):
    return make_site(juvignac, authentication="cle", jwks=KEYS)


def assertion(site, key=RSA, algorithm="RS256", header=None, **changes):
    now = int(time.time())
    claims = {
        "iss": site.client_id, "sub": site.client_id, "aud": TOKEN, "jti": uuid.uuid4().hex, "iat": now,
        "exp": now + 120, **changes,
    }  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers={"kid": "c1" if key is CURVE else "r1", **(header or {})})


def exchange(site, code, proof, **changes):
    return site.http.post("/identite/o/token", {
        "grant_type": "authorization_code", "code": code, "redirect_uri": site.redirect_uri,
        "code_verifier": site.verifier, "client_assertion_type": assertions.TYPE, "client_assertion": proof, **changes,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("key", "algorithm", "aud"),
    [(RSA, "RS256", TOKEN), (RSA, "PS256", ISSUER), (CURVE, "ES256", [TOKEN])],
)
def test_a_site_proves_itself_by_its_key(site, browser, key, algorithm, aud):
    answer = exchange(site, site.code(browser), assertion(site, key, algorithm, aud=aud))
    assert answer.status_code == 200, answer.content
    assert site.claims(answer.json()["id_token"])["aud"] == site.client_id


def test_a_site_refreshes_and_revokes_by_its_key(make_site, juvignac, browser):
    site = make_site(juvignac, authentication="cle", jwks=KEYS, scopes=["openid", "offline_access"])
    tokens = exchange(site, site.code(browser), assertion(site)).json()
    proof = {"client_assertion_type": assertions.TYPE, "client_id": site.client_id}
    refreshed = site.http.post("/identite/o/token", {
        "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
        "client_assertion": assertion(site), **proof,
    })  # fmt: skip
    assert refreshed.status_code == 200
    token = refreshed.json()["access_token"]
    revoked = site.http.post("/identite/o/revoke", {"token": token, "client_assertion": assertion(site), **proof})
    assert revoked.status_code == 200
    assert site.userinfo(token).status_code == 401


def hs256_with_the_public_key(site):
    """The public key, which everybody has, used as a shared secret (key confusion)."""
    import base64
    import hashlib
    import hmac

    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, claims, _ = assertion(site).split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "r1"}).encode()).decode().rstrip("=")
    mark = base64.urlsafe_b64encode(hmac.new(pem, f"{head}.{claims}".encode(), hashlib.sha256).digest())
    return f"{head}.{claims}.{mark.decode().rstrip('=')}"


REFUSED = {
    "another key": lambda s: assertion(s, STRANGER),
    "no algorithm": lambda s: assertion(s, None, "none"),
    "the public key as a secret": hs256_with_the_public_key,
    "an algorithm that is not offered": lambda s: assertion(s, RSA, "RS512"),
    "a key of another kind": lambda s: assertion(s, CURVE, "ES256", {"kid": "r1"}),
    "its key inside": lambda s: assertion(s, STRANGER, header={"jwk": public(STRANGER, "r1")}),
    "its key elsewhere": lambda s: assertion(s, STRANGER, header={"jku": "https://ailleurs.test/", "kid": "x"}),
    "no name of key": lambda s: jwt.encode(jwt.decode(assertion(s), options={"verify_signature": False}), RSA, "RS256"),
    "an unknown name of key": lambda s: assertion(s, header={"kid": "r2"}),
    "a critical extension": lambda s: assertion(s, header={"crit": ["x"], "x": 1}),
    "somebody else": lambda s: assertion(s, sub="autre"),
    "another issuer": lambda s: assertion(s, iss="autre"),
    "another audience": lambda s: assertion(s, aud="https://ailleurs.test/token"),
    "our audience among others": lambda s: assertion(s, aud=[TOKEN, "https://ailleurs.test/"]),
    "no audience": lambda s: assertion(s, aud=None),
    "no end": lambda s: assertion(s, exp=None),
    "an end too far": lambda s: assertion(s, exp=int(time.time()) + 600),
    "an end that is past": lambda s: assertion(s, exp=int(time.time()) - 120, iat=int(time.time()) - 200),
    "a beginning to come": lambda s: assertion(s, nbf=int(time.time()) + 200),
    "no jti": lambda s: assertion(s, jti=None),
    "an empty jti": lambda s: assertion(s, jti=""),
    "an endless jti": lambda s: assertion(s, jti="x" * 300),
    "nothing": lambda s: "",
    "no token": lambda s: "a.b.c",
    "not ASCII": lambda s: "é.é.é",
    "too long": lambda s: assertion(s, more="x" * 9000),
    "lists for names": lambda s: "eyJhbGciOlsiUlMyNTYiXSwia2lkIjpbInIxIl19.eyJpc3MiOlsieCJdfQ.AAAA",
}


@pytest.mark.parametrize("how", REFUSED)
def test_whatever_else_proves_nothing(site, browser, how):
    code = site.code(browser)
    answer = exchange(site, code, REFUSED[how](site))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert exchange(site, code, assertion(site)).status_code == 200, "and the code still serves its site"


def test_an_assertion_serves_once(site, browser):
    proof = assertion(site)
    assert exchange(site, site.code(browser), proof).status_code == 200
    assert exchange(site, site.code(browser), proof).json()["error"] == "invalid_client"
    renamed = assertion(site, jti="x")
    assert exchange(site, site.code(browser), renamed).status_code == 200
    assert exchange(site, site.code(browser), assertion(site, jti="x")).status_code == 401, "another one, same name"
    assert assertions.purge() == 0
    AssertionUse.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert assertions.purge() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_at_once_one_only_serves(make_site, juvignac, browser):
    site = make_site(juvignac, authentication="cle", jwks=KEYS)
    codes, proof, answers = [], assertion(site), []
    for _ in range(3):
        codes.append((site.code(browser), site.verifier))

    def use(code, verifier):
        try:
            answers.append(exchange(site, code, proof, code_verifier=verifier).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=pair) for pair in codes]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(answers) == [200, 401, 401]


def test_two_sites_with_one_key_are_not_taken_for_one_another(make_site, juvignac, site, browser):
    other = make_site(juvignac, name="Même prestataire", authentication="cle", jwks=KEYS)
    code = site.code(browser)
    assert exchange(site, code, assertion(other)).json()["error"] == "invalid_grant"
    assert exchange(site, code, assertion(other), client_id=site.client_id).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "changes", [{"client_secret": "x"}, {"client_assertion_type": "autre"}, {"client_id": "autre"}]
)
def test_one_proof_and_no_more(site, browser, changes):
    assert exchange(site, site.code(browser), assertion(site), **changes).status_code == 401


def test_a_secret_and_a_key_do_not_replace_one_another(make_site, juvignac, site, browser, platform_admin):
    with acting_for(juvignac), pytest.raises(RegistrationRefused, match="pas de secret"):
        services.rotate_secret(site.service, actor=ACTOR)
    site.secret = "deviné"
    assert site.exchange(site.code(browser)).status_code == 401
    by_secret = make_site(juvignac, name="Par secret")
    code = by_secret.code(browser)
    assert exchange(by_secret, code, assertion(by_secret)).status_code == 401
    with acting_for(juvignac):
        services.change(by_secret.service, registration(authentication="cle", jwks=KEYS), actor=ACTOR)
    assert by_secret.exchange(code).status_code == 200, "until the platform approves it"
    with acting_for(juvignac):
        changed = services.service_for(juvignac.pk, by_secret.service.pk)
        services.approve(changed, seen=services.fingerprint(changed), by=platform_admin, actor=ACTOR)
    assert by_secret.exchange(by_secret.code(browser)).status_code == 401, "its secrets are gone"
    assert exchange(by_secret, by_secret.code(browser), assertion(by_secret)).status_code == 200


def test_no_header_goes_with_an_assertion(site, browser):
    answer = site.http.post(
        "/identite/o/token",
        {"grant_type": "authorization_code", "code": site.code(browser), "client_assertion_type": assertions.TYPE,
         "client_assertion": assertion(site)},
        headers={"Authorization": "Basic eDp4"},
    )  # fmt: skip
    assert answer.status_code == 401


# --- published keys -------------------------------------------------------------------------------------------------
@pytest.fixture
def publisher():
    """A site's own page of keys, on this machine."""
    asked, answer = [], [200, json.dumps(KEYS).encode()]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.asked, server.answer = asked, answer
    server.url = f"http://127.0.0.1:{server.server_port}/cles"
    yield server
    server.shutdown()


@pytest.fixture
def publishing(make_site, juvignac, publisher):
    cache.clear()
    return make_site(juvignac, authentication="cle", jwks_uri=publisher.url)


def test_published_keys_are_fetched_once_an_hour_and_for_an_unknown_name_once_a_minute(
    publishing, publisher, browser, monkeypatch
):
    for _ in range(2):
        assert exchange(publishing, publishing.code(browser), assertion(publishing)).status_code == 200
    assert len(publisher.asked) == 1
    new = assertion(publishing, STRANGER, header={"kid": "r2"})
    publisher.answer[1] = json.dumps({"keys": [*KEYS["keys"], public(STRANGER, "r2")]}).encode()
    assert exchange(publishing, publishing.code(browser), new).status_code == 401
    assert len(publisher.asked) == 1, "asked less than a minute ago"
    cache.delete(assertions._name("asked", publisher.url))
    assert (
        exchange(
            publishing, publishing.code(browser), assertion(publishing, STRANGER, header={"kid": "r2"})
        ).status_code
        == 200
    )
    for n in range(3):
        exchange(publishing, "x", assertion(publishing, header={"kid": f"inconnu{n}"}))
    assert len(publisher.asked) == 2


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (500, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"keys": {}}'),
        (200, b'{"keys": [{"kty": ["RSA"], "kid": "r1"}]}'),
        (200, b'{"keys": [{"kty": "RSA", "kid": "r1", "n": 5, "e": {}}]}'),
        (200, b" " * 70_000 + b"{}"),
    ],
)
def test_a_site_that_publishes_nothing_usable_is_refused(publishing, publisher, browser, status, content):
    publisher.answer[:] = [status, content]
    assert exchange(publishing, publishing.code(browser), assertion(publishing)).status_code == 401


def test_keys_for_other_uses_may_be_published_beside(publishing, publisher, browser):
    others = [public(STRANGER, "chiffre", use="enc"), {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "AA"}]
    publisher.answer[1] = json.dumps({"keys": [*others, *KEYS["keys"]]}).encode()
    assert exchange(publishing, publishing.code(browser), assertion(publishing)).status_code == 200


def test_nobody_is_called_for_a_site_that_publishes_nothing(site, browser, publisher):
    exchange(site, site.code(browser), assertion(site, header={"jku": publisher.url, "kid": "x"}))
    assert publisher.asked == []


# --- registration ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"jwks": None}, "l’une ou l’autre"),
        ({"jwks_uri": "https://site.juvignac.test/cles"}, "l’une ou l’autre"),
        ({"jwks": None, "jwks_uri": "http://site.juvignac.test/cles"}, "https"),
        ({"type": "public"}, "clé privée"),
        ({"authentication": "secret"}, "ne servent que"),
        ({"jwks": {"keys": []}}, "JSON"),
        ({"jwks": [1]}, "JSON"),
        ({"jwks": {"keys": ["x"]}}, "kid"),
        ({"jwks": {"keys": [public(RSA, "")]}}, "kid"),
        ({"jwks": {"keys": [public(RSA, "r1"), public(CURVE, "r1")]}}, "même nom"),
        ({"jwks": {"keys": [json.loads(RSAAlgorithm.to_jwk(RSA)) | {"kid": "r1"}]}}, "partie privée"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA", "kid": "s"}]}}, "partie privée"),
        ({"jwks": {"keys": [{"kty": "oct", "kid": "s"}]}}, "ni RSA ni"),
        ({"jwks": {"keys": [public(RSA, "r1", use="enc")]}}, "pas faite pour signer"),
        ({"jwks": {"keys": [public(RSA, "r1", alg="HS256")]}}, "pas faite pour signer"),
        ({"jwks": {"keys": [public(RSA, "r1", alg="ES256")]}}, "mal formée"),
        ({"jwks": {"keys": [public(CURVE, "c1", y="AAAA")]}}, "mal formée"),
        ({"jwks": {"keys": [public(ec.generate_private_key(ec.SECP384R1()), "c2")]}}, "ni RSA ni"),
        ({"jwks": {"keys": [public(rsa.generate_private_key(65537, 1024), "petite")]}}, "1024 bits"),
    ],
)
def test_keys_that_would_prove_nothing_are_not_registered(juvignac, changes, said):
    values = registration(**{"authentication": "cle", "jwks": KEYS, **changes})
    with acting_for(juvignac), pytest.raises(RegistrationRefused, match=said):
        services.propose(juvignac, values, actor=ACTOR)


def test_of_a_key_only_what_verifies_is_kept(make_site, juvignac):
    site = make_site(juvignac, authentication="cle", jwks={"keys": [public(RSA, "r1", x5c=["x"], note="<b>")]})
    assert set(site.service.jwks["keys"][0]) == {"kty", "kid", "use", "n", "e"}


def test_the_form_takes_a_key_set_as_text(juvignac, agent_client):
    from tests.core.provider.test_registration import FORM, address

    administrator = agent_client(juvignac, "administrateur")
    for text in ("{", "[" * 15_000):
        wrong = administrator.post(address("new", juvignac), {**FORM, "authentication": "cle", "jwks": text})
        assert wrong.status_code == 422
        assert "JSON" in str(wrong.context["form"].errors["jwks"])
    answer = administrator.post(address("new", juvignac), {**FORM, "authentication": "cle", "jwks": json.dumps(KEYS)})
    assert answer.status_code == 302
    page = administrator.get(answer["Location"]).content.decode()
    assert "private_key_jwt" in page
    assert "r1 (RSA), c1 (EC)" in page
    assert "Secrets" not in page
    edit = administrator.get(f"{answer['Location']}modifier/").content.decode()
    assert "&quot;r1&quot;" in edit
