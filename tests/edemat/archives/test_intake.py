"""Intake of packages of our own making: each defect is found by its control and said in one sentence."""

import hashlib
import io
import os
import tracemalloc
import zipfile
from datetime import date

import pytest

from parvis.edemat.archives.formats.acte import Piece
from parvis.edemat.archives.formats.controls import KnownAgency, KnownAgreement
from parvis.edemat.archives.formats.findings import Control, Outcome
from parvis.edemat.archives.formats.seda_writer import write_archive_transfer
from parvis.edemat.archives.intake import Identification, Tools, examine
from tests.edemat.archives.dossiers import (
    AGENCY,
    CONTENTS,
    PRODUCER,
    SIREN,
    TOOLS,
    acte_package,
    package,
    terms,
    transfer,
)


def examined(stream, *, tools=TOOLS, referentials=None, **changes):
    known = terms(**changes)
    return examine(stream, lambda _: known, tools, referentials=referentials)


def refusals(intake) -> list[tuple[str, str]]:
    return [(f.control, f.code) for f in intake.findings if not f.ok]


def altered(change) -> io.BytesIO:
    """The package of an acte whose content ``change`` alters: it receives path → bytes and edits it."""
    with zipfile.ZipFile(acte_package()) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    return package(files.pop("manifest.xml"), files)


def first(files: dict[str, bytes]) -> str:
    return next(name for name in files if name != "manifest.xml")


@pytest.mark.reference
def test_the_package_of_an_acte_passes_every_control(shared_dir):
    intake = examined(acte_package(), referentials=shared_dir / "schemas")
    assert intake.accepted
    assert refusals(intake) == []
    assert {f.control for f in intake.findings} == set(Control)
    assert [f.control for f in intake.findings] == sorted((f.control for f in intake.findings), key=list(Control).index)
    by_control = {f.control: f for f in intake.findings}
    assert by_control[Control.SCHEMA].outcome is Outcome.OK
    assert by_control[Control.ANTIVIRUS].outcome is Outcome.NOT_MADE
    assert len(intake.files) == len(CONTENTS)
    assert intake.total_bytes == sum(len(content) for _, content in CONTENTS.values())


def test_a_missing_file():
    intake = examined(altered(lambda files: files.pop(first(files))))
    assert refusals(intake) == [(Control.PRESENCE, "211")]


def test_a_file_too_many():
    intake = examined(altered(lambda files: files.update({"content/intrus.txt": b"?"})))
    assert refusals(intake) == [(Control.PRESENCE, "101")]


def test_one_byte_changed():
    intake = examined(altered(lambda files: files.update({first(files): files[first(files)][:-1] + b"X"})))
    assert refusals(intake) == [(Control.DIGEST, "207")]


def test_a_file_damaged_in_the_archive():
    data = bytearray(acte_package().getvalue())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        info = archive.infolist()[1]
    data[info.header_offset + 30 + len(info.filename) + 3] ^= 0xFF
    intake = examined(io.BytesIO(bytes(data)))
    assert (Control.DIGEST, "207") in refusals(intake)


def test_a_wrong_size_under_a_right_digest_is_a_remark():
    def lie(files):
        files["manifest.xml"] = files["manifest.xml"].replace(b"<Size>19</Size>", b"<Size>24</Size>", 1)

    intake = examined(altered(lie))
    assert intake.accepted
    assert intake.code == "001"
    assert [f.outcome for f in intake.findings if f.control is Control.SIZE] == [Outcome.WARNING]


def test_a_file_named_with_another_unicode_form_is_found():
    content = b"accents"
    message = write_archive_transfer(transfer(pieces=[]))
    digest = hashlib.sha512(content).hexdigest()
    declared = (
        '<DataObjectGroup id="G1"><BinaryDataObject id="B1"><Uri>content/e\u0301te\u0301 &amp; -n.txt</Uri>'
        f'<MessageDigest algorithm="SHA-512">{digest}</MessageDigest></BinaryDataObject></DataObjectGroup>'
        "<DescriptiveMetadata>"
    ).encode()
    message = message.replace(b"<DescriptiveMetadata>", declared).replace(
        b"</Content>",
        b"</Content><DataObjectReference><DataObjectGroupReferenceId>G1</DataObjectGroupReferenceId>"
        b"</DataObjectReference>",
    )
    intake = examined(package(message, {"content/été & -n.txt": content}))
    assert refusals(intake) == []


