"""Seals, proofs and the offline verification of an export, with tokens of the sandbox's authority."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import call_command

from parvis.core import clock
from parvis.core.journal import queries, sealing, tasks, verifier
from parvis.core.journal.export import export
from parvis.core.journal.merkle import consistency_path as consistency
from parvis.core.journal.merkle import root_at, verify_consistency
from parvis.core.journal.models import Entry, Seal, Tile
from parvis.core.journal.services import Event, record, record_many
from parvis.core.journal.tree import StoredTree, integrate, size_of
from parvis.core.organisations.tenancy import acting_for

pytestmark = pytest.mark.django_db

ACTE = ("acte", "19")


def write(organisation, count: int) -> list[Entry]:
    return record_many(organisation, [Event("essai", ACTE, details={"n": n}) for n in range(count)])


# --- the tree in the database ---------------------------------------------------------------------
@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 700, 1030])
def test_stored_tree_equals_the_tree_of_its_leaves(acting_for_juvignac, count):
    frontier = verifier.merkle.Frontier()
    for entry in write(acting_for_juvignac, count):
        frontier.append(entry.leaf)
    assert root_at(count, StoredTree(acting_for_juvignac)) == frontier.root()
    assert integrate(acting_for_juvignac) == count // 256
    assert integrate(acting_for_juvignac) == 0
    assert root_at(count, StoredTree(acting_for_juvignac)) == frontier.root()


def test_tiles_climb_levels(acting_for_juvignac, monkeypatch):
    monkeypatch.setattr("parvis.core.journal.tree.HEIGHT", 2)
    monkeypatch.setattr("parvis.core.journal.tree.WIDTH", 4)
    frontier, roots = verifier.merkle.Frontier(), {}
    for entry in write(acting_for_juvignac, 70):
        frontier.append(entry.leaf)
        roots[entry.seq] = frontier.root()
    integrate(acting_for_juvignac)
    counts = {level: Tile.objects.filter(level=level).count() for level in range(4)}
    assert counts == {0: 17, 1: 4, 2: 1, 3: 0}
    for size, root in roots.items():
        assert root_at(size, StoredTree(acting_for_juvignac)) == root
    verify_consistency(9, 70, roots[9], roots[70], consistency(9, 70, StoredTree(acting_for_juvignac)))


def test_a_leaf_beyond_the_journal_is_not_invented(acting_for_juvignac):
    write(acting_for_juvignac, 3)
    with pytest.raises(LookupError):
        root_at(4, StoredTree(acting_for_juvignac))


def test_a_proof_reads_few_rows(acting_for_juvignac, django_assert_max_num_queries):
    write(acting_for_juvignac, 1030)
    integrate(acting_for_juvignac)
    with django_assert_max_num_queries(1):
        tree = StoredTree(acting_for_juvignac).read_around(500, 1030)
        path = verifier.merkle.inclusion_path(500, 1030, tree)
    assert path == verifier.merkle.inclusion_path(500, 1030, StoredTree(acting_for_juvignac))


# --- seals ----------------------------------------------------------------------------------------
def test_seals_follow_one_another(acting_for_juvignac, sandbox):
    write(acting_for_juvignac, 5)
    first = sealing.seal_day(acting_for_juvignac)
    second = sealing.seal_day(acting_for_juvignac)
    assert (first.number, first.tree_size, first.previous) == (1, 5, None)
    assert (second.number, second.tree_size, second.previous) == (
        2,
        6,
        first,
    )  # the first seal is an event itself
    facts = json.loads(bytes(second.checkpoint))
    assert facts["previous_sha256"] == first.checkpoint_sha256
    assert facts["organisation"] == "213401235"
    assert abs(first.token_time - first.sealed_at) < timedelta(minutes=1)


def test_an_empty_journal_is_sealed_too(acting_for_juvignac, sandbox):
    assert sealing.seal_day(acting_for_juvignac).tree_size == 0


def test_no_authority_no_seal(acting_for_juvignac, settings):
    from parvis.core.trust.timestamps import TimestampUnavailable

    settings.PARVIS_TSA_URLS = ["http://127.0.0.1:9/tsa"]
    write(acting_for_juvignac, 2)
    with pytest.raises(TimestampUnavailable):
        sealing.seal_day(acting_for_juvignac)
    assert not Seal.objects.exists()
    assert size_of(acting_for_juvignac) == 2


def test_a_rewritten_tree_is_not_sealed_again(acting_for_juvignac, sandbox, monkeypatch):
    write(acting_for_juvignac, 5)
    sealing.seal_day(acting_for_juvignac)
    honest = StoredTree.__call__
    monkeypatch.setattr(StoredTree, "__call__", lambda self, level, index: honest(self, level, index)[::-1])
    with pytest.raises(sealing.JournalRewritten, match="scellement n° 1"):
        sealing.seal_day(acting_for_juvignac)


def test_inclusion_proof_verifies(acting_for_juvignac, sandbox):
    entries = write(acting_for_juvignac, 12)
    with pytest.raises(sealing.NotSealedYet):
        sealing.inclusion_proof(entries[7])
    sealing.seal_day(acting_for_juvignac)
    sealing.seal_day(acting_for_juvignac)
    proof = sealing.inclusion_proof(entries[7])
    assert proof["seal_number"] == 1
    verifier.check_proof(proof)
    other = json.loads(json.dumps(proof).replace('\\"n\\":7', '\\"n\\":8'))
    assert other != proof
    with pytest.raises(verifier.merkle.InvalidProof):
        verifier.check_proof(other)
    anchors = next(iter(settings_anchors()))
    assert verifier.verify_proof(proof, anchors).valid
    assert not verifier.verify_proof(proof | {"token": proof["token"][:-20] + "00" * 10}, anchors).valid


def settings_anchors():
    from django.conf import settings

    return [p for p in settings.PARVIS_TRUST_ROOTS_DIR.iterdir() if p.is_file()]


# --- the daily job --------------------------------------------------------------------------------
def test_each_organisation_is_sealed_once_a_day(juvignac, fabregues, sandbox, run_jobs):
    with acting_for(juvignac):
        write(juvignac, 3)
    for _ in range(2):
        tasks.seal_due()
        run_jobs(queue="journal")
    with acting_for(juvignac, fabregues):
        assert sorted(Seal.objects.values_list("organisation__slug", "number")) == [
            ("fabregues", 1),
            ("juvignac", 1),
        ]


def test_a_missed_seal_raises_the_alarm(acting_for_juvignac, sandbox):
    now = clock.now()
    assert not queries.seal_overdue(acting_for_juvignac, now)
    write(acting_for_juvignac, 1)
    assert not queries.seal_overdue(acting_for_juvignac, now)
    assert queries.seal_overdue(acting_for_juvignac, now + timedelta(hours=45))
    sealing.seal_day(acting_for_juvignac)
    assert not queries.seal_overdue(acting_for_juvignac, now + timedelta(hours=43))


# --- the export -----------------------------------------------------------------------------------
@pytest.fixture
def exported(acting_for_juvignac, sandbox, tmp_path):
    write(acting_for_juvignac, 8)
    record(acting_for_juvignac, "essai", subject=("acte", "cible"))
    sealing.seal_day(acting_for_juvignac)
    write(acting_for_juvignac, 4)
    sealing.seal_day(acting_for_juvignac)
    return export(acting_for_juvignac, tmp_path / "export", subjects=[("acte", "cible")])


def problems(directory) -> str:
    report = verifier.verify_export(directory)
    assert not report.valid
    return " ".join(report.problems)


def rewrite_line(directory, number: int, change) -> None:
    path = directory / "entries.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1 : number] = change(lines[number - 1])
    path.write_bytes(b"".join(lines))


def test_a_whole_export_is_valid(exported):
    report = verifier.verify_export(exported)
    assert report.valid, report.problems
    assert len((exported / "entries.jsonl").read_bytes().splitlines()) == 15
    assert [p.name for p in (exported / "proofs").iterdir()] == ["00000009.json"]
    assert any("1 écriture(s) plus récente(s)" in c.sentence for c in report.checks)


def test_the_stand_alone_verifier_needs_nothing_of_parvis(exported, tmp_path):
    away = tmp_path / "ailleurs"
    shutil.copytree(exported, away)
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        (
            "import sys, runpy; sys.path.insert(0, 'verifier'); sys.argv = ['verifier', '.'];"
            "runpy.run_path('verifier/verifier.py', run_name='__main__')"
        ),
    ]
    run = subprocess.run(command, cwd=away, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Le journal est intact" in run.stdout
    rewrite_line(away, 3, lambda line: [line.replace(b'"n":2', b'"n":3')])
    run = subprocess.run(command, cwd=away, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=False)
    assert run.returncode == 1
    assert "NON CONFORME" in run.stdout


def test_openssl_alone_accepts_a_token(exported):
    run = subprocess.run(
        [
            "openssl",
            "ts",
            "-verify",
            "-data",
            "checkpoints/000001.json",
            "-in",
            "checkpoints/000001.tsr",
            "-CAfile",
            "tsa/autorites.pem",
        ],
        cwd=exported,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_a_tampered_entry_is_detected(exported):
    rewrite_line(exported, 3, lambda line: [line.replace(b'"n":2', b'"n":9')])
    found = problems(exported)
    assert "L’écriture n° 4 ne suit pas l’écriture n° 3" in found
    assert "La racine du scellement n° 1" in found


def test_a_tampered_entry_with_the_chain_made_again_is_detected(exported):
    path = exported / "entries.jsonl"
    previous, lines = "0" * 64, []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        entry = json.loads(line)
        entry["prev"] = previous
        if number == 3:
            entry["details"]["n"] = 9
        line = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        previous = verifier.hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    path.write_bytes(b"".join(lines))
    assert "La racine du scellement n° 1 n’est pas celle des écritures" in problems(exported)


def test_a_removed_entry_is_detected(exported):
    rewrite_line(exported, 5, lambda line: [])
    assert "L’écriture n° 5 manque" in problems(exported)


def test_a_removed_ending_is_detected(exported):
    for _ in range(3):
        rewrite_line(exported, 12, lambda line: [])
    assert "des écritures ont été retirées" in problems(exported)


def test_an_added_entry_is_detected(exported):
    rewrite_line(exported, 5, lambda line: [line, line])
    assert "L’écriture n° 6 manque ou n’est pas à sa place" in problems(exported)


def test_an_unreadable_entry_is_detected(exported):
    rewrite_line(exported, 5, lambda line: [b"{\n"])
    assert "illisible" in problems(exported)


def test_the_token_of_another_seal_is_detected(exported):
    folder = exported / "checkpoints"
    shutil.copyfile(folder / "000001.tsr", folder / "000002.tsr")
    assert "Le jeton du scellement n° 2 n’est pas valide" in problems(exported)


def test_a_missing_token_is_detected(exported):
    (exported / "checkpoints" / "000002.tsr").unlink()
    assert "000002.tsr manque" in problems(exported)


def test_a_missing_seal_is_detected(exported):
    for suffix in ("json", "tsr"):
        (exported / "checkpoints" / f"000001.{suffix}").unlink()
    assert "Le scellement n° 1 manque" in problems(exported)


def test_an_altered_checkpoint_is_detected(exported):
    path = exported / "checkpoints" / "000001.json"
    path.write_bytes(path.read_bytes().replace(b'"tree_size":9', b'"tree_size":8'))
    found = problems(exported)
    assert "ne suit pas le précédent" in found
    assert "Le jeton du scellement n° 1 n’est pas valide" in found


def test_a_forged_proof_is_detected(exported):
    path = exported / "proofs" / "00000009.json"
    path.write_text(path.read_text().replace("cible", "autre"))
    assert "La preuve 00000009.json" in problems(exported)


def test_an_unknown_authority_is_detected(exported, tmp_path):
    key, certificate = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            key,
            "-out",
            certificate,
            "-subj",
            "/CN=Autre",
            "-days",
            "2",
        ],
        check=True,
        capture_output=True,
    )
    assert not verifier.verify_export(exported, anchors=certificate).valid


@pytest.mark.parametrize("name", ["entries.jsonl", "tsa/autorites.pem"])
def test_an_incomplete_export_is_told(exported, name):
    (exported / name).unlink()
    assert problems(exported)


def test_a_folder_that_is_no_export(tmp_path):
    assert "aucun scellement" in problems(tmp_path)


def test_the_command_says_so_in_french(exported, capsys):
    call_command("journal", "verify", str(exported))
    assert "Le journal est intact" in capsys.readouterr().out
    rewrite_line(exported, 3, lambda line: [line.replace(b'"n":2', b'"n":9')])
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "verify", str(exported))
    assert stop.value.code == 1
    assert "n’est pas conforme" in capsys.readouterr().out


def test_export_and_seal_commands(juvignac, sandbox, tmp_path, capsys):
    with acting_for(juvignac):
        write(juvignac, 2)
    call_command("journal", "seal", "juvignac")
    call_command("journal", "export", "juvignac", str(tmp_path / "x"))
    assert "juvignac : Scellement n° 1, 2 écritures" in capsys.readouterr().out
    assert verifier.verify_export(tmp_path / "x").valid
