"""Storage of archives: OCFL 1.1 objects on several roots, written aside, synced, renamed, read back.

A crash leaves either no object or a whole one: an object appears by one ``rename``; a new version first
enters its object as a whole directory, then the root inventory is replaced, and an interrupted replacement is
finished by the next call. Writing the same thing again is harmless; writing something else under the same
identifier is refused.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from parvis.edemat.archives.formats import inventory as ocfl
from parvis.edemat.archives.formats.inventory import StoredFile, VersionNote

BLOCK = 1024 * 1024


class StorageFault(Exception):
    """The storage cannot keep or give back an object; the message is for the operator."""


@dataclass(frozen=True)
class Incoming:
    """A file to store under the logical path ``path``. ``open`` gives a fresh stream at each call.

    ``sha256`` is checked while copying when it is known.
    """

    path: str
    open: Callable[[], BinaryIO]
    sha256: str = ""


@dataclass(frozen=True)
class Copy:
    """A copy written and read back: where, and the digest of its inventory; size in bytes."""

    root: Path
    object_path: str
    version: str
    inventory_sha512: str
    size: int
    files: int


class Vault:
    """The storage roots of the service; every object is kept whole on each of them."""

    def __init__(self, roots: Sequence[Path]) -> None:
        if len(roots) < 2 or len({Path(r).resolve() for r in roots}) != len(roots):
            raise StorageFault("archives need at least two distinct storage roots (PARVIS_ARCHIVE_ROOTS)")
        self.roots = [Path(root) for root in roots]

    def create(self, identifier: str, files: Sequence[Incoming], note: VersionNote) -> list[Copy]:
        """Store a new object on every root and read it back; returns the copies.

        ``note.created`` must not change from one attempt to the next. Raises StorageFault.
        """
        for root in self.roots:
            _prepare_root(root)
        with self._staging(identifier) as stages:
            stored = _stage_files([stage / "v1" / "content" for stage in stages], files, "v1/content/")
            inventory = ocfl.to_bytes(ocfl.first_inventory(identifier, stored, note))
            for stage in stages:
                name, content = ocfl.OBJECT_DECLARATION
                _write(stage / name, content)
                _write_inventory(stage / "v1", inventory)
                _write_inventory(stage, inventory)
                _sync_tree(stage)
            for root, stage in zip(self.roots, stages, strict=True):
                self._place_object(root, identifier, stage, inventory)
                self._finish_version(root, identifier)
        return [self.verify(root, identifier) for root in self.roots]

    def add_version(self, identifier: str, files: Sequence[Incoming], note: VersionNote, version: str) -> list[Copy]:
        """Add ``files`` as ``version`` (``v2``…) of an object on every root and read it back."""
        with self._staging(identifier):
            for root in self.roots:
                self._finish_version(root, identifier)
        behind = [root for root in self.roots if self.inventory(root, identifier)["head"] != version]
        with self._staging(identifier) as stages:
            if behind:
                content = [stage / version / "content" for stage in stages]
                stored = _stage_files(content, files, f"{version}/content/")
                previous = self.inventory(behind[0], identifier)
                following = ocfl.next_inventory(previous, stored, note)
                if following["head"] != version:
                    raise StorageFault(f"{identifier}: {version} does not follow {previous['head']}")
                _drop_known(content, previous, stored, version)
                inventory = ocfl.to_bytes(following)
                for root, stage in zip(self.roots, stages, strict=True):
                    _write_inventory(stage / version, inventory)
                    _sync_tree(stage / version)
                    self._place_version(root, identifier, stage, version, inventory)
        return [self.verify(root, identifier) for root in self.roots]

    def inventory(self, root: Path, identifier: str) -> dict[str, Any]:
        """The inventory of an object after checking it against its sidecar. Raises StorageFault."""
        return _read_inventory(root / ocfl.object_path(identifier))

    def verify(self, root: Path, identifier: str) -> Copy:
        """Read a copy back from the disk and check every digest. Raises StorageFault at the first fault."""
        folder = root / ocfl.object_path(identifier)
        inventory = _read_inventory(folder)
        if inventory.get("id") != identifier:
            raise StorageFault(f"{folder}: holds {inventory.get('id')}")
        size = 0
        content = ocfl.content_of(inventory)
        fixity = {p: d for d, paths in inventory.get("fixity", {}).get("sha256", {}).items() for p in paths}
        for path, sha512 in content.items():
            sha256, found, length = _digest_from_disk(folder / path)
            if found != sha512 or fixity.get(path, sha256) != sha256:
                raise StorageFault(f"{folder / path}: the content differs from the inventory")
            size += length
        present = {str(p.relative_to(folder)) for p in folder.glob("v*/content/**/*") if p.is_file() or p.is_symlink()}
        if present != set(content):
            raise StorageFault(f"{folder}: files and inventory differ: {sorted(present ^ set(content))[:3]}")
        digest = hashlib.sha512((folder / ocfl.INVENTORY).read_bytes()).hexdigest()
        return Copy(root, ocfl.object_path(identifier), inventory["head"], digest, size, len(content))

    def open(self, identifier: str, logical: str) -> BinaryIO:
        """A stream of one file of the object's head, from the first root that has it whole enough to open."""
        for root in self.roots:
            try:
                inventory = self.inventory(root, identifier)
                digest = ocfl.state_of(inventory)[logical]
                path = inventory["manifest"][digest][0]
                return (root / ocfl.object_path(identifier) / path).open("rb")
            except (StorageFault, OSError, KeyError):
                continue
        raise StorageFault(f"{identifier}: {logical} cannot be read from any root")

    # -- placing --------------------

    @contextmanager
    def _staging(self, identifier: str) -> Iterator[list[Path]]:
        # Beside each root, hence on the same file system; what a crash left there is swept first.
        stages = [_deposit(root) / _key(identifier) for root in self.roots]
        for stage in stages:
            shutil.rmtree(stage, ignore_errors=True)
            stage.mkdir(parents=True)
        try:
            yield stages
        finally:
            for stage in stages:
                shutil.rmtree(stage, ignore_errors=True)

    def _place_object(self, root: Path, identifier: str, stage: Path, inventory: bytes) -> None:
        target = root / ocfl.object_path(identifier)
        if target.exists():
            if (target / "v1" / ocfl.INVENTORY).read_bytes() != inventory:
                raise StorageFault(f"{target}: another content already stands under {identifier}")
            return
        made = _make_parents(root, target.parent)
        os.rename(stage, target)
        _sync_folder(target.parent)
        for folder in made:
            _sync_folder(folder.parent)

    def _place_version(self, root: Path, identifier: str, stage: Path, version: str, inventory: bytes) -> None:
        target = root / ocfl.object_path(identifier)
        if (target / version).exists():
            if (target / version / ocfl.INVENTORY).read_bytes() != inventory:
                raise StorageFault(f"{target}: another {version} already stands there")
        else:
            os.rename(stage / version, target / version)
            _sync_folder(target)
        self._finish_version(root, identifier)

    def _finish_version(self, root: Path, identifier: str) -> None:
        """Bring the root inventory up to the newest version present: what a crash may have left undone."""
        folder = root / ocfl.object_path(identifier)
        newest = max((int(p.name[1:]) for p in folder.glob("v[0-9]*") if p.name[1:].isdigit()), default=0)
        if not newest:
            raise StorageFault(f"{folder}: no object there")
        inventory = _read_inventory(folder / f"v{newest}", missing_ok=True)
        if inventory is None:
            raise StorageFault(f"{folder}/v{newest}: no inventory")
        for name in (ocfl.INVENTORY, ocfl.SIDECAR):
            wanted = (folder / f"v{newest}" / name).read_bytes()
            if not (folder / name).exists() or (folder / name).read_bytes() != wanted:
                _replace(folder / name, wanted, _deposit(root) / _key(identifier))
                _sync_folder(folder)