def test_a_transfer_already_received():
    assert refusals(examined(acte_package(), already_received=True)) == [(Control.DUPLICATE, "300")]


@pytest.mark.parametrize(
    ("missing", "code"), [(AGENCY.identifier, "201"), (SIREN, "202"), (PRODUCER.identifier, "200")]
)
def test_an_unknown_service(missing, code):
    agencies = {k: v for k, v in terms().agencies.items() if k != missing}
    assert (Control.AGENCIES, code) in refusals(examined(acte_package(), agencies=agencies))


def test_a_service_of_the_wrong_kind_or_no_longer_active():
    wrong = dict(terms().agencies) | {AGENCY.identifier: KnownAgency(AGENCY.identifier, frozenset({"SV"}))}
    assert refusals(examined(acte_package(), agencies=wrong)) == [(Control.AGENCIES, "201")]
    gone = dict(terms().agencies) | {
        SIREN: KnownAgency(SIREN, frozenset({"SV"}), until=date(2019, 7, 11)),
    }
    assert refusals(examined(acte_package(), agencies=gone)) == [(Control.AGENCIES, "202")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"active": False}, "300"),
        ({"since": date(2019, 8, 1)}, "312"),
        ({"until": date(2019, 7, 11)}, "312"),
        ({"originating_agencies": frozenset({"autre"})}, "302"),
        ({"transferring_agencies": frozenset({"autre"})}, "303"),
        ({"archival_agencies": frozenset({"autre"})}, "304"),
        ({"max_bytes": 10}, "306"),
        ({"max_object_bytes": 5}, "306"),
    ],
)
def test_the_terms_of_the_agreement(changes, code):
    identifier = f"{SIREN}_ACCORD_ACTES"
    values = {"profiles": frozenset({"ACTES_v1"}), "antivirus_required": False} | changes
    agreements = {identifier: KnownAgreement(identifier, **values)}
    assert refusals(examined(acte_package(), agreements=agreements)) == [(Control.AGREEMENT, code)]


def agreement(**changes):
    identifier = f"{SIREN}_ACCORD_ACTES"
    values = {"profiles": frozenset({"ACTES_v1"}), "antivirus_required": False} | changes
    return {identifier: KnownAgreement(identifier, **values)}


def test_an_algorithm_outside_the_agreement():
    intake = examined(acte_package(), agreements=agreement(algorithms=frozenset({"sha256"})))
    assert set(refusals(intake)) == {(Control.DIGEST, "207")}


def test_formats_outside_the_agreement():
    tools = Tools(identify=lambda path: Identification("fmt/276", "PDF 1.7", "application/pdf"))
    assert examined(acte_package(), tools=tools, agreements=agreement(formats=frozenset({"fmt/276"}))).accepted
    intake = examined(acte_package(), tools=tools, agreements=agreement(formats=frozenset({"fmt/95"})))
    assert set(refusals(intake)) == {(Control.FORMAT, "307")}


def test_unknown_formats_by_agreement():
    tools = Tools(identify=lambda path: Identification("UNKNOWN"))
    assert examined(acte_package(), tools=tools).code == "001"
    intake = examined(acte_package(), tools=tools, agreements=agreement(refuse_unknown_formats=True))
    assert set(refusals(intake)) == {(Control.FORMAT, "204")}


def test_a_virus_refuses_and_a_missing_engine_makes_wait_when_required():
    def scan(path):
        return "Essai-Signature" if b"stamped" in path.read_bytes() else ""

    intake = examined(acte_package(), tools=Tools(TOOLS.identify, scan))
    assert refusals(intake) == [(Control.ANTIVIRUS, "101")]
    assert not intake.must_wait
    waiting = examined(acte_package(), agreements=agreement(antivirus_required=True))
    assert refusals(waiting) == [(Control.ANTIVIRUS, "102")]
    assert waiting.must_wait
    clean = examined(
        acte_package(),
        tools=Tools(TOOLS.identify, lambda p: ""),
        agreements=agreement(antivirus_required=True),
    )
    assert clean.accepted


def test_the_real_reason_comes_before_the_wait():
    intake = examined(altered(lambda files: files.pop(first(files))), agreements=agreement(antivirus_required=True))
    assert not intake.must_wait
    assert intake.code == "211"


