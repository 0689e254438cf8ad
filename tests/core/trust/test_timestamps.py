"""RFC 3161: what is asked, what is accepted, and who is asked when one authority fails."""

import dataclasses
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from parvis.core.trust import timestamps
from parvis.core.trust.policy import TrustPolicy
from parvis.core.trust.timestamps import TimestampUnavailable, request_token, verify_token

DATA = b"convocation du 24 juin 2019"


@pytest.fixture
def impostor():
    """``impostor(answer)`` -> URL of an authority that replies what ``answer(request)`` returns."""
    servers = []

    def start(answer, content_type="application/timestamp-reply"):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/tsa"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def with_urls(policy, *urls):
    return dataclasses.replace(policy, tsa_urls=urls)


def test_a_token_carries_the_authoritys_time_and_verifies(policy, clock):
    token = request_token(DATA, policy=policy)
    assert token.gen_time == clock.at.replace(microsecond=0)
    report = verify_token(token.der, DATA, policy=policy)
    assert report.valid
    assert report.sandbox
    assert "sans valeur légale" in report.sentence
    assert report.serial == token.serial


def test_openssl_verifies_the_response_form(policy, authority, tmp_path):
    (tmp_path / "t.tsr").write_bytes(request_token(DATA, policy=policy).response)
    (tmp_path / "data").write_bytes(DATA)
    command = ["openssl", "ts", "-verify", "-in", tmp_path / "t.tsr", "-data", tmp_path / "data"]
    result = subprocess.run([*command, "-CAfile", authority.ca_bundle], capture_output=True)
    assert b"Verification: OK" in result.stdout, result.stderr


def test_the_response_form_verifies_as_the_token_does(policy):
    assert verify_token(request_token(DATA, policy=policy).response, DATA, policy=policy).valid


def test_the_second_authority_is_asked_when_the_first_does_not_answer(policy, authority):
    token = request_token(DATA, policy=with_urls(policy, "http://127.0.0.1:9/tsa", authority.tsa_url))
    assert token.url == authority.tsa_url


def relay(authority, change=lambda der: der):
    def answer(query):
        headers = {"Content-Type": "application/timestamp-query"}
        return change(requests.post(authority.tsa_url, data=query, headers=headers, timeout=5).content)

    return answer


def test_a_replayed_reply_is_refused_for_its_nonce(policy, authority, impostor):
    kept: list[bytes] = []

    def replay(query):
        kept.append(relay(authority)(query))
        return kept[0]

    replaying = with_urls(policy, impostor(replay))
    assert request_token(DATA, policy=replaying)
    with pytest.raises(TimestampUnavailable):
        request_token(DATA, policy=replaying)


def test_a_tampered_reply_is_refused_and_the_next_authority_serves(policy, authority, impostor):
    def tamper(der):
        return der[:-4] + bytes([der[-4] ^ 1]) + der[-3:]

    url = impostor(relay(authority, tamper))
    assert request_token(DATA, policy=with_urls(policy, url, authority.tsa_url)).url == authority.tsa_url


def test_an_endless_reply_is_cut_short(policy, impostor):
    with pytest.raises(TimestampUnavailable):
        request_token(DATA, policy=with_urls(policy, impostor(lambda _: b"0" * (timestamps.MAX_TOKEN + 1))))


def test_an_authority_of_another_root_is_refused(policy):
    with pytest.raises(TimestampUnavailable):
        request_token(DATA, policy=dataclasses.replace(policy, roots=()))


def test_without_any_authority_the_sentence_says_what_to_do():
    with pytest.raises(TimestampUnavailable) as refusal:
        request_token(DATA, policy=TrustPolicy())
    assert "Aucun service d’horodatage" in refusal.value.sentence


def test_a_certificate_not_reserved_to_time_stamping_is_refused(policy, authority, impostor):
    from parvis_sandbox.pki import answers

    class WrongUnit:
        tsa, issuing = authority.authority.ocsp, authority.authority.issuing

    def answer(query):
        return answers.time_stamp_response(WrongUnit, query, authority.clock())

    with pytest.raises(TimestampUnavailable):
        request_token(DATA, policy=with_urls(policy, impostor(answer)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda der: der[:-5], "illisible"),
        (lambda der: b"", "illisible"),
        (lambda der: b"0\x82\xff\xff" + der[4:], "illisible"),
        (lambda der: der[:-4] + bytes([der[-4] ^ 1]) + der[-3:], "fausse"),
    ],
)
def test_a_damaged_token_is_reported_never_raised(policy, change, expected):
    report = verify_token(change(request_token(DATA, policy=policy).der), DATA, policy=policy)
    assert not report.valid
    assert expected in report.sentence


def test_a_token_does_not_prove_another_content(policy):
    report = verify_token(request_token(DATA, policy=policy).der, DATA + b" ", policy=policy)
    assert not report.valid
    assert "empreinte" in report.sentence
