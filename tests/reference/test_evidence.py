"""The evidence of the whole chain, checked by parties we did not write and by the official schemas."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from tests.conftest import PROJECT, needs_shared

pytestmark = [pytest.mark.reference, pytest.mark.timeout(400)]
ACTES = {"a": "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"}
ID_ACTE = "034-213401235-20190701-19_07_01_05-DE"


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not on this machine")
    return path


def run(*command: str | Path, **options) -> subprocess.CompletedProcess:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory) -> Path:
    """``bin/demo --once`` on a fresh folder, as a newcomer runs it."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PARVIS_", "DATABASE_", "DJANGO_", "PYTEST_"))
    }
    finished = run(
        sys.executable, "-m", "parvis_demo", "--once", "--folder", folder,
        env={**environment, "PYTHONPATH": str(PROJECT / "src")}, timeout=240, cwd=PROJECT,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-6000:]
    return folder / "evidence"


def test_nothing_is_left_running(evidence):
    assert not (evidence.parent / "pg" / "postmaster.pid").exists()


@pytest.fixture(scope="module")
def envelope(evidence, tmp_path_factory) -> Path:
    """The archive sent to the ministry, unpacked."""
    target = tmp_path_factory.mktemp("envelope")
    (archive,) = evidence.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target


def test_everything_promised_is_there(evidence):
    (archive,) = evidence.glob("*.tar.gz")
    assert archive.name == "PAR-EACT--213401235--20190703-1.tar.gz"
    for name in (
        "convocation.ics", "convocation-evidence.json", "convocation-evidence.tsr", "deliberation.pdf", "ar.xml",
        "deliberation-tamponnee.pdf", "bordereau.pdf", "certificat-executoire.pdf", "transfer.xml", "sip.zip",
        "atr.xml", "ocfl", "journal-export", "deliberations.csv", "pki", "summary.json",
    ):  # fmt: skip
        assert (evidence / name).exists(), name


def test_the_summary_tells_each_step_with_its_digests(evidence):
    import hashlib

    summary = json.loads((evidence / "summary.json").read_text())
    assert summary["id_acte"] == ID_ACTE
    assert summary["executoire"] == "2019-07-11"
    assert [s["step"] for s in summary["steps"]] == [
        "convocation", "seance", "signature", "transmission", "publication", "archive", "opendata", "journal"
    ]  # fmt: skip
    final = {name: digest for step in summary["steps"] for name, digest in step["files"].items()}
    for name, digest in final.items():
        path = evidence / name if (evidence / name).exists() else evidence / "journal-export" / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, name


@needs_shared
def test_the_checks_are_exactly_those_expected(evidence, shared_dir):
    case = json.loads((shared_dir / "samples/seances/juvignac-19.07.01.05.json").read_text())
    checks = json.loads((evidence / "summary.json").read_text())["controles"]
    assert [c for c in checks if c["severity"] == "bloquant" and not c["ok"]] == []
    assert sorted(c["mark"] for c in checks if c["severity"] == "avertissement" and not c["ok"]) == sorted(
        case["attendus"]["avertissements"]
    )


@needs_shared
@pytest.mark.parametrize("pattern", ["EACT--*.xml", "*-DE-1-1_0.xml"])
def test_envelope_and_act_are_valid_for_xmllint(envelope, shared_dir, pattern):
    (message,) = envelope.glob(pattern)
    schema = shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd"
    found = run(need("xmllint"), "--nonet", "--noout", "--schema", schema, message)
    assert found.returncode == 0, found.stderr


def test_the_archive_is_flat_ordered_and_bears_the_regulatory_names(evidence, envelope):
    (archive,) = evidence.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = [member.name for member in tar]
        assert all(member.isfile() for member in tar)
    stem = "034-213401235-20190701-19_07_01_05-DE-1-1"
    assert names[:3] == ["EACT--213401235--20190703-1.xml", f"{stem}_0.xml", f"99_DE-{stem}_1.pdf"]
    assert names[3].endswith(f"{stem}_2.pdf")
    assert len(names) == 4
    assert (envelope / names[2]).read_bytes() == (evidence / "deliberation.pdf").read_bytes()


