"""Makers of dossiers, packages and terms for the archive tests."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from parvis.edemat.archives.formats.acte import ActeDossier, Piece, build_transfer, message_identifier
from parvis.edemat.archives.formats.controls import KnownAgency, KnownAgreement, Terms
from parvis.edemat.archives.formats.seda import ArchiveTransfer, Party
from parvis.edemat.archives.formats.seda_writer import write_archive_transfer
from parvis.edemat.archives.intake import Identification, Tools

SHARED = Path(__file__).resolve().parents[4] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no reference material at {SHARED}")

SIREN = "213401235"
NOW = datetime(2019, 7, 12, 8, 30, 15, 123456, tzinfo=UTC)
AGENCY = Party("SA_213401235", "Archives de Juvignac")
PRODUCER = Party("213401235_HORS_RH", "Services de Juvignac")
CONTENTS = {
    "signe": ("19.07.01.05.pdf", b"%PDF-1.7 signed act"),
    "tamponne": ("19.07.01.05-tamponnee.pdf", b"%PDF-1.7 signed act, stamped"),
    "original": ("19.07.01.05-original.pdf", b"%PDF-1.7 act"),
    "annexe": ("Convention & tarifs - été.pdf", b"%PDF-1.7 annex"),
    "enveloppe": ("envelope.tar.gz", b"\x1f\x8b tar"),
    "acte_xml": ("acte.xml", b"<acte/>"),
    "ar": ("ar.xml", b"<ar/>"),
    "bordereau": ("bordereau.pdf", b"%PDF-1.7 receipt"),
    "certificat_executoire": ("certificat.pdf", b"%PDF-1.7 certificate"),
    "convocation": ("convocation.pdf", b"%PDF-1.7 summons"),
    "convocation_ics": ("convocation.ics", b"BEGIN:VCALENDAR"),
    "convocation_preuve": ("preuve.json", b"{}"),
    "convocation_jeton": ("preuve.tsr", b"\x30\x03token"),
    "rapport_validation": ("rapport.json", b'{"verdict": "valid"}'),
    "journal": ("journal.json", b'{"entries": []}'),
}


def piece(role: str, filename: str, content: bytes, **fields: str) -> Piece:
    return Piece(
        role=role,
        label=fields.pop("label", role),
        filename=filename,
        sha256=hashlib.sha256(content).hexdigest(),
        sha512=hashlib.sha512(content).hexdigest(),
        size=len(content),
        **fields,
    )


def dossier(**changes: object) -> ActeDossier:
    values: dict = {
        "siren": SIREN,
        "collectivite": "Commune de Juvignac",
        "originating_agency": PRODUCER,
        "numero": "19.07.01.05",
        "nature": "1",
        "objet": "Convention de gestion de services numériques communs – autorisation de signature",
        "decided": date(2019, 7, 1),
        "matiere": "5.7",
        "matiere_label": "Intercommunalité",
        "executory": date(2019, 7, 11),
        "identifier": "034-213401235-20190701-19_07_01_05-DE",
        "sent": datetime(2019, 7, 3, 9, 0, tzinfo=UTC),
        "received": date(2019, 7, 3),
        "published": date(2019, 7, 11),
        "route_id": "0190-route",
        "pieces": [piece(role, name, content) for role, (name, content) in CONTENTS.items()],
    }
    return ActeDossier(**(values | changes))


def transfer(**changes: object) -> ArchiveTransfer:
    return build_transfer(dossier(**changes), identifier=message_identifier(SIREN, "0190-route"), at=NOW, agency=AGENCY)


def package(message: bytes, files: Mapping[str, bytes], *, name: str = "manifest.xml") -> io.BytesIO:
    """A SIP in memory: the message and its files by path."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, message)
        for path, content in files.items():
            archive.writestr(path, content)
    stream.seek(0)
    return stream


def acte_package() -> io.BytesIO:
    message = transfer()
    by_digest = {hashlib.sha512(content).hexdigest(): content for _, content in CONTENTS.values()}
    files = {b.uri: by_digest[b.sha512] for g in message.groups() for b in g.binaries}
    return package(write_archive_transfer(message), files)


def terms(**changes: object) -> Terms:
    agencies = {
        AGENCY.identifier: KnownAgency(AGENCY.identifier, frozenset({"SA"})),
        SIREN: KnownAgency(SIREN, frozenset({"SV"})),
        PRODUCER.identifier: KnownAgency(PRODUCER.identifier, frozenset({"SP"})),
    }
    agreement = KnownAgreement(f"{SIREN}_ACCORD_ACTES", profiles=frozenset({"ACTES_v1"}), antivirus_required=False)
    values: dict = {
        "today": date(2019, 7, 12),
        "agencies": agencies,
        "agreements": {agreement.identifier: agreement},
    }
    return Terms(**(values | changes))


def identify(path: Path) -> Identification:
    import pygfried

    return Identification(pygfried.identify(str(path)) or "UNKNOWN")


TOOLS = Tools(identify=identify)
