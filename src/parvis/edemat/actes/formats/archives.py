"""The flat tar.gz that carries an envelope: written deterministically, read without trusting it.

Order of the members: envelope, business XML, act, annexes. At most 150 MiB once compressed.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from isal.igzip import IGzipFile

from parvis.core.errors import DomainError
from parvis.core.referentials.legality import MAX_ARCHIVE

MAX_EXPANDED = 600 * 1024 * 1024
MAX_MEMBERS = 500
_HEADERS = 64 * 1024  # more than the headers and padding of one member
_BLOCK = 1024 * 1024


class ArchiveTooLarge(DomainError):
    """The archive passes the size limit."""


class UnsafeArchive(DomainError):
    """The archive holds something that a flat archive of files may not hold."""


@dataclass(frozen=True)
class Member:
    """One file to pack: its name in the archive, its size in bytes and its content, read once."""

    name: str
    size: int
    content: BinaryIO

    @classmethod
    def of(cls, name: str, content: bytes) -> "Member":
        return cls(name, len(content), io.BytesIO(content))


def megabytes(size: int) -> str:
    """« 150,0 Mio », with a non-breaking space."""
    return f"{size / 1024 / 1024:.1f}".replace(".", ",") + "\u00a0Mio"


class _Limited(io.RawIOBase):
    """Counts what is written and stops at the limit, so that no disk fills up."""

    def __init__(self, target: BinaryIO, limit: int) -> None:
        self.target, self.limit, self.written = target, limit, 0

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        self.written += len(data)
        if self.written > self.limit:
            raise ArchiveTooLarge(
                f"L’archive à transmettre dépasse {megabytes(self.limit)}, la limite du ministère : "
                "allégez les annexes ou envoyez les pièces volumineuses sur papier."
            )
        return self.target.write(data)


def write_archive(target: BinaryIO, members: Iterable[Member], *, mtime: int, limit: int = MAX_ARCHIVE) -> int:
    """Write the archive to ``target`` and return its size in bytes.

    The same members and ``mtime`` (Unix seconds put on each member) always give the same bytes.
    Raises ``ArchiveTooLarge`` as soon as the compressed size passes ``limit``.
    """
    limited = _Limited(target, limit)
    # The gzip header carries no name and no date, otherwise two identical archives would differ.
    with (
        IGzipFile(filename="", mode="wb", compresslevel=2, fileobj=limited, mtime=0) as compressed,  # type: ignore[no-untyped-call]
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for member in members:
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mtime, entry.mode = member.size, mtime, 0o644
            tar.addfile(entry, member.content)
    return limited.written


class _Bounded(io.RawIOBase):
    """Reads from ``source`` and stops at the limit, so that no memory fills up."""

    def __init__(self, source: io.BufferedIOBase, limit: int) -> None:
        self.source, self.left = source, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self.source.read(min(size, _BLOCK) if size >= 0 else _BLOCK)
        self.left -= len(content)
        if self.left < 0:
            raise _refuse("son contenu est démesuré")
        return content


def _refuse(reason: str) -> UnsafeArchive:
    return UnsafeArchive(f"L’archive est refusée sans être ouverte davantage : {reason}.")


def read_archive(
    source: BinaryIO, *, max_expanded: int = MAX_EXPANDED, max_members: int = MAX_MEMBERS
) -> dict[str, bytes]:
    """Members of a flat tar.gz by name, in order. Raises ``UnsafeArchive`` for a folder, path, link, repeated
    name, too many members, damage, or more than ``max_expanded`` bytes once decompressed."""
    files: dict[str, bytes] = {}
    expanded = 0
    try:
        # The library reads the headers of a member whole: the bound also holds for what is not a file.
        expanding = _Bounded(gzip.GzipFile(fileobj=source), max_expanded + max_members * _HEADERS)
        with tarfile.open(fileobj=expanding, mode="r|") as tar:
            for entry in tar:
                if not entry.isreg():
                    raise _refuse(f"« {entry.name} » n’est pas un fichier ordinaire")
                if "/" in entry.name or "\\" in entry.name or entry.name in ("", ".", ".."):
                    raise _refuse(f"« {entry.name} » désigne un dossier")
                if entry.name in files:
                    raise _refuse(f"« {entry.name} » y figure deux fois")
                expanded += entry.size
                if expanded > max_expanded or len(files) >= max_members:
                    raise _refuse("son contenu est démesuré")
                stream = tar.extractfile(entry)
                files[entry.name] = stream.read() if stream else b""
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise _refuse("elle est endommagée ou n’est pas un tar.gz") from error
    return files
