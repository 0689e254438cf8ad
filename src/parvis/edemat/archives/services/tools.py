"""Instruments of the intake controls, taken from the platform: PRONOM identification and antivirus."""

from pathlib import Path

import pygfried
from asn1crypto import cms, core, tsp
from django.conf import settings

from parvis.core.documents import antivirus
from parvis.core.documents.errors import DocumentInfected
from parvis.core.documents.identification import identify
from parvis.core.documents.models import Document
from parvis.edemat.archives.intake import Identification, Tools
from parvis.edemat.archives.storage import Vault

MAX_TOKEN = 1024 * 1024


def intake_tools() -> Tools:
    """The tools of this installation; without a configured antivirus there is no search for viruses."""
    return Tools(_identify, _scan if settings.PARVIS_CLAMD_SOCKET else None)


def _identify(path: Path) -> Identification:
    found = identify(path, path.name)
    if not found.puid and path.stat().st_size < MAX_TOKEN and is_timestamp(path.read_bytes()):
        return Identification("UNKNOWN", "Jeton d’horodatage RFC 3161", "application/timestamp-reply")
    return Identification(found.puid or "UNKNOWN", f"{found.name} {found.version}".strip(), found.media_type)


def is_timestamp(content: bytes) -> bool:
    """True for a TimeStampResp or a TimeStampToken (RFC 3161 §2.4.2), which PRONOM does not describe."""
    return any(_stamps(content, kind) for kind in (tsp.TimeStampResp, cms.ContentInfo))


def _stamps(content: bytes, kind: type[core.Sequence]) -> bool:
    try:
        message = kind.load(content, strict=True)
        token = message["time_stamp_token"] if kind is tsp.TimeStampResp else message
        return bool(token["content"]["encap_content_info"]["content_type"].native == "tst_info")
    except (ValueError, TypeError, KeyError):
        return False


def _scan(path: Path) -> str | None:
    try:
        state = antivirus.scan(path, path.name)
    except DocumentInfected as error:
        return str(error.data.get("signature") or "menace reconnue")
    return "" if state == Document.Scan.CLEAN else None


def identification_tool() -> str:
    """Name and version of what identifies formats."""
    return f"pygfried {pygfried.version()}"


def vault() -> Vault:
    """The storage roots of this installation (PARVIS_ARCHIVE_ROOTS)."""
    return Vault(settings.PARVIS_ARCHIVE_ROOTS)
