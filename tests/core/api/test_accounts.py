"""Proving to be an API account: what is accepted, what is refused, and that refusals tell nothing."""

import base64
import hmac
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parvis.core import clock
from parvis.core.api import credentials, services
from parvis.core.api.models import ApiAccount, ApiSecret
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for

SYSTEM = Actor("system")


def basic(identifier, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{identifier}:{secret}".encode()).decode()}


def whoami(headers, **extra):
    return Client().get("/api/v1/moi", headers=headers, **extra)


def test_an_account_is_known_by_basic_or_by_bearer(api_account, juvignac):
    account, secret = api_account(juvignac, "annuaire.lire")
    by_basic = whoami(basic(account.identifier, secret))
    by_bearer = whoami({"Authorization": f"Bearer {account.identifier}.{secret}"})
    assert by_basic.status_code == by_bearer.status_code == 200
    assert by_basic.json() == by_bearer.json()
    assert by_basic.json()["organisation"] == "213401235"
    assert by_basic.json()["droits"][0]["code"] == "annuaire.lire"


def test_only_the_digest_of_a_secret_is_kept(api_account, juvignac, superuser_url):
    _, secret = api_account(juvignac)
    assert len(secret) == len("prv_") + 43  # 256 bits in base64url
    with acting_for(juvignac):
        kept = ApiSecret.objects.get()
        assert secret not in str(kept.__dict__)
        assert kept.digest == credentials.digest_of(secret)
        assert not Entry.objects.filter(details__icontains=secret[4:]).exists()


REFUSED = {
    "nothing": lambda a, s: {},
    "wrong secret": lambda a, s: basic(a.identifier, s[:-1] + ("A" if s[-1] != "A" else "B")),
    "empty secret": lambda a, s: basic(a.identifier, ""),
    "unknown account": lambda a, s: basic(a.identifier[:-4] + "0000", s),
    "unknown organisation": lambda a, s: basic("000000000" + a.identifier[9:], s),
    "another organisation's number": lambda a, s: basic("213400955" + a.identifier[9:], s),
    "digest instead of secret": lambda a, s: basic(a.identifier, credentials.digest_of(s)),
    "the padding of the comparison": lambda a, s: basic(a.identifier, "0" * 64),
    "no separator": lambda a, s: {"Authorization": "Basic " + base64.b64encode(b"nothing").decode()},
    "not base64": lambda a, s: {"Authorization": "Basic ****"},
    "not UTF-8": lambda a, s: {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
    "null character": lambda a, s: basic(a.identifier + "\x00", s),
    "unknown scheme": lambda a, s: {"Authorization": f"Digest {a.identifier}.{s}"},
    "a megabyte": lambda a, s: {"Authorization": "Bearer " + "x" * 1_000_000},
    "exotic digits": lambda a, s: basic("٢" * 9 + a.identifier[9:], s),
}


@pytest.mark.parametrize("case", REFUSED)
def test_every_failure_gets_the_same_answer(api_account, juvignac, fabregues, case):
    account, secret = api_account(juvignac)
    answer = whoami(REFUSED[case](account, secret))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["detail"] == "Identifiant ou secret inexact, ou compte d’API expiré ou révoqué."


def test_an_unknown_account_costs_the_same_queries_and_comparisons(api_account, juvignac, monkeypatch):
    account, _ = api_account(juvignac)
    compared, compare = [], hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or compare(a, b))
    costs = []
    for identifier in (account.identifier, "000000000-" + "0" * 32, "rien"):
        proof = credentials.Presented(identifier, "prv_faux", "", "192.0.2.1")
        compared.clear()
        with CaptureQueriesContext(connection) as queries:
            assert credentials.authenticate(proof) is None
        costs.append((len(queries), len(compared)))
    assert costs[0] == costs[1] == costs[2]
    assert costs[0][1] == 4  # two secrets and two certificates, whatever the account has


def test_a_revoked_account_stops_at_the_next_call(caller, juvignac):
    us = caller(juvignac)
    assert us.get("/moi").status_code == 200
    with acting_for(juvignac):
        services.revoke_account(us.account, actor=SYSTEM)
        services.revoke_account(us.account, actor=SYSTEM)
        assert Entry.objects.filter(action="compte_api.revoque").count() == 1
    assert us.get("/moi").status_code == 401


def test_an_expired_account_is_refused(caller, juvignac, frozen_clock):
    frozen_clock("2026-03-01T10:00+01:00")
    us = caller(juvignac, expires_on=clock.today())
    assert us.get("/moi").status_code == 200
    frozen_clock("2026-03-02T00:01+01:00")
    assert us.get("/moi").status_code == 401


def test_two_secrets_are_valid_during_a_rotation_and_never_three(caller, juvignac, frozen_clock):
    frozen_clock("2026-03-01T10:00+01:00")
    us = caller(juvignac)
    with acting_for(juvignac):
        second = services.rotate_secret(us.account, overlap=timedelta(days=7), actor=SYSTEM)
    identifier = us.account.identifier
    assert us.get("/moi").status_code == 200
    assert whoami(basic(identifier, second)).json()["secret_valable_jusqu_au"].startswith("2026-03-08")
    with acting_for(juvignac):
        third = services.rotate_secret(us.account, overlap=timedelta(days=7), actor=SYSTEM)
    assert [whoami(basic(identifier, s)).status_code for s in (us.secret, second, third)] == [401, 200, 200]
    frozen_clock("2026-03-08T10:01+01:00")
    assert [whoami(basic(identifier, s)).status_code for s in (second, third)] == [401, 200]


def test_the_last_use_is_written_once_a_minute(caller, juvignac, frozen_clock):
    us = caller(juvignac)
    for instant, noted in [("10:00:00", "10:00:00"), ("10:00:30", "10:00:00"), ("10:01:01", "10:01:01")]:
        frozen_clock(f"2026-03-01T{instant}+00:00")
        assert us.get("/moi").status_code == 200
        with acting_for(juvignac):
            account = ApiAccount.objects.get()
        assert f"{account.last_used_at:%H:%M:%S}" == noted
    assert account.last_address == "127.0.0.1"


def test_a_call_from_another_network_is_refused(caller, juvignac):
    us = caller(juvignac, networks=["192.0.2.0/24", "2001:db8::/32"])
    assert us.get("/moi", REMOTE_ADDR="192.0.2.77").status_code == 200
    assert us.get("/moi", REMOTE_ADDR="2001:db8::5").status_code == 200
    answer = us.get("/moi", REMOTE_ADDR="198.51.100.1")
    assert answer.status_code == 403
    assert "adresse" in answer.json()["detail"]


# --- TLS client certificates ---------------------------------------------------------------------------------
def header_of(pem):
    return ":" + "".join(pem.splitlines()[1:-1]) + ":"


def test_a_certificate_proves_the_account_when_the_proxy_tells_it(api_account, juvignac, settings, certificates):
    from urllib.parse import quote

    mine, other, _ = certificates
    account, secret = api_account(juvignac, certificate=mine)
    assert secret == ""
    known = basic(account.identifier, "")
    settings.PARVIS_BEHIND_PROXY, settings.PARVIS_PROXY_ADDRESSES = True, ["127.0.0.1"]
    assert whoami(known | {"Client-Cert": header_of(mine)}).status_code == 200
    assert whoami(known | {"Client-Cert": quote(mine)}).status_code == 200  # as nginx writes it
    for wrong in ("", header_of(other), ":!!:", "::", "x" * 20_000, quote("-----BEGIN CERTIFICATE-----")):
        assert whoami(known | {"Client-Cert": wrong}).status_code == 401, wrong[:30]


def test_the_header_of_the_certificate_is_believed_from_the_proxy_alone(api_account, juvignac, settings, certificates):
    account, _ = api_account(juvignac, certificate=certificates[0])
    forged = basic(account.identifier, "") | {"Client-Cert": header_of(certificates[0])}
    settings.PARVIS_BEHIND_PROXY = False
    assert whoami(forged).status_code == 401
    settings.PARVIS_BEHIND_PROXY, settings.PARVIS_PROXY_ADDRESSES = True, ["127.0.0.1"]
    assert whoami(forged, REMOTE_ADDR="198.51.100.7").status_code == 401


def test_an_address_is_believed_from_the_proxy_alone(caller, juvignac, settings):
    us = caller(juvignac, networks=["192.0.2.0/24"])
    forged = {"X-Forwarded-For": "192.0.2.9"}
    assert us.get("/moi", headers=forged).status_code == 403
    settings.PARVIS_BEHIND_PROXY, settings.PARVIS_PROXY_ADDRESSES = True, ["127.0.0.1"]
    assert us.get("/moi", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 200
    assert us.get("/moi", headers={"X-Forwarded-For": "192.0.2.9, 198.51.100.1"}).status_code == 403


def test_an_account_with_a_certificate_has_no_secret_to_rotate(api_account, juvignac, certificates):
    account, _ = api_account(juvignac, certificate=certificates[0])
    with acting_for(juvignac), pytest.raises(services.ApiAccountRefused):
        services.rotate_secret(account, overlap=timedelta(0), actor=SYSTEM)


@pytest.fixture
def knocks(settings):
    """``knocks(account, pem, …)`` -> the status that each certificate gets, in order."""
    settings.PARVIS_BEHIND_PROXY, settings.PARVIS_PROXY_ADDRESSES = True, ["127.0.0.1"]

    def make(account, *pems):
        known = basic(account.identifier, "")
        return [whoami(known | {"Client-Cert": header_of(pem)}).status_code for pem in pems]

    return make


def renew(account, pem, **options):
    with acting_for(account.organisation):
        services.rotate_certificate(
            account, certificate=pem, **{"overlap": timedelta(days=7), "actor": SYSTEM, **options}
        )


def test_two_certificates_are_accepted_during_a_rotation_and_never_three(
    api_account, juvignac, knocks, certificates, frozen_clock
):
    frozen_clock("2026-03-01T10:00+01:00")
    first, second, third = certificates
    account, _ = api_account(juvignac, certificate=first)
    assert knocks(account, first, second) == [200, 401]
    renew(account, second)
    assert knocks(account, first, second) == [200, 200]
    told = whoami(basic(account.identifier, "") | {"Client-Cert": header_of(second)}).json()
    assert told["ancien_certificat_jusqu_au"].startswith("2026-03-08")
    renew(account, third)
    assert knocks(account, first, second, third) == [401, 200, 200]
    frozen_clock("2026-03-08T09:59+01:00")
    assert knocks(account, second, third) == [200, 200]
    frozen_clock("2026-03-08T10:00+01:00")
    assert knocks(account, second, third) == [401, 200]
    told = whoami(basic(account.identifier, "") | {"Client-Cert": header_of(third)}).json()
    assert told["ancien_certificat_jusqu_au"] is None


def test_a_rotation_without_overlap_refuses_the_former_certificate_at_once(api_account, juvignac, knocks, certificates):
    account, _ = api_account(juvignac, certificate=certificates[0])
    renew(account, certificates[1], overlap=timedelta(0))
    assert knocks(account, *certificates[:2]) == [401, 200]


def test_the_former_certificate_is_not_accepted_after_its_own_end(
    api_account, juvignac, knocks, certificates, frozen_clock
):
    frozen_clock("2026-12-30T10:00+00:00")
    first, short = certificates[0], certificates[2]
    account, _ = api_account(juvignac, certificate=short)
    renew(account, first, overlap=timedelta(days=30))
    assert knocks(account, short, first) == [200, 200]
    frozen_clock("2027-01-01T00:00+00:00")
    assert knocks(account, short, first) == [401, 200]


def test_a_certificate_that_has_ended_is_replaced_without_coming_back(
    api_account, juvignac, knocks, certificates, frozen_clock
):
    frozen_clock("2026-12-30T10:00+00:00")
    account, _ = api_account(juvignac, certificate=certificates[2])
    frozen_clock("2027-02-01T10:00+00:00")
    renew(account, certificates[0], overlap=timedelta(days=30))
    assert knocks(account, certificates[2], certificates[0]) == [401, 200]
    with acting_for(juvignac):
        assert ApiAccount.objects.get().former_sha256 == ""


def test_the_rotation_of_a_certificate_is_journalled_with_its_digest(api_account, juvignac, certificates):
    account, _ = api_account(juvignac, certificate=certificates[0])
    renew(account, certificates[1])
    with acting_for(juvignac):
        entry = Entry.objects.get(action="compte_api.certificat_renouvele")
        fresh = ApiAccount.objects.get()
    assert entry.sha256 == fresh.certificate_sha256
    assert entry.details == {"overlap_hours": 168, "former": account.certificate_sha256}


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ({"certificate": 0}, "déjà celui du compte"),
        ({"certificate": "rien"}, "illisible"),
        ({"overlap": timedelta(days=31)}, "plus de trente jours"),
        ({"overlap": timedelta(days=-1)}, "plus de trente jours"),
        ({"with": "secret"}, "se prouve par un secret"),
        ({"with": "revoked"}, "est révoqué"),
        ({"with": "writing"}, "que vous ne détenez pas"),
    ],
    ids=["same", "unreadable", "too long", "negative", "secret", "revoked", "beyond"],
)
def test_a_rotation_that_cannot_be_is_refused_with_its_reason(api_account, juvignac, certificates, case, sentence):
    kind = case.get("with")
    scopes = ["actes.preparer"] if kind == "writing" else []
    account, _ = api_account(juvignac, *scopes, certificate="" if kind == "secret" else certificates[0])
    with acting_for(juvignac):
        if kind == "revoked":
            services.revoke_account(account, actor=SYSTEM)
        before = ApiAccount.objects.get().certificate_sha256
        given = case.get("certificate", 1)
        pem = certificates[given] if isinstance(given, int) else given
        with pytest.raises(services.ApiAccountRefused, match=sentence):
            services.rotate_certificate(
                account, certificate=pem, overlap=case.get("overlap", timedelta(days=7)), actor=SYSTEM
            )
        assert ApiAccount.objects.get().certificate_sha256 == before


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"scopes": ["administration.organisation"]}, "scopes"),
        ({"scopes": ["actes.lire"], "without": "edemat"}, "scopes"),
        ({"networks": ["192.0.2.0/99"]}, "networks"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "certificate"),
        ({"expires_on": "yesterday"}, "expires_on"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_its_field(juvignac, fields, named):
    fields = dict(fields)
    if application := fields.pop("without", ""):
        juvignac.subscriptions.filter(application=application).delete()
    if fields.get("expires_on"):
        fields["expires_on"] = clock.today() - timedelta(days=1)
    with acting_for(juvignac), pytest.raises(services.ApiAccountRefused) as refusal:
        services.create_account(
            juvignac, **{"name": "X", "contact": "x@x.test", "scopes": [], "actor": SYSTEM, **fields}
        )
    assert refusal.value.data["field"] == named
