"""PAdES: each level as other readers see it, and every reason not to sign."""

import dataclasses
import io
import os
import subprocess
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest
from pyhanko.sign.signers import SimpleSigner

from parvis.core.trust import identities, pades, validation
from parvis.core.trust.identities import CertificateRefused, IdentityUnusable
from parvis.core.trust.modifications import Change
from parvis.core.trust.timestamps import TimestampUnavailable
from tests.conftest import needs_shared
from tests.names import named


@pytest.fixture
def sign(policy, clock):
    """``sign(pdf, identity, **options)`` at the time of the test's clock."""

    def make(pdf, identity, **options):
        return pades.sign(pdf, identity, **{"policy": policy, "at": clock.at} | options)

    return make


@pytest.mark.parametrize("level", pades.Level)
def test_each_level_validates_as_itself(sign, identity, plain_pdf, policy, clock, level):
    signed = sign(plain_pdf, identity, level=level, reason="Maire", location="Juvignac")
    report = validation.validate_pdf(signed, policy=policy, at=clock.at)
    assert (report.verdict, report.sub_indication) == ("TOTAL_PASSED", "")
    signature = report.signatures[0]
    assert signature.level == level
    assert (signature.signer, signature.reason, signature.location) == ("Camille ESSAI", "Maire", "Juvignac")
    assert signature.organisation_identifier == "NTRFR-213401235"
    assert signature.claimed_at == clock.at.replace(microsecond=0)
    assert (signature.best_signature_time is None) == (level == "B-B")
    assert report.sandbox
    assert "sans valeur légale" in report.sentence


@pytest.mark.parametrize("level", ["B-B", "B-LTA"])
def test_other_readers_accept_the_file(sign, identity, plain_pdf, tmp_path, level):
    (path := tmp_path / "signed.pdf").write_bytes(sign(plain_pdf, identity, level=level))
    environment = {**os.environ, "TZ": "UTC"}
    seen = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, env=environment).stdout
    assert "Signature is Valid" in seen
    assert "ETSI.CAdES.detached" in seen
    assert "Jul 02 2019 09:12:30" in seen
    assert subprocess.run(["qpdf", "--check", path], capture_output=True).returncode == 0


def test_signing_only_appends(sign, identity, plain_pdf):
    assert sign(plain_pdf, identity).startswith(plain_pdf)


def test_a_visible_signature_shows_its_lines(sign, identity, plain_pdf, policy, clock, tmp_path):
    visible = pades.VisibleBlock(("Signé électroniquement par Camille ESSAI", "Maire"), (300, 100, 510, 144))
    (path := tmp_path / "signed.pdf").write_bytes(signed := sign(plain_pdf, identity, visible=visible))
    text = subprocess.run(["pdftotext", "-f", "2", path, "-"], capture_output=True, text=True).stdout
    assert "Signé électroniquement par Camille ESSAI" in text
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True).stdout
    assert any("Atkinson" in line and "yes" in line for line in fonts.splitlines())  # embedded, as PDF/A wants
    assert validation.validate_pdf(signed, policy=policy, at=clock.at).valid


@named
def test_a_signature_bears_the_name_of_its_signatory(sign, issue, plain_pdf, policy, clock, given, family):
    who = f"{given} {family}"
    visible = pades.VisibleBlock(("Signé électroniquement", "Maire"), (300, 100, 510, 144))
    signed = sign(plain_pdf, issue(who), name=who, visible=visible)
    report = validation.validate_pdf(signed, policy=policy, at=clock.at)
    assert report.valid
    assert report.signatures[0].signer == who
    with pikepdf.open(io.BytesIO(signed)) as document:
        assert next(str(field.V.Name) for field in document.Root.AcroForm.Fields if "/V" in field) == who


@pytest.mark.parametrize(("text", "drawn"), [("Zoé N’Guyen-D’Août", True), ("Łukasz", False), ("明 李", False)])
def test_it_is_known_beforehand_which_names_the_visible_block_can_show(text, drawn):
    assert pades.can_draw(text) is drawn


def test_a_second_signature_keeps_the_first(sign, identity, issue, plain_pdf, policy, clock):
    once = sign(plain_pdf, identity)
    twice = sign(once, issue("Dominique ESSAI"), field_name="Signature2")
    report = validation.validate_pdf(twice, policy=policy, at=clock.at)
    assert report.valid
    assert "2 signatures valides sur 2" in report.sentence
    assert [one.signer for one in report.signatures if one.kind == "signature"] == [
        "Camille ESSAI",
        "Dominique ESSAI",
    ]


def test_the_same_field_is_not_signed_twice(sign, identity, plain_pdf):
    with pytest.raises(pades.SigningRefused):
        sign(sign(plain_pdf, identity, level="B-B"), identity, level="B-B")


# -- refusals before the key is used ---------------------------------------------------------------


def forbid_signing(monkeypatch):
    def used(*args, **kwargs):
        raise AssertionError("the key was used")

    monkeypatch.setattr(SimpleSigner, "async_sign_raw", used)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"not_after": datetime(2019, 6, 30, tzinfo=UTC)}, "EXPIRED"),
        ({"not_before": datetime(2019, 7, 3, tzinfo=UTC)}, "NOT_YET_VALID"),
        ({"usages": ("digital_signature",)}, "CHAIN_CONSTRAINTS_FAILURE"),
    ],
)
def test_an_unfit_certificate_does_not_sign(sign, issue, plain_pdf, monkeypatch, options, code):
    forbid_signing(monkeypatch)
    with pytest.raises(CertificateRefused) as refusal:
        sign(plain_pdf, issue(f"Essai {code}", **options), level="B-B")
    assert refusal.value.code == code


