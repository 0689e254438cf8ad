"""Optional antivirus: asks a ClamAV daemon over its INSTREAM protocol (clamd(8)).

Without a configured daemon, or when it does not answer, the document stays « non analysé » and every screen
says so: nothing is ever called clean that was not scanned.
"""

import logging
import socket
import struct
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from parvis.core.documents.errors import DocumentInfected
from parvis.core.documents.models import Document

logger = logging.getLogger(__name__)
BLOCK = 256 * 1024
SECONDS = 60.0


def scan(path: Path, filename: str) -> str:
    """State of the scan of the file at ``path`` (a ``Document.Scan`` value); raises DocumentInfected."""
    address = settings.PARVIS_CLAMD_SOCKET
    if not address:
        return Document.Scan.NOT_SCANNED
    try:
        with path.open("rb") as stream:
            reply = _instream(address, stream)
    except OSError as error:
        logger.error("antivirus unreachable: %s", error)
        return Document.Scan.NOT_SCANNED
    if reply.endswith("FOUND"):
        raise DocumentInfected(
            f"« {filename} » contient un programme malveillant reconnu par l’antivirus : "
            "il n’a pas été enregistré. Prévenez votre service informatique.",
            signature=reply.removesuffix("FOUND").rpartition(":")[2].strip()[:120],
        )
    if reply.endswith("OK"):
        return Document.Scan.CLEAN
    logger.error("antivirus answered %s", reply)
    return Document.Scan.NOT_SCANNED


def _connect(address: str) -> socket.socket:
    """``/path/of/socket`` or ``host:port``."""
    if address.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        connection.connect(address)
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def _instream(address: str, stream: BinaryIO) -> str:
    with _connect(address) as connection:
        connection.sendall(b"zINSTREAM\0")
        while block := stream.read(BLOCK):
            connection.sendall(struct.pack(">I", len(block)) + block)
        connection.sendall(struct.pack(">I", 0))
        reply = b""
        while not reply.endswith(b"\0") and (received := connection.recv(4096)):
            reply += received
    return reply.rstrip(b"\0\n").decode(errors="replace")