@needs_shared
def test_the_acknowledgement_is_the_ministrys_and_valid(evidence, shared_dir):
    schema = shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd"
    found = run(need("xmllint"), "--nonet", "--noout", "--schema", schema, evidence / "ar.xml")
    assert found.returncode == 0, found.stderr
    root = etree.parse(evidence / "ar.xml").getroot()
    assert root.get(f"{{{ACTES['a']}}}IDActe") == ID_ACTE
    assert root.get(f"{{{ACTES['a']}}}DateReception") == "2019-07-03"


@pytest.mark.parametrize("name", ["deliberation.pdf", "deliberation-tamponnee.pdf"])
def test_pdfsig_finds_the_signature_valid(evidence, name, tmp_path):
    found = run(need("pdfsig"), "-nocert", evidence / name)
    assert "Signature is Valid" in found.stdout, found.stdout
    assert "ETSI.CAdES.detached" in found.stdout
    assert "Alix Exemple" in found.stdout


@pytest.mark.parametrize(
    "name", ["deliberation.pdf", "deliberation-tamponnee.pdf", "bordereau.pdf", "certificat-executoire.pdf"]
)
def test_qpdf_finds_the_documents_sound(evidence, name):
    found = run(need("qpdf"), "--check", evidence / name)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", ["deliberation.pdf", "bordereau.pdf", "certificat-executoire.pdf", "convocation.pdf"])
def test_the_documents_are_tagged(evidence, name):
    found = run(need("pdfinfo"), evidence / name)
    assert "Tagged:          yes" in found.stdout, found.stdout


def test_the_printed_counts_are_those_of_the_meeting(evidence):
    text = run(need("pdftotext"), "-layout", evidence / "deliberation.pdf", "-").stdout
    flat = " ".join(text.split())
    for fragment in ("19.07.01.05", "29", "18", "26", "DE CHAMBRUN", "GAUZY CHABLE", "24 juin 2019", "unanimité"):
        assert fragment in flat, fragment


def test_the_stamp_says_what_the_ministry_said(evidence):
    flat = " ".join(run(need("pdftotext"), evidence / "deliberation-tamponnee.pdf", "-").stdout.split())
    for fragment in (
        "Envoyé en préfecture le 03/07/2019", "Reçu en préfecture le 03/07/2019", "Publié le 11/07/2019", ID_ACTE,
    ):  # fmt: skip
        assert fragment in flat, fragment


def test_the_stamped_document_is_the_signed_one_continued(evidence):
    signed = (evidence / "deliberation.pdf").read_bytes()
    assert (evidence / "deliberation-tamponnee.pdf").read_bytes().startswith(signed)


def test_the_certificate_chain_verifies_with_openssl(evidence):
    pki = evidence / "pki"
    roots = next(pki.glob("*root*"))
    for name in ("issuing.pem", "tsa.pem"):
        found = run(need("openssl"), "verify", "-CAfile", roots, "-untrusted", pki / "issuing.pem", pki / name)
        assert found.returncode == 0, found.stderr


def test_the_convocation_token_verifies_with_openssl(evidence):
    pki = evidence / "pki"
    found = run(
        need("openssl"), "ts", "-verify", "-data", evidence / "convocation-evidence.json",
        "-in", evidence / "convocation-evidence.tsr", "-token_in", "-CAfile", next(pki.glob("*root*")),
        "-untrusted", pki / "ca-bundle.pem",
    )  # fmt: skip
    if found.returncode:  # a whole response rather than a bare token
        found = run(
            need("openssl"), "ts", "-verify", "-data", evidence / "convocation-evidence.json",
            "-in", evidence / "convocation-evidence.tsr", "-CAfile", next(pki.glob("*root*")),
            "-untrusted", pki / "ca-bundle.pem",
        )  # fmt: skip
    assert "Verification: OK" in found.stdout, found.stdout + found.stderr


