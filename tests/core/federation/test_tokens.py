"""The claims of a token, one at a time: what makes it ours, what makes it somebody else's."""

import base64
import hashlib

import pytest

from parvis.core import clock
from parvis.core.federation.configuration import TWO_FACTORS, Registration
from parvis.core.federation.errors import AnswerRefused
from parvis.core.federation.outgoing import Line, Silent, origin_of
from parvis.core.federation.tokens import check_id_token, signed_claims

REGISTERED = Registration(
    "franceconnect", "https://fc.test/api/v2", "parvis", "secret", "ES256", ("openid",), acr="eidas1"
)
AT_HASH = base64.urlsafe_b64encode(hashlib.sha256(b"acces").digest()[:16]).rstrip(b"=").decode()


def claims(**changed):
    now = int(clock.now().timestamp())
    told = {
        "iss": REGISTERED.issuer,
        "sub": "un-sujet",
        "aud": "parvis",
        "iat": now,
        "exp": now + 60,
        "nonce": "n" * 32,
        "acr": "eidas1",
        "at_hash": AT_HASH,
    }
    return {name: value for name, value in {**told, **changed}.items() if value is not None}


def check(registered=REGISTERED, **changed):
    check_id_token(claims(**changed), registered, nonce="n" * 32, access_token="acces")


def test_right_claims_pass():
    check()
    check(aud=["parvis"])
    check(aud=["parvis", "autre"], azp="parvis")
    check(acr="eidas3")
    check(at_hash=None)


def test_clock_may_differ_by_a_minute():
    now = int(clock.now().timestamp())
    check(iat=now + 50, exp=now + 110)
    check(iat=now - 110, exp=now - 50)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://fc.test/api/v2/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "autre"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["parvis", "autre"]}, "audience"),
        ({"aud": ["parvis", "autre"], "azp": "autre"}, "audience"),
        ({"azp": "autre"}, "audience"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": "s" * 256}, "subject"),
        ({"sub": 12}, "subject"),
        ({"exp": None}, "dates"),
        ({"iat": None}, "dates"),
        ({"exp": "demain"}, "dates"),
        ({"exp": True}, "dates"),
        ({"exp": 1}, "dates"),
        ({"iat": 9_999_999_999, "exp": 9_999_999_999}, "dates"),
        ({"nonce": "m" * 32}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["n" * 32]}, "nonce"),
        ({"at_hash": "autre"}, "at_hash"),
        ({"at_hash": 5}, "at_hash"),
        ({"acr": None}, "acr"),
        ({"acr": "eidas0"}, "acr"),
        ({"acr": ["eidas1"]}, "acr"),
    ],
)
def test_wrong_claims_are_refused(changed, reason):
    with pytest.raises(AnswerRefused) as refused:
        check(**changed)
    assert refused.value.reason == reason


@pytest.mark.parametrize("demanded", ["eidas2", "eidas3"])
def test_level_below_the_one_demanded_is_refused(demanded):
    from dataclasses import replace

    with pytest.raises(AnswerRefused) as refused:
        check(replace(REGISTERED, acr=demanded), acr="eidas1")
    assert refused.value.reason == "acr"
    check(replace(REGISTERED, acr=demanded), acr="eidas3")


def test_two_factors_demanded_of_proconnect():
    from dataclasses import replace

    registered = replace(REGISTERED, code="proconnect", acr="", two_factors=True)
    for acr in TWO_FACTORS:
        check(registered, acr=acr)
    for acr in ("eidas1", None, "https://proconnect.gouv.fr/assurance/self-asserted"):
        with pytest.raises(AnswerRefused) as refused:
            check(registered, acr=acr)
        assert refused.value.reason == "acr"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "token"),
        ("a", "token"),
        ("a.b", "token"),
        ("...", "token"),
        ("é.é.é", "token"),
        ("W10.e30.x", "token"),  # its header is a list
        ("e30.e30.", "algorithm"),
        ("eyJhbGciOiJFUzI1NiJ9.e30.x", "key"),
    ],
)
def test_what_is_no_token_is_refused(token, reason):
    with pytest.raises(AnswerRefused) as refused:
        signed_claims(token, REGISTERED, lambda kid: None)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "address",
    [
        "http://fc.test/api/v2",
        "ftp://fc.test/",
        "https://parvis@fc.test/",
        "file:///etc/passwd",
        "//fc.test/",
        "",
        "http://169.254.169.254/latest/",
        "http://10.0.0.1/",
    ],
)
def test_addresses_without_tls_or_with_tricks_are_refused(address):
    with pytest.raises(Silent) as refused:
        origin_of(address)
    assert refused.value.data["cause"] == "address refused"


def test_a_provider_makes_us_call_no_other_server():
    line = Line("https://fc.test/api/v2")
    for address in ("https://interne.test/jwks", "https://fc.test:8443/jwks", "http://127.0.0.1/jwks"):
        with pytest.raises(Silent) as refused:
            line.get_json(address)
        assert refused.value.data["cause"] == "another origin"
