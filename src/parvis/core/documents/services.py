"""Storing and reading documents: a content is hashed, identified, examined and scanned before it is kept."""

import hashlib
import unicodedata
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from django.conf import settings

from parvis.core import clock
from parvis.core.documents import antivirus, infections, pdf, storage
from parvis.core.documents.errors import DocumentDamaged, DocumentInfected, DocumentRefused, DocumentTooLarge
from parvis.core.documents.identification import Format, identify, mismatch
from parvis.core.documents.models import Document
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation

MAX_SIZE = 2 * 1024 * 1024 * 1024
MAX_READ = 256 * 1024 * 1024


def store(organisation: Organisation, content: bytes | BinaryIO, filename: str, **described: Any) -> Document:
    """Keep ``content`` for ever and save its description: ``kept`` says what may be given and is raised."""
    document = kept(organisation, content, filename, **described)
    document.save(force_insert=True)
    return document


def kept(
    organisation: Organisation,
    content: bytes | BinaryIO,
    filename: str,
    *,
    source: Document | None = None,
    derivation: str = "",
    label: str = "",
    must_be_sound: bool = False,
    limit: int | None = None,
    written_here: Format | None = None,
) -> Document:
    """Keep ``content`` for ever and describe it; the description is the caller's to save, for one that saves several.

    ``content`` is bytes or a binary stream, read once; ``source`` and ``derivation`` ("signature", "tampon")
    say from which document it was made. ``limit`` is in bytes. With ``must_be_sound``, a PDF that cannot be
    accepted and a file whose content is not of its extension raise DocumentRefused and nothing is kept.
    ``written_here`` is the format of a content that Parvis has just written itself, which then needs no
    identification.
    Raises also DocumentTooLarge and DocumentInfected.
    """
    filename = clean_filename(filename)
    limit = getattr(settings, "PARVIS_DOCUMENTS_MAX_SIZE", MAX_SIZE) if limit is None else limit
    with storage.received(organisation, content, filename, limit=limit) as incoming:
        found = written_here or identify(incoming.path, filename)
        health, pages = _health(incoming.path, filename, found, must_be_sound)
        try:
            scan_state = antivirus.scan(incoming.path, filename)
        except DocumentInfected as infected:
            infections.tell(organisation, label or filename, incoming.sha256, str(infected.data["signature"]))
            raise
        storage.keep(organisation, incoming)
        return Document(
            organisation=organisation,
            sha256=incoming.sha256,
            size=incoming.size,
            filename=filename,
            label=label,
            media_type=found.media_type,
            puid=found.puid,
            format_name=f"{found.name} {found.version}".strip()[:120],
            pages=pages,
            health=health,
            scan_state=scan_state,
            source=source,
            derivation=derivation,
            created_at=clock.now(),
        )


def _health(path: Path, filename: str, found: Format, must_be_sound: bool) -> tuple[dict[str, object], int | None]:
    claims_pdf = PurePath(filename).suffix.lower() == ".pdf"
    verdict = pdf.examine_path(path, filename) if claims_pdf or found.media_type == "application/pdf" else None
    disagreement = mismatch(filename, found)
    if must_be_sound:
        if verdict is not None and not verdict.acceptable:
            raise DocumentRefused(" ".join(verdict.problems), filename=filename)
        if disagreement:
            raise DocumentRefused(disagreement, filename=filename)
    health = verdict.to_dict() if verdict else {}
    if disagreement:
        health["mismatch"] = disagreement
    return health, verdict.pages if verdict else None


def clean_filename(name: str) -> str:
    """``name`` without folders or control characters, composed (NFC), of 255 characters at most."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip(" .")
    if len(name) > 255:
        suffix = PurePath(name).suffix[:20]
        name = name[: 255 - len(suffix)] + suffix
    return name or "document"


def open_document(document: Document) -> BinaryIO:
    """The content, seekable, to be closed by the caller; raises DocumentMissing."""
    return storage.open_content(document.organisation, document.sha256)


def read_bytes(document: Document, *, limit: int = MAX_READ) -> bytes:
    """The whole content, digest checked; raises DocumentTooLarge before reading, DocumentDamaged after."""
    if document.size > limit:
        raise DocumentTooLarge.of(document.filename, limit)
    with open_document(document) as stream:
        content = stream.read(limit + 1)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise DocumentDamaged.of(document.sha256)
    return content


def local_file(document: Document) -> AbstractContextManager[Path]:
    """Context manager giving a read-only path of the content, for libraries that want a file."""
    return storage.local_copy(document.organisation, document.sha256)


def verify(document: Document) -> None:
    """Read the content again and compare its digest; raises DocumentDamaged or DocumentMissing."""
    storage.verify_content(document.organisation, document.sha256)


def publish(document: Document, *, since: datetime | None = None, actor: Actor | None = None) -> None:
    """Let everybody read the document from ``since`` (now by default); doing it twice, even at once, changes
    nothing more.
    """
    known = Document.objects.select_for_update(of=("self",), no_key=True).values_list("public_since", flat=True)
    document.public_since = known.get(pk=document.pk)
    if document.public_since is not None:
        return
    document.public_since = since or clock.now()
    document.save(update_fields=["public_since"])
    record(
        document.organisation,
        "documents.publie",
        subject=("document", document.pk),
        actor=actor,
        sha256=document.sha256,
    )