def _deposit(root: Path) -> Path:
    """Where copies are prepared: beside the root, so on the same file system, and outside its hierarchy."""
    return root.parent / f"{root.name}-depot"


def _key(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()


# -- files --------------------


def _stage_files(folders: Sequence[Path], files: Sequence[Incoming], prefix: str) -> list[StoredFile]:
    """Copy every file once into all the staging folders, hashing on the way; same content is kept once."""
    stored: list[StoredFile] = []
    known: dict[str, str] = {}
    for incoming in files:
        targets = [folder / incoming.path for folder in folders]
        sha256, sha512 = _copy(incoming, targets)
        if incoming.sha256 and incoming.sha256 != sha256:
            raise StorageFault(f"{incoming.path}: the content changed since it was controlled")
        if sha512 in known:
            for target in targets:
                target.unlink()
                _prune(target.parent)
        content = known.setdefault(sha512, prefix + incoming.path)
        stored.append(StoredFile(incoming.path, content, sha512, sha256))
    return stored


def _copy(incoming: Incoming, targets: Sequence[Path]) -> tuple[str, str]:
    sha256, sha512 = hashlib.sha256(), hashlib.sha512()
    with ExitStack() as stack:
        source = stack.enter_context(incoming.open())
        outputs = []
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            outputs.append(stack.enter_context(target.open("xb")))
        while block := source.read(BLOCK):
            sha256.update(block)
            sha512.update(block)
            for output in outputs:
                output.write(block)
        for output in outputs:
            output.flush()
            os.fsync(output.fileno())
            os.fchmod(output.fileno(), 0o444)
    return sha256.hexdigest(), sha512.hexdigest()


def _drop_known(folders: Sequence[Path], previous: dict[str, Any], stored: Sequence[StoredFile], version: str) -> None:
    """Remove from the staging what an earlier version already holds: the inventory points there."""
    for file in stored:
        if file.sha512 in previous["manifest"] and file.content.startswith(version + "/"):
            for folder in folders:
                path = folder / file.content.removeprefix(f"{version}/content/")
                path.unlink(missing_ok=True)
                _prune(path.parent)


def _prune(folder: Path) -> None:
    while folder.name != "content" and folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _digest_from_disk(path: Path) -> tuple[str, str, int]:
    sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
    try:
        with path.open("rb", buffering=0) as stream:
            # Let the disk answer rather than the page cache, as far as the system obeys.
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while block := stream.read(BLOCK):
                sha256.update(block)
                sha512.update(block)
                size += len(block)
    except OSError as error:
        raise StorageFault(f"{path}: cannot be read ({error.strerror})") from error
    return sha256.hexdigest(), sha512.hexdigest(), size


def _read_inventory(folder: Path, missing_ok: bool = False) -> Any:
    try:
        content = (folder / ocfl.INVENTORY).read_bytes()
        stated = (folder / ocfl.SIDECAR).read_bytes().split()
    except FileNotFoundError as error:
        if missing_ok:
            return None
        raise StorageFault(f"{folder}: no inventory") from error
    if not stated or stated[0] != hashlib.sha512(content).hexdigest().encode():
        raise StorageFault(f"{folder}: the inventory differs from its sidecar")
    return json.loads(content)


def _prepare_root(root: Path) -> None:
    """Declare the storage root once: namaste file, layout and its configuration."""
    name, declaration = ocfl.ROOT_DECLARATION
    if (root / name).exists():
        return
    if root.exists() and any(p.name not in ("ocfl_layout.json", "extensions") for p in root.iterdir()):
        raise StorageFault(f"{root}: neither empty nor an OCFL storage root")
    config = root / "extensions" / ocfl.LAYOUT_NAME / "config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    for path, value in ((config, ocfl.LAYOUT_CONFIG), (root / "ocfl_layout.json", ocfl.LAYOUT)):
        _replace(path, (json.dumps(value, indent=2) + "\n").encode(), _deposit(root))
    _replace(root / name, declaration, _deposit(root))
    _sync_tree(root)
    _sync_folder(root.parent)


def _write_inventory(folder: Path, inventory: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / ocfl.INVENTORY, inventory)
    _write(folder / ocfl.SIDECAR, ocfl.sidecar(inventory))


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with path.open("xb") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
        os.fchmod(output.fileno(), 0o444)


def _replace(path: Path, content: bytes, aside: Path) -> None:
    """Put a whole file in place, prepared ``aside``: a crash leaves nothing foreign in the hierarchy."""
    aside.mkdir(parents=True, exist_ok=True)
    _write(aside / path.name, content)
    os.replace(aside / path.name, path)


def _make_parents(root: Path, folder: Path) -> list[Path]:
    missing = [p for p in (folder, *folder.parents) if p.is_relative_to(root) and not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _sync_tree(folder: Path) -> None:
    for current, _, _ in os.walk(folder):
        _sync_folder(Path(current))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
