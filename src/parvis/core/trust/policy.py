"""What this installation trusts: roots, time-stamping authorities, and the hosts it may ask.

Trust roots are PEM or DER files in `PARVIS_TRUST_ROOTS_DIR`; intermediate certificates that signatures often
omit may stand in its `intermediaires` folder. A root whose subject says "SANS VALEUR" serves demo and tests:
whatever leads to it is labelled as having no legal value.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asn1crypto import pem, x509

logger = logging.getLogger(__name__)

MARK_WITHOUT_VALUE = "SANS VALEUR"
CERTIFICATE_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})


@dataclass(frozen=True)
class TrustPolicy:
    """Trust anchors and reachable services. `allowed_hosts` holds "host" or "host:port"."""

    roots: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    tsa_urls: tuple[str, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    online: bool = field(default=True)

    @property
    def reachable_hosts(self) -> frozenset[str]:
        """Hosts that may be asked: those listed, and the time-stamping services the operator configured."""
        return self.allowed_hosts | {urlsplit(url).netloc for url in self.tsa_urls}

    def to_dict(self) -> dict[str, object]:
        """JSON values, for the process that examines files."""
        return {
            "roots": [base64.b64encode(one.dump()).decode() for one in self.roots],
            "intermediates": [base64.b64encode(one.dump()).decode() for one in self.intermediates],
            "tsa_urls": list(self.tsa_urls),
            "allowed_hosts": sorted(self.allowed_hosts),
            "online": self.online,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrustPolicy:
        """The policy that `to_dict` wrote."""

        def certificates(encoded: Iterable[str]) -> tuple[x509.Certificate, ...]:
            return tuple(x509.Certificate.load(base64.b64decode(one)) for one in encoded)

        return cls(
            roots=certificates(data["roots"]),
            intermediates=certificates(data["intermediates"]),
            tsa_urls=tuple(data["tsa_urls"]),
            allowed_hosts=frozenset(data["allowed_hosts"]),
            online=data["online"],
        )


def from_settings() -> TrustPolicy:
    """The policy of this installation, read afresh so that an operator's change needs no restart."""
    from django.conf import settings

    folder = Path(settings.PARVIS_TRUST_ROOTS_DIR)
    return TrustPolicy(
        roots=read_certificates(folder),
        intermediates=read_certificates(folder / "intermediaires"),
        tsa_urls=tuple(settings.PARVIS_TSA_URLS),
        allowed_hosts=frozenset(settings.PARVIS_TRUST_ALLOWED_HOSTS),
    )


def read_certificates(folder: Path) -> tuple[x509.Certificate, ...]:
    """Certificates of a folder's files, in name order; an unreadable file is logged and left out."""
    if not folder.is_dir():
        return ()
    found: list[x509.Certificate] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in CERTIFICATE_SUFFIXES and path.is_file():
            try:
                found += parse_certificates(path.read_bytes())
            except (ValueError, TypeError) as error:
                logger.warning("trust root %s is unreadable: %s", path.name, error)
    return tuple(found)


def parse_certificates(content: bytes) -> list[x509.Certificate]:
    """Certificates of a PEM bundle or of one DER file. Raises ValueError on anything else."""
    ders = [der for _, _, der in pem.unarmor(content, multiple=True)] if pem.detect(content) else [content]
    certificates = [x509.Certificate.load(der, strict=True) for der in ders]
    for certificate in certificates:
        _ = certificate.subject.native, certificate.serial_number
    return certificates


def without_legal_value(certificates: Iterable[x509.Certificate]) -> bool:
    """True when a certificate of the path bears the mark of a sandbox."""
    return any(MARK_WITHOUT_VALUE in one.subject.human_friendly.upper() for one in certificates)
