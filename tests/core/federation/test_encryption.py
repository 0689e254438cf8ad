"""FranceConnect+: tokens encrypted for our key, opened then checked like the others; plain ones are refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.cache import cache
from django.test import Client

from tests.core.federation.conftest import Provider

KEYS = {
    "RSA-OAEP-256": lambda: rsa.generate_private_key(65537, 2048),
    "ECDH-ES": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@pytest.fixture(params=list(KEYS))
def plus(request, transactional_db, sandbox, settings, tmp_path, live_server):
    """FranceConnect+ with our key published on our own address."""
    pem = KEYS[request.param]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "franceconnect-decryption.pem").write_bytes(pem)
    settings.PARVIS_SECRETS_DIR = tmp_path
    facts = sandbox.identity["franceconnect_plus"]
    settings.BASE_URL = live_server.url
    settings.PARVIS_FRANCECONNECT_ISSUER = facts["issuer"]
    settings.PARVIS_FRANCECONNECT_CLIENT_SECRET = facts["secret"]
    settings.PARVIS_FRANCECONNECT_ACR = "eidas2"
    cache.clear()
    running = Provider("franceconnect", facts)
    site = live_server.url
    registered = {
        "client_id": "parvis",
        "redirect_uris": [f"{site}/federation/franceconnect/retour/"],
        "post_logout_redirect_uris": [f"{site}/federation/franceconnect/sortie/"],
        "encryption": request.param,
        "jwks_uri": f"{site}/federation/jwks/",
    }
    running.tell(faults={}, clients=[registered])
    yield running
    running.fault()


def test_encrypted_tokens_open_an_account(plus):
    client = Client()
    assert plus.log_in(client, "test")["Location"] == "/federation/choix/"
    assert client.post("/federation/nouveau-compte/", {"email": ""}).status_code == 302
    assert "_auth_user_id" in client.session


def test_plain_tokens_and_lies_inside_the_encryption_are_refused(plus, refusals):
    for lie, reason, facts in (
        ({"not_encrypted": True}, "id_token.encryption", {"alg": "ES256", "enc": "None"}),
        ({"alg_none": "id_token"}, "id_token.algorithm", {"alg": "none"}),
        ({"nonce": True}, "id_token.nonce", {}),
        ({"userinfo_sub": True}, "userinfo.another_subject", {}),
    ):
        plus.fault(**lie)
        client = Client()
        assert plus.log_in(client, "test").status_code == 400, lie
        assert refusals() == [(reason, {"reason": reason, **facts})]
        assert "federation.pending" not in client.session


def test_only_the_public_key_is_published(plus, live_server):
    (key,) = Client().get("/federation/jwks/").json()["keys"]
    assert key["use"] == "enc"
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


def test_a_token_for_another_key_is_refused():
    from dataclasses import replace

    from joserfc import jwe
    from joserfc.jwk import RSAKey

    from parvis.core.federation.errors import AnswerRefused
    from parvis.core.federation.tokens import opened
    from tests.core.federation.test_tokens import REGISTERED

    ours, other = (RSAKey.generate_key(2048, {"use": "enc"}) for _ in range(2))
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT"}
    algorithms = ["RSA-OAEP-256", "RSA1_5", "A256GCM", "A128CBC-HS256"]
    registered = replace(REGISTERED, decryption_key=ours)
    assert opened(jwe.encrypt_compact(header, b"a.b.c", ours, algorithms=algorithms), registered) == "a.b.c"
    for changed, key, facts in (
        ({}, other, {"cause": "DecodeError"}),
        ({"alg": "RSA1_5"}, ours, {"alg": "RSA1_5", "enc": "A256GCM"}),
        ({"enc": "A128CBC-HS256"}, ours, {"alg": "RSA-OAEP-256", "enc": "A128CBC-HS256"}),
    ):
        token = jwe.encrypt_compact({**header, **changed}, b"a.b.c", key, algorithms=algorithms)
        with pytest.raises(AnswerRefused) as refused:
            opened(token, registered)
        assert refused.value.data == {"reason": "encryption", **facts}
