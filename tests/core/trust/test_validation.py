"""Validation: expected verdicts of public samples, changes after signature, files made to break readers."""

import io
import json
import subprocess
import time
from datetime import UTC, date, datetime

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from parvis.core.trust import pades, validation
from parvis.core.trust.modifications import STAMP_NAME, Change
from parvis.core.trust.policy import TrustPolicy
from parvis.core.trust.validation import validate_pdf
from parvis.edemat.actes.stamping import Stamp, stamp_pdf
from tests.conftest import needs_shared

TODAY = datetime(2026, 1, 1, tzinfo=UTC)
NO_CHAIN, INDETERMINATE, FAILED = "NO_CERTIFICATE_CHAIN_FOUND", "INDETERMINATE", "TOTAL_FAILED"


@pytest.fixture
def signed(plain_pdf, identity, policy, clock):
    return pades.sign(plain_pdf, identity, policy=policy, at=clock.at)


@pytest.fixture
def basic(plain_pdf, identity, policy, clock):
    return pades.sign(plain_pdf, identity, level="B-B", policy=policy, at=clock.at)


@pytest.fixture
def validate(policy, clock):
    return lambda pdf: validate_pdf(pdf, policy=policy, at=clock.at)


# -- public samples: no root of ours, so the question is integrity and change

