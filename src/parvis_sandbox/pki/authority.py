"""Certificate authority of the sandbox: a root, an issuing CA, and the RFC 5280 certificates they sign.

Keys and certificates live in the state folder, so that a second start serves the same authority. When the
service comes back on another port, keys stay and certificates that carry its address are issued again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MARK = "SANS VALEUR - bac à sable"
SANDBOX_ORGANISATION = "Bac à sable Parvis"
NOT_BEFORE = datetime(2018, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2040, 12, 31, 23, 59, 59, tzinfo=UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclasses.dataclass(frozen=True)
class Credential:
    """A private key with its certificate."""

    key: PrivateKey
    certificate: x509.Certificate


@dataclasses.dataclass(frozen=True)
class SignerMaterial:
    """A PKCS#12 file and the passphrase that opens it."""

    path: Path
    password: str
    certificate: x509.Certificate


@dataclasses.dataclass(frozen=True)
class TlsMaterial:
    """PEM files for TLS: certificate followed by its chain, private key."""

    certificate: Path
    key: Path


def name(common_name: str, organisation: str = SANDBOX_ORGANISATION, identifier: str = "") -> x509.Name:
    """Subject that says "without value"; `identifier` is an organizationIdentifier (EN 319 412-1)."""
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, MARK),
    ]
    if identifier:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, identifier))
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]))
    return x509.Name(attributes)


def key_usage(*wanted: str) -> x509.KeyUsage:
    """KeyUsage extension (RFC 5280 §4.2.1.3) with exactly the wanted bits."""
    return x509.KeyUsage(**{usage: usage in wanted for usage in KEY_USAGES})


