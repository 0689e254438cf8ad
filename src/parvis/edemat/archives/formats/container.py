"""Reading of a SIP container (ZIP) that may be hostile: every limit is checked before a byte is inflated."""

import itertools
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from parvis.edemat.archives.formats.findings import Control, Finding, Outcome

MIB = 1024 * 1024
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ENCRYPTED = 0x1 | 0x40
_MANIFEST = re.compile(r"(?:(?:[^/]*_)?manifest|bordereau)(?:[-_. (][^/]*)?\.xml", re.IGNORECASE)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Limits:
    """Bounds of a container; sizes in bytes. Under ``harmless_bytes`` the ratio says nothing of a bomb."""

    entries: int = 200_000
    directory_bytes: int = 64 * MIB
    total_bytes: int = 10 * 1024 * MIB
    ratio: int = 200
    harmless_bytes: int = 16 * MIB
    manifest_bytes: int = 64 * MIB
    segment_bytes: int = 255
    path_bytes: int = 1024
    depth: int = 64


@dataclass(frozen=True)
class Entry:
    """A file of the container: ``path`` is its NFC name without leading ``./``; sizes in bytes."""

    path: str
    size: int
    compressed: int
    info: zipfile.ZipInfo


class ContainerRefused(Exception):
    """The container may not be opened; ``findings`` say why, all at once."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(f.sentence for f in findings))
        self.findings = findings


class Container:
    """An open and harmless container. Use it as a context manager."""

    def __init__(self, archive: zipfile.ZipFile, entries: dict[str, Entry]) -> None:
        self._archive = archive
        self.entries = entries
        self._folded = {path.casefold(): path for path in entries}

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def manifests(self) -> list[str]:
        """Paths that can be the bordereau: at the root, by name."""
        return [path for path in self.entries if _MANIFEST.fullmatch(path)]

    def find(self, path: str) -> str | None:
        """The entry a message means by ``path``: exact, else but for letter case and Unicode form."""
        normal = unicodedata.normalize("NFC", path).removeprefix("./")
        return normal if normal in self.entries else self._folded.get(normal.casefold())

    def open(self, path: str) -> IO[bytes]:
        """A stream of the entry, never longer than its stated size. Raises BadZipFile on damage."""
        return self._archive.open(self.entries[path].info)


def open_container(stream: BinaryIO, limits: Limits | None = None) -> Container:
    """Open a ZIP from a seekable stream after all safety checks. Raises ContainerRefused."""
    limits = limits or Limits()
    _check_directory(stream, limits)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError, OSError) as error:
        raise _refused("Le fichier déposé n’est pas une archive ZIP lisible.", str(error)) from error
    findings = list(_faults(archive, limits))
    if findings:
        archive.close()
        raise ContainerRefused(findings)
    entries = {}
    for info in archive.infolist():
        if not info.is_dir():
            path = _normalised(info.filename)
            entries[path] = Entry(path, info.file_size, info.compress_size, info)
    if not entries:
        archive.close()
        raise _refused("L’archive déposée ne contient aucun fichier.")
    return Container(archive, entries)


def _check_directory(stream: BinaryIO, limits: Limits) -> None:
    """Read the size of the central directory before the library loads it whole (APPNOTE 4.3.14 to 4.3.16)."""
    size = stream.seek(0, 2)
    tail_size = min(size, _END_OF_DIRECTORY.size + 65_535)
    stream.seek(size - tail_size)
    tail = stream.read(tail_size)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_OF_DIRECTORY.size > len(tail):
        raise _refused("Le fichier déposé n’est pas une archive ZIP lisible.")
    _, _, _, _, count, directory_bytes, _, _ = _END_OF_DIRECTORY.unpack_from(tail, at)
    end_at = size - tail_size + at
    if (count == 0xFFFF or directory_bytes == 0xFFFFFFFF) and end_at >= _ZIP64_LOCATOR.size:
        stream.seek(end_at - _ZIP64_LOCATOR.size)
        signature, _, offset, _ = _ZIP64_LOCATOR.unpack(stream.read(_ZIP64_LOCATOR.size))
        if signature == b"PK\x06\x07" and offset + _ZIP64_END.size <= size:
            stream.seek(offset)
            *_, count, directory_bytes, _ = _ZIP64_END.unpack(stream.read(_ZIP64_END.size))
    stream.seek(0)
    if count > limits.entries or directory_bytes > limits.directory_bytes:
        raise _refused(
            f"L’archive annonce {count} entrées ; la limite est de {limits.entries}. "
            "Répartissez le versement en plusieurs paquets."
        )


def _faults(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Finding]:
    infos = archive.infolist()
    if len(infos) > limits.entries:
        yield _fault(f"L’archive contient {len(infos)} entrées ; la limite est de {limits.entries}.")
        return
    total = sum(info.file_size for info in infos)
    compressed = sum(info.compress_size for info in infos)
    if total > limits.total_bytes:
        yield _fault(
            f"Une fois décompressé, le paquet occuperait {total} octets ; la limite est de {limits.total_bytes}."
        )
    if total > limits.harmless_bytes and total > limits.ratio * max(compressed, 1):
        yield _fault(
            f"Le taux de compression du paquet dépasse {limits.ratio} : "
            "il ressemble à une bombe de décompression. "
            "Déposez un paquet dont les fichiers sont moins comprimés."
        )
    yield from _overlaps(infos)
    seen: dict[str, str] = {}
    for info in infos:
        yield from _entry_faults(info, limits)
        path = _normalised(info.filename)
        key = path.rstrip("/").casefold()
        if not info.is_dir():
            if key in seen:
                yield _fault("Deux fichiers du paquet portent le même nom, à la casse près.", path)
            seen[key] = path


def _overlaps(infos: list[zipfile.ZipInfo]) -> Iterator[Finding]:
    """Entries that share bytes are the mark of a quoted-overlap bomb."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for current, following in itertools.pairwise(ordered):
        if current.header_offset + 30 + current.compress_size > following.header_offset:
            yield _fault("Des entrées de l’archive se recouvrent : le paquet est piégé ou abîmé.", current.filename)
            return


