"""What the platform lends to the intake: recognition of tokens and formats, search for viruses."""

import pytest
from asn1crypto import algos, cms, tsp

from parvis.core.documents import antivirus
from parvis.core.documents.errors import DocumentInfected
from parvis.edemat.archives.services.tools import intake_tools, is_timestamp


def token() -> cms.ContentInfo:
    imprint = tsp.MessageImprint(
        {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": bytes(32)}
    )
    stated = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3",
            "message_imprint": imprint,
            "serial_number": 7,
            "gen_time": "20190701100000Z",
        }
    )
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [],
            "encap_content_info": {"content_type": "tst_info", "content": stated},
            "signer_infos": [],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed})


def answer() -> tsp.TimeStampResp:
    return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token()})


def test_timestamp_tokens_and_responses_are_recognised():
    assert is_timestamp(token().dump())
    assert is_timestamp(answer().dump())


@pytest.mark.parametrize("content", [b"", b"\x30\x03abc", b"%PDF-1.7", b"\x30\x80", bytes(100)])
def test_what_is_not_a_token(content):
    assert not is_timestamp(content)


def test_a_refused_timestamp_request_is_not_a_token():
    assert not is_timestamp(bytes.fromhex("30053003020102"))


def test_a_token_is_no_unknown_format_for_the_intake(tmp_path):
    path = tmp_path / "preuve.tsr"
    path.write_bytes(answer().dump())
    found = intake_tools().identify(path)
    assert found.media_type == "application/timestamp-reply"


def test_without_an_engine_there_is_no_search_for_viruses(settings):
    settings.PARVIS_CLAMD_SOCKET = ""
    assert intake_tools().scan is None


def test_with_an_engine_its_answer_is_told(settings, monkeypatch, tmp_path):
    settings.PARVIS_CLAMD_SOCKET = "localhost:3310"
    path = tmp_path / "a"
    path.write_bytes(b"a")
    scan = intake_tools().scan
    answers = {"clean": "", "not_scanned": None}
    for state, expected in answers.items():
        monkeypatch.setattr(antivirus, "scan", lambda *_, state=state: state)
        assert scan(path) == expected

    def infected(*_):
        raise DocumentInfected("sentence", signature="Essai FOUND")

    monkeypatch.setattr(antivirus, "scan", infected)
    assert scan(path) == "Essai FOUND"