def slug(text: str) -> str:
    """File name for a subject: readable, and distinct for distinct subjects."""
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class Authority:
    """Root and issuing CA of the sandbox, and what they issued and revoked."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._index_path = folder / "index.json"
        self._index: dict[str, Any] = {"url": url, "issued": {}, "revoked": {}}
        if self._index_path.exists():
            self._index |= json.loads(self._index_path.read_text())
        moved = self._index["url"] != url
        self._index["url"] = url
        if moved:
            self._forget_certificates()
        self.root = self._root()
        self.issuing = self._issuing()
        self.ocsp = self._responder()
        self.tsa = self._time_stamping_unit()
        self._save()

    # -- the authority itself ----------------------------------------------------------------------------

    def _root(self) -> Credential:
        def build(key: PrivateKey) -> x509.Certificate:
            subject = name("AC racine du bac à sable - SANS VALEUR")
            return self._sign(subject, key, issuer=None, extensions=self._ca_extensions(key, key, path_length=1))

        return self._credential("root", build)

    def _issuing(self) -> Credential:
        def build(key: PrivateKey) -> x509.Certificate:
            subject = name("AC délivrante du bac à sable - SANS VALEUR")
            extensions = self._ca_extensions(key, self.root.key, path_length=0)
            extensions += self._addresses("root.crt", "crl-root", ocsp=False)
            return self._sign(subject, key, issuer=self.root, extensions=extensions)

        return self._credential("issuing", build)

    def _responder(self) -> Credential:
        def build(key: PrivateKey) -> x509.Certificate:
            return self._leaf(
                name("Répondeur OCSP du bac à sable - SANS VALEUR"),
                key,
                usages=("digital_signature",),
                purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,),
                extra=[(x509.OCSPNoCheck(), False)],
            )

        return self._credential("ocsp", build)

    def _time_stamping_unit(self) -> Credential:
        def build(key: PrivateKey) -> x509.Certificate:
            return self._leaf(
                name("Unité d'horodatage du bac à sable - SANS VALEUR"),
                key,
                usages=("digital_signature", "content_commitment"),
                purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
                purposes_critical=True,
            )

        return self._credential("tsa", build)

    # -- what it issues ----------------------------------------------------------------------------------

    def issue_signer(
        self,
        common_name: str,
        organisation_name: str,
        siren: str,
        *,
        usages: tuple[str, ...] = ("content_commitment",),
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
    ) -> SignerMaterial:
        """Signature certificate of a person acting for an organisation, as a PKCS#12; the same each time."""
        label = slug(f"signer|{common_name}|{organisation_name}|{siren}|{usages}|{not_before}|{not_after}")
        p12_path, password_path = self.folder / f"{label}.p12", self.folder / f"{label}.pwd"

        def build(key: PrivateKey) -> x509.Certificate:
            return self._leaf(
                name(common_name, organisation_name, f"NTRFR-{siren}"),
                key,
                usages=usages,
                purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,),
                not_before=not_before,
                not_after=not_after,
            )

        with self._lock:
            credential = self._credential(label, build, rsa_bits=3072)
            if not p12_path.exists() or not password_path.exists():
                _write_private(password_path, secrets.token_urlsafe(18).encode())
                content = pkcs12.serialize_key_and_certificates(
                    common_name.encode(),
                    credential.key,
                    credential.certificate,
                    [self.issuing.certificate, self.root.certificate],
                    serialization.BestAvailableEncryption(password_path.read_bytes()),
                )
                _write_private(p12_path, content)
            self._save()
        return SignerMaterial(p12_path, password_path.read_text(), credential.certificate)

    def issue_tls_server(self, names: Iterable[str]) -> TlsMaterial:
        """TLS server certificate for host names or addresses."""
        hosts = tuple(names)
        alternatives: list[x509.GeneralName] = []
        for host in hosts:
            try:
                alternatives.append(x509.IPAddress(ip_address(host)))
            except ValueError:
                alternatives.append(x509.DNSName(host))

        def build(key: PrivateKey) -> x509.Certificate:
            return self._leaf(
                name(hosts[0]),
                key,
                usages=("digital_signature",),
                purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
                extra=[(x509.SubjectAlternativeName(alternatives), False)],
            )

        return self._tls(slug("server|" + "|".join(hosts)), build)

    def issue_tls_client(
        self, common_name: str, organisation_name: str = SANDBOX_ORGANISATION, siren: str = ""
    ) -> TlsMaterial:
        """TLS client certificate (authentication of an agent or a server to the ministry)."""

        def build(key: PrivateKey) -> x509.Certificate:
            return self._leaf(
                name(common_name, organisation_name, f"NTRFR-{siren}" if siren else ""),
                key,
                usages=("digital_signature",),
                purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,),
            )

        return self._tls(slug(f"client|{common_name}|{organisation_name}|{siren}"), build)

    def revoke(self, serial: int, at: datetime) -> None:
        """Record a revocation, to the second; OCSP and the next CRL say so."""
        at = at.replace(microsecond=0)
        with self._lock:
            self._index["revoked"][str(serial)] = at.astimezone(UTC).isoformat()
            self._save()

    def knows(self, serial: int) -> bool:
        """True when the issuing CA issued this serial number."""
        return str(serial) in self._index["issued"]

    def revocations(self) -> dict[int, datetime]:
        """Revoked serial numbers with the moment of revocation."""
        with self._lock:
            return {int(key): datetime.fromisoformat(at) for key, at in self._index["revoked"].items()}

    # -- building blocks ---------------------------------------------------------------------------------

    def _tls(self, label: str, build: Any) -> TlsMaterial:
        with self._lock:
            credential = self._credential(label, build)
            chain = self.folder / f"{label}.chain.pem"
            pems = (credential.certificate, self.issuing.certificate)
            chain.write_bytes(b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert in pems))
            self._save()
        return TlsMaterial(chain, self.folder / f"{label}.key")

    def _credential(self, label: str, build: Any, rsa_bits: int = 0) -> Credential:
        key_path, certificate_path = self.folder / f"{label}.key", self.folder / f"{label}.crt"
        if key_path.exists():
            # its own key: checking it again would take a fifth of a second
            key = serialization.load_pem_private_key(key_path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        else:
            key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
            _write_private(
                key_path,
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ),
            )
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        if certificate_path.exists():
            certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        else:
            certificate = build(key)
            certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return Credential(key, certificate)

    def _leaf(
        self,
        subject: x509.Name,
        key: PrivateKey,
        *,
        usages: tuple[str, ...],
        purposes: tuple[x509.ObjectIdentifier, ...],
        purposes_critical: bool = False,
        extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
    ) -> x509.Certificate:
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (key_usage(*usages), True),
            (x509.ExtendedKeyUsage(purposes), purposes_critical),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuing.key.public_key()), False),
            *self._addresses("ca.crt", "crl", ocsp=True),
            *extra,
        ]
        certificate = self._sign(subject, key, self.issuing, extensions, not_before, not_after)
        self._index["issued"][str(certificate.serial_number)] = subject.rfc4514_string()
        return certificate

    def _sign(
        self,
        subject: x509.Name,
        key: PrivateKey,
        issuer: Credential | None,
        extensions: Iterable[tuple[x509.ExtensionType, bool]],
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer.key if issuer else key, hashes.SHA256())

    def _ca_extensions(
        self, key: PrivateKey, issuer_key: PrivateKey, path_length: int
    ) -> list[tuple[x509.ExtensionType, bool]]:
        return [
            (x509.BasicConstraints(ca=True, path_length=path_length), True),
            (key_usage("key_cert_sign", "crl_sign"), True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
        ]

    def _addresses(self, issuer: str, crl: str, *, ocsp: bool) -> list[tuple[x509.ExtensionType, bool]]:
        def at(path: str) -> x509.UniformResourceIdentifier:
            return x509.UniformResourceIdentifier(f"{self.url}/{path}")

        descriptions = [x509.AccessDescription(Access.CA_ISSUERS, at(issuer))]
        if ocsp:
            descriptions.append(x509.AccessDescription(Access.OCSP, at("ocsp")))
        point = x509.DistributionPoint([at(crl)], None, None, None)
        return [
            (x509.AuthorityInformationAccess(descriptions), False),
            (x509.CRLDistributionPoints([point]), False),
        ]

    def _forget_certificates(self) -> None:
        """The address in the certificates is no longer ours: keep keys and root, issue the rest again."""
        for path in [*self.folder.glob("*.crt"), *self.folder.glob("*.p12"), *self.folder.glob("*.pem")]:
            if path.name != "root.crt":
                path.unlink()

    def _save(self) -> None:
        temporary = self._index_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._index, indent=1, ensure_ascii=False))
        temporary.replace(self._index_path)


def _write_private(path: Path, content: bytes) -> None:
    """Write a secret that only its owner can read, from its first byte on disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