SAMPLES = [
    # file, verdict, sub-indication, then per signature: intact, change, level
    ("pades-bes.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.NONE, "B-B")]),
    ("doc-firmado-T.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.NONE, "B-T")]),
    ("doc-firmado-LT.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.LONG_TERM, "B-LT")]),
    ("doc-firmado.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.FORM, "B-LTA"), (True, Change.NONE, "")]),
    ("pdf-signed-original.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.NONE, "B-B")]),
    ("pdf-signed-added-page.pdf", FAILED, "MODIFIED_AFTER_SIGNATURE", [(True, Change.OTHER, "B-B")]),
    ("pades-signed-annot-added.pdf", FAILED, "MODIFIED_AFTER_SIGNATURE", [(True, Change.OTHER, "B-B")]),
    ("certified-changes-permitted.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.NONE, "B-B")]),
    (
        "pdf-byterange-overlap.pdf",
        FAILED,
        "HASH_FAILURE",
        [(True, Change.FORM, "B-B"), (False, Change.OTHER, "B-B")],
    ),
    (
        "hello_signed_INCSAVE_signed_EDITED.pdf",
        FAILED,
        "HASH_FAILURE",
        [(True, Change.LONG_TERM, "B-B"), (False, Change.OTHER, "B-B")],
    ),
    ("pdf-with-empty-sig.pdf", INDETERMINATE, "FORMAT_FAILURE", []),
    (
        "pades-bes-no-certificates.pdf",
        INDETERMINATE,
        "NO_SIGNING_CERTIFICATE_FOUND",
        [(False, Change.NONE, "")],
    ),
    ("malformed-pades.pdf", INDETERMINATE, "FORMAT_FAILURE", []),
    ("pkcs7.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.NONE, "")]),
    ("encrypted.pdf", INDETERMINATE, NO_CHAIN, [(True, Change.NONE, "")]),
]


@needs_shared
@pytest.mark.parametrize(("name", "verdict", "code", "signatures"), SAMPLES, ids=[one[0] for one in SAMPLES])
def test_public_samples_get_their_expected_verdict(shared_dir, policy, name, verdict, code, signatures):
    report = validate_pdf((shared_dir / "samples/signature/pades" / name).read_bytes(), policy=policy, at=TODAY)
    assert (report.verdict, report.sub_indication) == (verdict, code)
    assert [(one.intact, one.change, one.level) for one in report.signatures] == signatures
    assert not report.valid
    assert report.sentence


@needs_shared
@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("seances/pdf/ok-5p.pdf", "NO_SIGNATURE", "ne porte pas de signature"),
        ("seances/pdf/chiffre-mot-de-passe-utilisateur.pdf", "FORMAT_FAILURE", "mot de passe"),
        ("seances/pdf/renomme-pas-un-pdf.pdf", "FORMAT_FAILURE", "n’est pas un PDF lisible"),
        ("seances/pdf/tronque.pdf", "FORMAT_FAILURE", "n’est pas un PDF lisible"),
    ],
)
def test_files_without_a_readable_signature_say_so(shared_dir, policy, name, code, words):
    report = validate_pdf((shared_dir / "samples" / name).read_bytes(), policy=policy, at=TODAY)
    assert (report.verdict, report.sub_indication) == (INDETERMINATE, code)
    assert words in report.sentence


# -- the stamp -------------------------------------------------------------------------------------

STAMP = Stamp("034-213401235-20190701-19_07_01_05-DE", date(2019, 7, 3), date(2019, 7, 3))


def test_the_stamp_keeps_the_signature_valid_and_is_told(signed, validate, tmp_path):
    stamped = stamp_pdf(signed, STAMP)
    report = validate(stamped)
    assert report.verdict == "TOTAL_PASSED"
    assert "Signature valide ; tampon de télétransmission ajouté après la signature" in report.sentence
    assert report.signatures[0].change is Change.STAMP
    assert not report.signatures[0].covers_whole_file
    (path := tmp_path / "stamped.pdf").write_bytes(stamped)
    seen = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True).stdout
    assert "Signature is Valid" in seen


def annotate(pdf: bytes, **changes: object) -> bytes:
    """`pdf` with an annotation on its first page: our stamp but for `changes` (None removes an entry)."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    form = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 100, 40))),
        },
        stream_data=b"1 g 0 0 100 40 re f",
    )
    entries = {
        "Type": pdf_name("/Annot"),
        "Subtype": pdf_name("/Stamp"),
        "Rect": generic.ArrayObject(map(generic.NumberObject, (20, 780, 120, 820))),
        "F": generic.NumberObject(4 | 64 | 128 | 512),
        "NM": generic.TextStringObject(f"{STAMP_NAME}-1"),
        "Contents": generic.TextStringObject("essai"),
        "AP": generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)}),
    } | changes
    annotation = generic.DictionaryObject({pdf_name(f"/{k}"): v for k, v in entries.items() if v is not None})
    writer.register_annotation(page, writer.add_object(annotation))
    writer.write(output := io.BytesIO())
    return output.getvalue()


def test_an_annotation_just_like_our_stamp_is_the_stamp(signed, validate):
    assert validate(annotate(signed)).signatures[0].change is Change.STAMP


@pytest.mark.parametrize(
    "changes",
    [
        {"Subtype": pdf_name("/FreeText")},
        {"NM": generic.TextStringObject("autre")},
        {"NM": None},
        {"F": generic.NumberObject(4)},
        {"A": generic.DictionaryObject({pdf_name("/S"): pdf_name("/JavaScript")})},
        {"AP": generic.DictionaryObject()},
        {"Rect": generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))},
    ],
    ids=[
        "free text",
        "other name",
        "no name",
        "not locked",
        "with an action",
        "no appearance",
        "hides the page",
    ],
)
def test_any_other_annotation_is_a_modification(signed, validate, changes):
    report = validate(annotate(signed, **changes))
    assert (report.verdict, report.sub_indication) == ("TOTAL_FAILED", "MODIFIED_AFTER_SIGNATURE")
    assert report.signatures[0].intact


def test_a_stamp_does_not_cover_a_change_of_content_in_the_same_revision(signed, validate):
    writer = IncrementalPdfFileWriter(io.BytesIO(stamp_pdf(signed, STAMP)), strict=False)
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    writer.update_container(page)
    writer.write(output := io.BytesIO())
    assert validate(output.getvalue()).verdict == "TOTAL_FAILED"


# -- tampering -------------------------------------------------------------------------------------


def test_one_changed_byte_of_the_text_breaks_the_signature(signed, validate):
    where = signed.index(b"/MediaBox [ 0 0 595") + len(b"/MediaBox [ 0 0 ")
    report = validate(signed[:where] + b"6" + signed[where + 1 :])
    assert (report.verdict, report.sub_indication) == ("TOTAL_FAILED", "HASH_FAILURE")
    assert not report.signatures[0].intact


def test_a_truncated_file_is_reported(signed, validate):
    assert validate(signed[: len(signed) // 2]).verdict == INDETERMINATE


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_makes_validation_raise_or_pass_altered_content(basic, plain_pdf, policy, clock, data):
    """Bytes of the signed content changed at random: a verdict always, and never a good one."""
    position = data.draw(st.integers(9, len(plain_pdf) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != basic[position]))
    damaged = basic[:position] + bytes([byte]) + basic[position + 1 :]
    assert not validate_pdf(damaged, policy=policy, at=clock.at).valid


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_a_format_failure(content):
    report = validate_pdf(b"%PDF-1.7\n" + content, policy=TrustPolicy(), at=TODAY)
    assert report.verdict == INDETERMINATE


# -- bounds ----------------------------------------------------------------------------------------


def form_that_never_ends(depth: int = 60) -> bytes:
    """Fields that hold the next ones twice: a small file of 2^60 fields to whoever looks for signatures."""
    document = pikepdf.new()
    document.add_blank_page()
    field = document.make_indirect(pikepdf.Dictionary(T=pikepdf.String("last"), FT=pikepdf.Name.Tx))
    for number in range(depth):
        kids = pikepdf.Array([field, field])
        field = document.make_indirect(pikepdf.Dictionary(T=pikepdf.String(f"n{number}"), Kids=kids))
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]), SigFlags=3)
    document.save(output := io.BytesIO())
    return output.getvalue()


def test_a_file_that_would_never_end_is_stopped_and_the_next_one_judged(signed, validate, monkeypatch):
    validate(signed)  # the examining process is there
    monkeypatch.setattr(validation, "SECONDS", 3.0)
    before = time.monotonic()
    report = validate(form_that_never_ends())
    assert time.monotonic() - before < 10
    assert (report.verdict, report.sub_indication) == (INDETERMINATE, "FORMAT_FAILURE")
    assert "non vérifiables" in report.sentence
    assert "3 secondes" in report.sentence
    monkeypatch.undo()
    assert validate(signed).valid


def test_the_examining_process_has_its_memory_bounded(policy, clock, tmp_path):
    huge = tmp_path / "huge.pdf"
    with huge.open("wb") as file:
        file.truncate(4 * 1024**3)  # sparse: it takes no room
    order = {"do": "validate", "policy": policy.to_dict(), "at": clock.at.isoformat(), "path": str(huge)}
    assert "MemoryError" in validation.examiner.order(**order, seconds=60)["error"]


def test_an_examination_that_gives_no_report_is_indeterminate(signed, validate, monkeypatch):
    monkeypatch.setattr(validation.examiner, "order", lambda **_: {"error": "MemoryError: "})
    report = validate(signed)
    assert (report.verdict, report.size) == (INDETERMINATE, len(signed))
    assert "mémoire" in report.sentence


def test_a_report_is_the_same_on_both_sides_of_the_process(signed, policy, clock):
    report = validation.judge_pdf(signed, policy, clock.at)
    assert validation.Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


# -- the report ------------------------------------------------------------------------------------


def test_the_report_is_json_with_everything_a_reader_needs(signed, validate):
    data = json.loads(json.dumps(validate(signed).to_dict()))
    assert data["standard"] == "ETSI EN 319 102-1"
    assert data["sans_valeur_legale"] is True
    signature = data["signatures"][0]
    assert signature["level"] == "B-LTA"
    assert signature["best_signature_time"] == "2019-07-02T09:12:30+00:00"
    assert signature["change_sentence"] == Change.LONG_TERM.sentence


def test_the_report_has_a_french_page(signed, validate):
    page = validate(signed).to_page()
    labels = dict(page["signatures"][0]["lignes"])
    assert labels["Signataire"] == "Camille ESSAI"
    assert labels["Intégrité"] == "contenu signé intact"
    assert page["signatures"][1]["titre"] == "Horodatage du document"


def test_roots_unmarked_as_sandbox_are_not_labelled(signed, policy, clock, monkeypatch):
    from parvis.core.trust import policy as policies

    monkeypatch.setattr(policies, "MARK_WITHOUT_VALUE", "JAMAIS")
    report = validation.judge_pdf(signed, policy, clock.at)
    assert not report.sandbox
    assert report.sentence == "Signature valide."