@pytest.mark.parametrize(
    ("old", "new", "control"),
    [
        (b"<Title>Acte</Title>", b"<Title> </Title>", Control.DESCRIPTION),
        (b"<DescriptionLevel>Item</DescriptionLevel>", b"", Control.DESCRIPTION),
        (b"<EndDate>2019-07-11</EndDate>", b"<EndDate>2019-06-30</EndDate>", Control.DESCRIPTION),
        (b"<Title>Acte</Title>", b"<Title>" + b"x" * 32_001 + b"</Title>", Control.DESCRIPTION),
        (b"<Rule>AR038</Rule>", b"<Rule>AR999</Rule>", Control.RULES),
        (b"<Rule>AR038</Rule>", b"<Rule>P10Y</Rule>", Control.RULES),
        (b"<Rule>P10Y</Rule>", b"<Rule>AR048</Rule>", Control.RULES),
        (b"<StartDate>2019-07-11</StartDate>", b"<StartDate>9999-01-01</StartDate>", Control.RULES),
        (b"Dissemination_1", b"BinaryMaster_1", Control.STRUCTURE),
        (b"Dissemination_1", b"PhysicalMaster_1", Control.STRUCTURE),
        (b"BinaryMaster_1", b"BinaryMaster_01", Control.STRUCTURE),
        (b'id="U2"', b'id="U3"', Control.STRUCTURE),
        (
            b"<DataObjectGroupReferenceId>G1</DataObjectGroupReferenceId>",
            b"<DataObjectGroupReferenceId>G99</DataObjectGroupReferenceId>",
            Control.STRUCTURE,
        ),
        (
            b"<DataObjectGroupReferenceId>G1</DataObjectGroupReferenceId>",
            b"<DataObjectGroupReferenceId>U1</DataObjectGroupReferenceId>",
            Control.STRUCTURE,
        ),
        (
            b"<DataObjectGroupReferenceId>G1</DataObjectGroupReferenceId>",
            b"<DataObjectGroupReferenceId>G2</DataObjectGroupReferenceId>",
            Control.STRUCTURE,
        ),
    ],
)
def test_defects_of_the_message(old, new, control):
    def spoil(files):
        assert old in files["manifest.xml"]
        files["manifest.xml"] = files["manifest.xml"].replace(old, new, 1)

    intake = examined(altered(spoil))
    if new == b"BinaryMaster_01":
        assert intake.accepted  # the number is an integer: 01 is 1
    else:
        assert {c for c, _ in refusals(intake)} == {control}


def test_the_numbers_of_usages_are_integers():
    def double(files):
        files["manifest.xml"] = files["manifest.xml"].replace(b"Dissemination_1", b"BinaryMaster_01", 1)

    assert refusals(examined(altered(double))) == [(Control.STRUCTURE, "101")]


def test_progress_tells_bytes_read():
    seen = []
    known = terms()
    examine(
        acte_package(),
        lambda _: known,
        TOOLS,
        referentials=None,
        progress=lambda done, todo: seen.append((done, todo)),
    )
    assert len(seen) == len(CONTENTS)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)
    assert all(d <= t for d, t in seen)


def test_long_reports_are_cut():
    intake = examined(altered(lambda files: files.update({f"content/x{i}": b"" for i in range(300)})))
    presence = [f for f in intake.findings if f.control is Control.PRESENCE]
    assert len(presence) == 101
    assert "200 autres" in presence[-1].sentence
    assert not presence[-1].ok


@pytest.mark.slow
def test_memory_stays_flat_for_a_large_package(tmp_path):
    """Two hundred megabytes that do not compress, read once in blocks."""
    block = os.urandom(1024 * 1024)
    digest = hashlib.sha512()
    for _ in range(200):
        digest.update(block)
    big = Piece("signe", "Acte", "grand.bin", "0" * 64, digest.hexdigest(), 200 * len(block))
    message = write_archive_transfer(transfer(pieces=[big]))
    path = tmp_path / "sip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.xml", message)
        with archive.open(f"content/{'0' * 64}.bin", "w") as output:
            for _ in range(200):
                output.write(block)
    tracemalloc.start()
    with path.open("rb") as stream:
        intake = examined(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusals(intake) == []
    assert intake.total_bytes == 200 * len(block)
    assert peak < 16 * 1024 * 1024
