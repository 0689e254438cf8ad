"""Archives are OCFL 1.1 objects on two roots, whole after any crash, valid for a foreign validator."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ocfl
import pytest

from parvis.edemat.archives.formats.inventory import VersionNote, object_path
from parvis.edemat.archives.storage import Incoming, StorageFault, Vault

SRC = Path(__file__).resolve().parents[3] / "src"
IDENTIFIER = "urn:parvis:213401235:0190a7c0-0000-7000-8000-000000000001"
NOTE = VersionNote(datetime(2019, 7, 12, tzinfo=UTC), "Prise en charge", "Parvis", "urn:parvis:agent:archives")
SECOND = VersionNote(NOTE.created + timedelta(minutes=1), "Réponse", "Parvis", "urn:parvis:agent:archives")


def incoming(path: str, content: bytes) -> Incoming:
    return Incoming(path, lambda: io.BytesIO(content))


FILES = [
    incoming("sip/bordereau.xml", b"<ArchiveTransfer/>"),
    incoming("data/1.pdf", b"%PDF one"),
    incoming("data/2.pdf", b"%PDF one"),
    incoming("data/empty", b""),
    incoming("metadata/premis.xml", b"<premis/>"),
]
MORE = [
    incoming("sip/atr.xml", b"<ATR/>"),
    incoming("metadata/premis.xml", b"<premis>2</premis>"),
    incoming("proof/same.pdf", b"%PDF one"),
]


@pytest.fixture
def vault(tmp_path) -> Vault:
    return Vault([tmp_path / "ocfl", tmp_path / "ocfl-copie"])


def validate(root: Path) -> None:
    """The library's own validation of the whole root, every digest included."""
    store = ocfl.StorageRoot(root=str(root))
    found = store.validate(validate_objects=True, check_digests=True)
    assert found, store.errors if hasattr(store, "errors") else found


