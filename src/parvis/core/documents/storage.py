"""Content-addressed storage: one immutable file per content and organisation, named by its SHA-256.

The bytes are hashed while they are written to a temporary file, synced, then put under their final name in
one atomic step; the same content arriving again is dropped. Works on any Django storage; on a local disk the
temporary file already lies beside its final place, so nothing is copied twice.
"""

import contextlib
import hashlib
import io
import os
import re
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from parvis.core.documents.errors import DocumentDamaged, DocumentMissing, DocumentTooLarge
from parvis.core.organisations.models import Organisation

BLOCK = 256 * 1024  # small enough to stay in the processor’s cache between its hash and its writing
AHEAD = 8  # blocks that wait for their hash at most
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def _storage() -> Storage:
    return storages["documents"]


def content_key(organisation: Organisation, sha256: str) -> str:
    """Name of a content in the storage: SIREN, two levels of folders, digest."""
    return f"{organisation.siren}/{sha256[:2]}/{sha256[2:4]}/{sha256}"


@dataclass(frozen=True)
class Incoming:
    """A content received on the local disk, not kept yet."""

    path: Path
    sha256: str
    size: int


@contextmanager
def received(organisation: Organisation, content: bytes | BinaryIO, filename: str, *, limit: int) -> Iterator[Incoming]:
    """Write ``content`` to a temporary file while hashing it; the file goes away unless it is kept.

    ``limit`` is in bytes; raises DocumentTooLarge as soon as it is passed, without reading further.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes | bytearray | memoryview) else content
    suffix = SUFFIX.search(filename)
    folder = _incoming_folder(organisation)
    handle, name = tempfile.mkstemp(suffix=suffix.group() if suffix else "", dir=folder)
    path = Path(name)
    try:
        with open(handle, "wb", buffering=0) as target:
            sha256, size = _copy_hashed(stream, target, filename, limit)
            os.fsync(handle)
        yield Incoming(path, sha256, size)
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _copy_hashed(stream: BinaryIO, target: FileIO, filename: str, limit: int) -> tuple[str, int]:
    """Copy ``stream`` and return the SHA-256 and the size; a block is hashed while it is being written."""
    digest, size = hashlib.sha256(), 0
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max_workers=1) as hasher:  # its thread starts with the first full block
        while block := stream.read(BLOCK):
            size += len(block)
            if size > limit:
                raise DocumentTooLarge.of(filename, limit)
            if not waiting and len(block) < BLOCK:
                digest.update(block)
            else:
                waiting.append(hasher.submit(digest.update, block))
            _write_whole(target, block)
            if len(waiting) > AHEAD:
                waiting.popleft().result()
        for hashed in waiting:
            hashed.result()
    return digest.hexdigest(), size


def _write_whole(target: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:  # an unbuffered write may take only a part
        rest = rest[target.write(rest) :]


def _incoming_folder(organisation: Organisation) -> str | None:
    storage = _storage()
    if not isinstance(storage, FileSystemStorage):
        return None
    folder = Path(storage.path(f"{organisation.siren}/incoming"))
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def keep(organisation: Organisation, incoming: Incoming) -> None:
    """Put a received content under its final name; nothing happens when it is already there."""
    storage, key = _storage(), content_key(organisation, incoming.sha256)
    if not isinstance(storage, FileSystemStorage):
        if not storage.exists(key):
            with incoming.path.open("rb") as stream:
                storage.save(key, File(stream))
        return
    final = Path(storage.path(key))
    if final.exists() and final.stat().st_size == incoming.size:
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    incoming.path.chmod(0o444)
    incoming.path.rename(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def open_content(organisation: Organisation, sha256: str) -> BinaryIO:
    """The content for reading, seekable; raises DocumentMissing."""
    try:
        return _storage().open(content_key(organisation, sha256), "rb")  # type: ignore[return-value]
    except FileNotFoundError as error:
        raise DocumentMissing(
            "Le contenu de ce document est introuvable dans le stockage. L’incident est consigné.",
            sha256=sha256,
        ) from error


def verify_content(organisation: Organisation, sha256: str) -> None:
    """Read the whole content and compare its digest; raises DocumentDamaged or DocumentMissing."""
    with open_content(organisation, sha256) as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:  # type: ignore[arg-type]
            raise DocumentDamaged.of(sha256)


@contextmanager
def local_copy(organisation: Organisation, sha256: str) -> Iterator[Path]:
    """A path where libraries that want a file find the content; it must not be written to."""
    storage, key = _storage(), content_key(organisation, sha256)
    if isinstance(storage, FileSystemStorage):
        yield Path(storage.path(key))
        return
    with tempfile.NamedTemporaryFile() as copy, open_content(organisation, sha256) as stream:
        while block := stream.read(BLOCK):
            copy.write(block)
        copy.flush()
        yield Path(copy.name)


# --- what can be computed again: page images ------------------------------------------------------
def read_derived(organisation: Organisation, sha256: str, name: str) -> bytes | None:
    """A cached rendering of the content, or None."""
    storage, key = _storage(), f"{organisation.siren}/derived/{sha256[:2]}/{sha256}/{name}"
    if not storage.exists(key):
        return None
    with storage.open(key, "rb") as stream:
        return stream.read()


def write_derived(organisation: Organisation, sha256: str, name: str, content: bytes) -> None:
    """Cache a rendering of the content."""
    storage, key = _storage(), f"{organisation.siren}/derived/{sha256[:2]}/{sha256}/{name}"
    if isinstance(storage, FileSystemStorage):
        final = Path(storage.path(key))
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.with_suffix(f".{os.getpid()}.part")
        temporary.write_bytes(content)
        temporary.rename(final)
    elif not storage.exists(key):
        storage.save(key, File(io.BytesIO(content)))