def test_the_invitation_is_read_by_icalendar(evidence):
    from icalendar import Calendar

    calendar = Calendar.from_ical((evidence / "convocation.ics").read_bytes())
    (event,) = calendar.walk("VEVENT")
    assert event.decoded("dtstart").isoformat() == "2019-07-01T18:30:00+02:00"
    assert str(calendar["method"]) == "REQUEST"


@needs_shared
@pytest.mark.parametrize("name", ["transfer.xml", "atr.xml"])
def test_seda_messages_are_valid_for_xmllint(evidence, shared_dir, name):
    schemas = shared_dir / "schemas/seda"
    schema = next((schemas / "2.2").rglob("seda-2.2-main.xsd"))
    found = run(
        need("xmllint"), "--nonet", "--noout", "--schema", schema, evidence / name,
        env={**os.environ, "XML_CATALOG_FILES": str(schemas / "catalog.xml")},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr


def test_the_package_holds_everything_the_bordereau_declares(evidence):
    with zipfile.ZipFile(evidence / "sip.zip") as package:
        assert package.testzip() is None
        names = package.namelist()
        manifest = etree.fromstring(package.read(next(n for n in names if n.endswith(".xml") and "/" not in n)))
    uris = {e.text for e in manifest.iter("{*}Uri")}
    assert uris == {n for n in names if "/" in n and not n.endswith("/")}
    texts = " ".join(e.text or "" for e in manifest.iter("{*}Title"))
    assert "Accusé de réception" in texts


def test_the_transfer_was_accepted(evidence):
    reply = etree.parse(evidence / "atr.xml").getroot()
    assert reply.findtext("{*}ReplyCode") == "000"


def test_ocfl_py_accepts_the_storage(evidence):
    validate = Path(sys.executable).with_name("ocfl-validate.py")
    objects = sorted(path.parent for path in (evidence / "ocfl").rglob("0=ocfl_object_1.1"))
    assert objects
    found = run(sys.executable, validate, *objects)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "INVALID" not in found.stdout, found.stdout


def test_the_journal_verifies_offline_and_a_changed_line_is_seen(evidence, tmp_path):
    command = [sys.executable, "-m", "parvis", "journal", "verify"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    export = evidence / "journal-export"
    assert run(*command, export, env=environment).returncode == 0
    forged = tmp_path / "forged"
    shutil.copytree(export, forged)
    entries = forged / "entries.jsonl"
    lines = entries.read_text().splitlines(keepends=True)
    assert '"seq":4' in lines[3]
    lines[3] = lines[3].replace('"seq":4', '"seq":5')
    entries.write_text("".join(lines))
    assert run(*command, forged, env=environment).returncode != 0


@needs_shared
def test_validata_accepts_the_table(evidence, shared_dir):
    validata = PROJECT / ".venv-validators/bin/validata"
    if not validata.exists():
        pytest.skip("the validators' environment is not installed (bin/setup --tests)")
    schema = shared_dir / "schemas/seances/scdl/deliberations-2.1.5.schema.json"
    found = run(validata, evidence / "deliberations.csv", "--schema", schema)
    assert json.loads(found.stdout[found.stdout.index("{") :])["valid"] is True, found.stdout[-2000:]


def test_the_row_is_the_expected_one(evidence):
    (row,) = [
        r
        for r in csv.DictReader(io.StringIO((evidence / "deliberations.csv").read_text("utf-8-sig")))
        if r["DELIB_ID"] == "19.07.01.05"
    ]
    expected = {
        "COLL_SIRET": "21340123500014", "DELIB_DATE": "2019-07-01", "DELIB_MATIERE_CODE": "5.7",
        "PREF_ID": "PREF034", "PREF_DATE": "2019-07-03", "VOTE_EFFECTIF": "29", "VOTE_REEL": "26", "VOTE_POUR": "26",
        "VOTE_CONTRE": "0", "VOTE_ABSTENTION": "0",
    }  # fmt: skip
    assert {key: row[key] for key in expected} == expected