def validator_script(root: Path, identifier: str) -> str:
    script = Path(sys.executable).parent / "ocfl-validate.py"
    done = subprocess.run(
        [sys.executable, str(script), str(root / object_path(identifier))],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_an_object_is_whole_on_both_roots(vault):
    copies = vault.create(IDENTIFIER, FILES, NOTE)
    assert [c.root for c in copies] == vault.roots
    assert len({c.inventory_sha512 for c in copies}) == 1
    assert {c.version for c in copies} == {"v1"}
    assert copies[0].files == 4  # the same content is kept once
    for root in vault.roots:
        validate(root)
        report = validator_script(root, IDENTIFIER)
        assert "is VALID" in report, report
        assert "[W" not in report
        assert json.loads((root / "ocfl_layout.json").read_text())["extension"].startswith("0003")
    assert vault.open(IDENTIFIER, "data/2.pdf").read() == b"%PDF one"


def test_the_layout_is_the_one_of_the_library(vault):
    vault.create(IDENTIFIER, FILES, NOTE)
    layout = ocfl.layout_0003_hash_and_id_n_tuple.Layout_0003_Hash_And_Id_N_Tuple()
    for identifier in (IDENTIFIER, "urn:x:é~._-" + "a" * 200, "simple", "..hor/rib:le-$id"):
        assert object_path(identifier) == layout.identifier_to_path(identifier)


def test_files_are_read_only_and_nothing_is_left_aside(vault):
    vault.create(IDENTIFIER, FILES, NOTE)
    for root in vault.roots:
        folder = root / object_path(IDENTIFIER)
        assert all(p.stat().st_mode & 0o777 == 0o444 for p in folder.rglob("*") if p.is_file())
        assert list((root.parent / f"{root.name}-depot").iterdir()) == []


def test_a_second_version_adds_and_replaces(vault):
    vault.create(IDENTIFIER, FILES, NOTE)
    copies = vault.add_version(IDENTIFIER, MORE, SECOND, "v2")
    assert {c.version for c in copies} == {"v2"}
    assert len({c.inventory_sha512 for c in copies}) == 1
    for root in vault.roots:
        validate(root)
        assert "is VALID" in validator_script(root, IDENTIFIER)
        # A content that the object already holds is not written again.
        assert not (root / object_path(IDENTIFIER) / "v2/content/proof").exists()
    assert vault.open(IDENTIFIER, "metadata/premis.xml").read() == b"<premis>2</premis>"
    assert vault.open(IDENTIFIER, "proof/same.pdf").read() == b"%PDF one"
    assert vault.open(IDENTIFIER, "sip/bordereau.xml").read() == b"<ArchiveTransfer/>"


def test_the_same_writing_again_changes_nothing(vault):
    first = vault.create(IDENTIFIER, FILES, NOTE)
    assert vault.create(IDENTIFIER, FILES, NOTE) == first
    second = vault.add_version(IDENTIFIER, MORE, SECOND, "v2")
    assert vault.add_version(IDENTIFIER, MORE, SECOND, "v2") == second
    assert vault.create(IDENTIFIER, FILES, NOTE) == second


def test_another_content_under_the_same_identifier_is_refused(vault):
    vault.create(IDENTIFIER, FILES, NOTE)
    with pytest.raises(StorageFault, match="another content"):
        vault.create(IDENTIFIER, [incoming("data/1.pdf", b"other")], NOTE)
    assert vault.open(IDENTIFIER, "data/1.pdf").read() == b"%PDF one"


def test_a_content_that_changed_since_its_control_is_refused(vault):
    with pytest.raises(StorageFault, match="changed"):
        vault.create(IDENTIFIER, [Incoming("a", lambda: io.BytesIO(b"x"), sha256="0" * 64)], NOTE)
    assert not any((root / object_path(IDENTIFIER)).exists() for root in vault.roots)


@pytest.mark.parametrize(
    ("path", "spoil", "message"),
    [
        ("v1/content/data/1.pdf", lambda p: p.write_bytes(b"%PDF 0ne"), "differs"),
        ("v1/content/data/1.pdf", lambda p: p.unlink(), "cannot be read"),
        ("v1/content/data/1.pdf", lambda p: (p.parent / "intrus").write_bytes(b""), "files and inventory"),
        ("inventory.json", lambda p: p.write_bytes(p.read_bytes() + b" "), "sidecar"),
        ("inventory.json", lambda p: p.unlink(), "no inventory"),
    ],
)
def test_a_spoilt_copy_is_noticed_and_the_other_one_still_answers(vault, path, spoil, message):
    vault.create(IDENTIFIER, FILES, NOTE)
    victim = vault.roots[0] / object_path(IDENTIFIER) / path
    victim.chmod(0o644)
    spoil(victim)
    with pytest.raises(StorageFault, match=message):
        vault.verify(vault.roots[0], IDENTIFIER)
    vault.verify(vault.roots[1], IDENTIFIER)


def test_one_root_is_not_enough(tmp_path):
    with pytest.raises(StorageFault, match="two"):
        Vault([tmp_path])
    with pytest.raises(StorageFault, match="two"):
        Vault([tmp_path, tmp_path])


def test_a_folder_that_is_not_a_storage_root_is_left_alone(tmp_path):
    (tmp_path / "ocfl").mkdir()
    (tmp_path / "ocfl" / "photos").mkdir()
    with pytest.raises(StorageFault, match="neither empty nor"):
        Vault([tmp_path / "ocfl", tmp_path / "b"]).create(IDENTIFIER, FILES, NOTE)


# Each step that touches the disk can be the last one of a process; then a new process starts again.
KILLER = textwrap.dedent(
    """
    import io, os, signal, sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from parvis.edemat.archives.formats.inventory import VersionNote
    from parvis.edemat.archives.storage import Incoming, Vault

    def incoming(path, content):
        return Incoming(path, lambda: io.BytesIO(content))

    limit, count = int(sys.argv[1]), 0
    def counted(function):
        def call(*args, **kwargs):
            global count
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)
        return call
    for name in ("rename", "replace", "fsync", "unlink"):
        setattr(os, name, counted(getattr(os, name)))

    root = Path(sys.argv[2])
    vault = Vault([root / "ocfl", root / "ocfl-copie"])
    note = VersionNote(datetime(2019, 7, 12, tzinfo=UTC), "m", "n", "urn:a")
    vault.create("urn:x:1", [incoming("a/1", b"one"), incoming("b/2", b"two")], note)
    later = VersionNote(note.created + timedelta(1), "m2", "n", "urn:a")
    vault.add_version("urn:x:1", [incoming("c/3", b"three"), incoming("a/1", b"ONE")], later, "v2")
    print(count)
    """
)


def run_killer(limit: int, root: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", KILLER, str(limit), str(root)],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_killed_anywhere_then_started_again_the_archive_is_whole(tmp_path):
    steps = int(run_killer(10**9, tmp_path / "whole").stdout)
    assert steps > 30
    died = 0
    for limit in range(1, steps + 1, 2):
        root = tmp_path / str(limit)
        done = run_killer(limit, root)
        died += done.returncode == -signal.SIGKILL
        # Whatever the moment, what stands under a root is either nothing or a whole first version.
        for copy in ("ocfl", "ocfl-copie"):
            folder = root / copy / object_path("urn:x:1")
            if folder.exists():
                assert (folder / "v1/content/a/1").read_bytes() == b"one"
                assert (folder / "v1/content/b/2").read_bytes() == b"two"
        again = run_killer(10**9, root)
        assert again.returncode == 0, (limit, again.stderr)
        vault = Vault([root / "ocfl", root / "ocfl-copie"])
        for copy in vault.roots:
            assert vault.verify(copy, "urn:x:1").version == "v2"
            assert list((copy.parent / f"{copy.name}-depot").iterdir()) == []
            validate(copy)
    assert died >= steps // 2 - 1


class Zeros(io.RawIOBase):
    """A stream of ``size`` zero bytes that never holds them."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(self.left, len(buffer))
        buffer[:count] = bytes(count)
        self.left -= count
        return count


@pytest.mark.slow
def test_memory_stays_flat_for_a_large_file(vault):
    size = 200 * 1024 * 1024
    large = Incoming("data/large", lambda: io.BufferedReader(Zeros(size), 1024 * 1024))
    tracemalloc.start()
    copies = vault.create(IDENTIFIER, [large], NOTE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {c.size for c in copies} == {size}
    assert peak < 8 * 1024 * 1024