@pytest.mark.parametrize("level", ["B-B", "B-LTA"])
def test_a_revoked_certificate_does_not_sign(sign, issue, authority, clock, plain_pdf, monkeypatch, level):
    forbid_signing(monkeypatch)
    revoked = authority.issue_signer(f"Révoqué {level}", "Commune de Juvignac", "213401235")
    authority.revoke(revoked, clock.at - timedelta(days=3))
    with pytest.raises(CertificateRefused) as refusal:
        sign(plain_pdf, identities.from_pkcs12(revoked.path.read_bytes(), revoked.password), level=level)
    assert refusal.value.code == "REVOKED"
    assert "29/06/2019" in refusal.value.sentence


def test_a_certificate_of_an_unknown_authority_does_not_sign(sign, identity, plain_pdf, policy, monkeypatch):
    forbid_signing(monkeypatch)
    with pytest.raises(CertificateRefused) as refusal:
        sign(plain_pdf, identity, policy=dataclasses.replace(policy, roots=()))
    assert refusal.value.code == "NO_CERTIFICATE_CHAIN_FOUND"


def test_without_an_answer_on_revocation_the_long_term_levels_do_not_sign(sign, identity, plain_pdf, policy):
    unreachable = dataclasses.replace(policy, allowed_hosts=frozenset(), tsa_urls=())
    with pytest.raises(CertificateRefused) as refusal:
        sign(plain_pdf, identity, policy=unreachable)
    assert refusal.value.code == "TRY_LATER"


def test_without_time_stamp_nothing_is_signed(sign, identity, plain_pdf, policy, authority):
    from urllib.parse import urlsplit

    mute = dataclasses.replace(
        policy,
        tsa_urls=("http://127.0.0.1:9/tsa",),
        allowed_hosts=frozenset({urlsplit(authority.url).netloc}),
    )
    with pytest.raises(TimestampUnavailable):
        sign(plain_pdf, identity, level="B-T", policy=mute)


@needs_shared
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("signature/iparapheur/PDF_avec_tags-protege-a123456.pdf", "protégé"),
        ("signature/iparapheur/main-1_1-owner-restricted.pdf", "protégé"),
        ("seances/pdf/renomme-pas-un-pdf.pdf", "PDF lisible"),
        ("seances/pdf/tronque.pdf", "PDF lisible"),
    ],
)
def test_a_pdf_that_cannot_be_signed_is_refused_in_words(sign, identity, shared_dir, name, words):
    with pytest.raises(pades.SigningRefused) as refusal:
        sign((shared_dir / "samples" / name).read_bytes(), identity)
    assert words in refusal.value.sentence


# -- identities ------------------------------------------------------------------------------------


def test_a_wrong_passphrase_is_said(authority):
    material = authority.issue_signer("Camille ESSAI", "Commune de Juvignac", "213401235")
    with pytest.raises(IdentityUnusable) as refusal:
        identities.from_pkcs12(material.path.read_bytes(), "autre")
    assert "phrase secrète" in refusal.value.sentence


@pytest.mark.parametrize("content", [b"", b"nonsense", b"0" * 300_000])
def test_what_is_not_a_pkcs12_is_refused(content):
    with pytest.raises(IdentityUnusable):
        identities.from_pkcs12(content, "x")


@pytest.mark.parametrize("key_ref", ["../etc/x", "/etc/x", "a/../b", "", "A", "a//b"])
def test_a_key_reference_never_leaves_the_secret_folder(key_ref):
    with pytest.raises(IdentityUnusable):
        identities.secret_path(key_ref)


def test_the_identity_does_not_print_its_key(identity):
    assert "signer" not in repr(identity)


# -- long term -------------------------------------------------------------------------------------


def test_a_revocation_after_signing_does_not_undo_a_long_term_signature(sign, authority, plain_pdf, policy, clock):
    material = authority.issue_signer("Révoqué ensuite", "Commune de Juvignac", "213401235")
    signer = identities.from_pkcs12(material.path.read_bytes(), material.password)
    lta, basic = sign(plain_pdf, signer), sign(plain_pdf, signer, level="B-B")
    clock.at += timedelta(days=30)
    authority.revoke(material, clock.at)
    clock.at += timedelta(days=30)
    assert validation.validate_pdf(lta, policy=policy, at=clock.at).verdict == "TOTAL_PASSED"
    late = validation.validate_pdf(basic, policy=policy, at=clock.at)
    assert (late.verdict, late.sub_indication) == ("INDETERMINATE", "REVOKED_NO_POE")


def test_a_long_term_signature_survives_its_certificate(sign, issue, plain_pdf, policy, clock):
    signer = issue("Bientôt expiré", not_after=datetime(2019, 12, 31, tzinfo=UTC))
    signed = sign(plain_pdf, signer)
    clock.at = datetime(2025, 1, 1, tzinfo=UTC)
    assert validation.validate_pdf(signed, policy=policy, at=clock.at).verdict == "TOTAL_PASSED"


def test_renewing_the_archive_time_stamp_appends_one(sign, identity, plain_pdf, policy, clock):
    signed = sign(plain_pdf, identity)
    clock.at = datetime(2024, 1, 1, tzinfo=UTC)
    renewed = pades.upgrade(signed, policy=policy, at=clock.at)
    assert renewed.startswith(signed)
    report = validation.validate_pdf(renewed, policy=policy, at=clock.at)
    assert report.valid
    stamps = [one for one in report.signatures if one.kind == "horodatage"]
    assert [one.best_signature_time.year for one in stamps] == [2019, 2024]
    assert report.signatures[0].change is Change.LONG_TERM
