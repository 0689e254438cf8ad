"""Real format of a file, decided by its content with the PRONOM register (pygfried, the Siegfried engine)."""

import mimetypes
from dataclasses import dataclass
from pathlib import Path, PurePath

import pygfried

# PRONOM leaves some types empty, or several formats share an extension that people use loosely.
_BY_SIGNATURE = (
    (b"%PDF-", "application/pdf", "Portable Document Format"),
    (b"PK\x03\x04", "application/zip", "Archive ZIP"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "Portable Network Graphics"),
    (b"\xff\xd8\xff", "image/jpeg", "JPEG"),
    (b"\x1f\x8b", "application/gzip", "GZIP"),
    (b"<?xml", "application/xml", "Extensible Markup Language"),
)
_EXPECTED = {
    ".pdf": {"application/pdf"},
    ".png": {"image/png"},
    ".jpg": {"image/jpeg"},
    ".jpeg": {"image/jpeg"},
    ".xml": {"application/xml", "text/xml"},
    ".zip": {"application/zip"},
    ".odt": {"application/vnd.oasis.opendocument.text"},
    ".ods": {"application/vnd.oasis.opendocument.spreadsheet"},
    ".gz": {"application/gzip"},
}
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class Format:
    """A recognised format. ``certain`` is false when only the extension spoke."""

    media_type: str
    puid: str = ""
    name: str = ""
    version: str = ""
    certain: bool = False


# Formats of what Parvis writes itself: known without asking the register.
GZIP = Format("application/gzip", "x-fmt/266", "GZIP Format", certain=True)
XML = Format("application/xml", "fmt/101", "Extensible Markup Language", "1.0", certain=True)


def identify(path: Path, filename: str = "") -> Format:
    """Format of the file at ``path``; ``filename`` is the name its depositor gave, for text formats."""
    with path.open("rb") as stream:
        start = stream.read(1024)
    found = _by_pronom(path) if start else None
    if found is not None and found.certain:
        return found
    for signature, media_type, name in _BY_SIGNATURE:
        if signature in start[:1024] if signature == b"%PDF-" else start.startswith(signature):
            return Format(media_type, name=name, certain=True)
    if found is not None and found.media_type != UNKNOWN and _is_text(start):
        return found
    if start and _is_text(start):
        guessed = mimetypes.guess_type(filename)[0] or "text/plain"
        return Format(guessed if guessed.startswith("text/") else "text/plain", name="Texte")
    return Format(UNKNOWN)


def _by_pronom(path: Path) -> Format | None:
    try:
        report = pygfried.identify(str(path), detailed=True)
    except pygfried.GoError:  # a container that does not open: its signature alone is known
        return None
    matches = [m for m in report["files"][0]["matches"] if m["id"] != "UNKNOWN"]
    if not matches:
        return None
    best = matches[0]
    return Format(
        media_type=best["mime"].split(",")[0].strip() or UNKNOWN,
        puid=best["id"],
        name=best["format"],
        version=best["version"],
        certain="extension only" not in best["warning"],
    )


def _is_text(start: bytes) -> bool:
    return b"\x00" not in start


def mismatch(filename: str, found: Format) -> str:
    """French sentence when the extension announces another type than the content; empty when they agree."""
    extension = PurePath(filename).suffix.lower()
    expected = _EXPECTED.get(extension)
    if expected is None or found.media_type in expected:
        return ""
    real = found.name or ("un contenu non reconnu" if found.media_type == UNKNOWN else found.media_type)
    return (
        f"« {filename} » porte l’extension {extension} mais son contenu est d’un autre type ({real}). "
        "Exportez le document dans le format annoncé ; le renommer ne suffit pas."
    )
