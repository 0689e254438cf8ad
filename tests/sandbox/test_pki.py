"""The sandbox PKI is accepted by a party we did not write: OpenSSL."""

import json
import subprocess
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import core, ocsp, tsp
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from parvis_sandbox import pki

IN_2019 = datetime(2019, 7, 2, 9, 12, tzinfo=UTC)
ATTIME = ["-attime", str(int(IN_2019.timestamp()))]


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock():
    return Clock(IN_2019)


@pytest.fixture
def service(tmp_path, clock):
    running = pki.start(tmp_path, clock)
    yield running
    running.stop()


@pytest.fixture
def signer(service):
    return service.issue_signer("Camille ESSAI", "Commune de Juvignac", "213401235")


def openssl(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True)


def fetch(url: str, body: bytes | None = None, content_type: str = "") -> bytes:
    headers = {"Content-Type": content_type} if content_type else {}
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=5) as answer:
        return answer.read()


def pem(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def crls(service, folder: Path) -> Path:
    path = folder / "crls.pem"
    path.write_bytes(
        b"".join(
            openssl("crl", "-inform", "DER", stdin=fetch(f"{service.url}/{name}")).stdout
            for name in ("crl", "crl-root")
        )
    )
    return path


def verify(service, certificate: Path, folder: Path, *options: object) -> subprocess.CompletedProcess:
    return openssl(
        "verify", "-crl_check_all", *ATTIME, "-CAfile", service.root_certificate, "-untrusted",
        service.issuing_certificate, "-CRLfile", crls(service, folder), *options, certificate,
    )  # fmt: skip


def test_openssl_verifies_a_signer_with_its_crls(service, signer, tmp_path):
    result = verify(service, pem(tmp_path / "signer.pem", signer.certificate), tmp_path)
    assert result.returncode == 0, result.stderr


def test_openssl_finds_a_revoked_signer_in_the_crl(service, signer, tmp_path):
    service.revoke(signer)
    result = verify(service, pem(tmp_path / "signer.pem", signer.certificate), tmp_path)
    assert result.returncode != 0
    assert b"certificate revoked" in result.stderr


def test_tls_certificates_serve_their_purpose_and_no_other(service, tmp_path):
    server, client = service.issue_tls_server(["localhost", "127.0.0.1"]), service.issue_tls_client("Parvis")
    assert verify(service, server.certificate, tmp_path, "-purpose", "sslserver").returncode == 0
    assert verify(service, server.certificate, tmp_path, "-verify_ip", "127.0.0.1").returncode == 0
    assert verify(service, client.certificate, tmp_path, "-purpose", "sslclient").returncode == 0
    assert verify(service, client.certificate, tmp_path, "-purpose", "sslserver").returncode != 0


@pytest.mark.parametrize(("revoked", "expected"), [(False, b": good"), (True, b": revoked")])
def test_openssl_accepts_ocsp_answers(service, signer, clock, tmp_path, revoked, expected):
    clock.at = datetime.now(UTC)  # openssl ocsp compares thisUpdate with the machine's clock
    if revoked:
        service.revoke(signer)
    result = openssl(
        "ocsp", "-issuer", service.issuing_certificate, "-cert", pem(tmp_path / "s.pem", signer.certificate),
        "-url", service.ocsp_url, "-CAfile", service.root_certificate, "-no_nonce" if revoked else "-nonce",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert b"Response verify OK" in result.stderr
    assert expected in result.stdout


def test_ocsp_times_are_those_of_the_simulated_clock(service, signer, tmp_path):
    request = tmp_path / "request.der"
    openssl(
        "ocsp", "-issuer", service.issuing_certificate, "-cert", pem(tmp_path / "s.pem", signer.certificate),
        "-reqout", request, "-no_nonce",
    )  # fmt: skip
    answer = ocsp.OCSPResponse.load(fetch(service.ocsp_url, request.read_bytes(), "application/ocsp-request"))
    data = answer.basic_ocsp_response["tbs_response_data"]
    assert data["produced_at"].native == IN_2019
    assert data["responses"][0]["this_update"].native == IN_2019
    assert data["responses"][0]["next_update"].native > IN_2019


def test_ocsp_does_not_vouch_for_a_certificate_it_never_issued(service, tmp_path):
    other = pki.start(tmp_path / "other", Clock(IN_2019))
    try:
        stranger = other.issue_signer("Dominique ESSAI", "Commune de Juvignac", "213401235")
        request = tmp_path / "request.der"
        openssl(
            "ocsp", "-issuer", service.issuing_certificate, "-serial", stranger.certificate.serial_number,
            "-reqout", request,
        )  # fmt: skip
        answer = ocsp.OCSPResponse.load(fetch(service.ocsp_url, request.read_bytes(), "application/ocsp-request"))
        status = answer.basic_ocsp_response["tbs_response_data"]["responses"][0]["cert_status"]
        assert status.name == "unknown"
    finally:
        other.stop()


def test_ocsp_answers_nonsense_as_malformed(service):
    answer = ocsp.OCSPResponse.load(fetch(service.ocsp_url, b"nonsense", "application/ocsp-request"))
    assert answer["response_status"].native == "malformed_request"


def test_openssl_verifies_a_time_stamp_of_2019(service, tmp_path):
    (data := tmp_path / "data").write_bytes(b"une convocation")
    query = openssl("ts", "-query", "-data", data, "-sha256", "-cert").stdout
    (asked := tmp_path / "q.tsq").write_bytes(query)
    (reply := tmp_path / "r.tsr").write_bytes(fetch(service.tsa_url, query, "application/timestamp-query"))
    trust = ["-CAfile", service.root_certificate, "-untrusted", service.issuing_certificate]
    assert openssl("ts", "-verify", "-in", reply, "-queryfile", asked, *ATTIME, *trust).returncode == 0
    assert openssl("ts", "-verify", "-in", reply, "-data", data, *ATTIME, *trust).returncode == 0
    data.write_bytes(b"une autre")
    assert openssl("ts", "-verify", "-in", reply, "-data", data, *ATTIME, *trust).returncode != 0
    assert b"Jul  2 09:12:00 2019 GMT" in openssl("ts", "-reply", "-in", reply, "-text").stdout


@pytest.mark.parametrize(
    ("options", "failure"),
    [(["-md5"], "bad_alg"), (["-sha256", "-tspolicy", "1.2.3.4"], "unaccepted_policy")],
)
def test_the_authority_refuses_what_it_must(service, tmp_path, options, failure):
    (data := tmp_path / "data").write_bytes(b"x")
    query = openssl("ts", "-query", "-data", data, *options).stdout
    reply = fetch(service.tsa_url, query, "application/timestamp-query")
    status = tsp.PKIStatusInfo.load(core.Sequence.load(reply)[0].dump())
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {failure}


def test_the_pkcs12_opens_and_names_its_holder_and_its_lack_of_value(signer):
    key, certificate, chain = pkcs12.load_key_and_certificates(signer.path.read_bytes(), signer.password.encode())
    subject = certificate.subject.rfc4514_string()
    assert key.key_size == 3072
    assert "Camille ESSAI" in subject
    assert "NTRFR-213401235" in subject
    assert "SANS VALEUR" in subject
    assert len(chain) == 2
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.content_commitment
    assert not usage.value.digital_signature


def test_secrets_are_readable_by_their_owner_only(signer, service):
    for path in (signer.path, signer.path.with_suffix(".pwd"), service.authority.folder / "root.key"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_second_start_serves_the_same_authority_at_the_same_address(tmp_path, clock):
    first = pki.start(tmp_path, clock)
    url, certificate = first.url, first.issue_signer("Camille ESSAI", "Commune", "213401235").certificate
    first.stop()
    second = pki.start(tmp_path, clock)
    try:
        assert second.url == url
        assert second.issue_signer("Camille ESSAI", "Commune", "213401235").certificate == certificate
    finally:
        second.stop()


def test_on_another_port_the_root_stays_and_addresses_follow(tmp_path, clock):
    first = pki.start(tmp_path, clock)
    root = first.authority.root.certificate
    second = None
    try:
        second = pki.start(tmp_path, clock)  # the first still holds the port
        assert second.url != first.url
        assert second.authority.root.certificate == root
        signer = second.issue_signer("Camille ESSAI", "Commune", "213401235")
        access = signer.certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        assert all(one.access_location.value.startswith(second.url) for one in access.value)
        assert json.loads((tmp_path / "pki" / "port.json").read_text()) == int(second.url.rpartition(":")[2])
    finally:
        first.stop()
        if second:
            second.stop()