def _entry_faults(info: zipfile.ZipInfo, limits: Limits) -> Iterator[Finding]:
    name = info.orig_filename
    where = name[:200].encode("unicode_escape").decode("ascii") if not name.isprintable() else name[:200]
    if info.flag_bits & _ENCRYPTED:
        yield _fault("Le fichier est chiffré. Déposez un paquet sans mot de passe.", where)
    if info.compress_type not in _METHODS:
        yield _fault("Le fichier est comprimé par une méthode refusée : seuls Store et Deflate sont admis.", where)
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield _fault("Le paquet contient un lien ou un fichier spécial, refusé par sécurité.", where)
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        yield _fault("Un nom de fichier contient un caractère de contrôle.", where)
    if "\\" in name:
        yield _fault("Un nom de fichier contient une barre oblique inverse, refusée.", where)
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        yield _fault("Un nom de fichier est un chemin absolu, refusé.", where)
    segments = name.removeprefix("./").rstrip("/").split("/")
    if ".." in segments:
        yield _fault("Un nom de fichier remonte hors du paquet (« .. »), refusé.", where)
    if len(segments) > limits.depth:
        yield _fault(f"Un fichier est rangé à plus de {limits.depth} dossiers de profondeur.", where)
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        yield _fault("Un nom de fichier n’est pas de l’Unicode valide.", where)
        return
    if len(encoded) > limits.path_bytes or any(len(s.encode()) > limits.segment_bytes for s in segments):
        yield _fault("Un nom de fichier est trop long.", where)


def _normalised(name: str) -> str:
    return unicodedata.normalize("NFC", name).removeprefix("./")


def _fault(sentence: str, where: str = "") -> Finding:
    return Finding(Control.CONTAINER, Outcome.KO, sentence, "101", where)


def _refused(sentence: str, where: str = "") -> ContainerRefused:
    return ContainerRefused([_fault(sentence, where)])
