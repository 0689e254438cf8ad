"""The sandbox PKI over HTTP on one loopback port: certificates, CRLs, OCSP and time-stamping."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from parvis_sandbox.pki.answers import ocsp_response, revocation_list, time_stamp_response
from parvis_sandbox.pki.authority import NOT_AFTER, NOT_BEFORE, Authority, SignerMaterial, TlsMaterial

Clock = Callable[[], datetime]
MAX_REQUEST = 64 * 1024


class Pki:
    """A running sandbox PKI. Build it with `start`."""

    def __init__(self, authority: Authority, server: ThreadingHTTPServer, clock: Clock) -> None:
        self.authority = authority
        self.clock = clock
        self.url = authority.url
        self.ocsp_url = f"{self.url}/ocsp"
        self.tsa_url = f"{self.url}/tsa"
        self.crl_url = f"{self.url}/crl"
        self.urls = {"pki": self.url, "ocsp": self.ocsp_url, "tsa": self.tsa_url, "crl": self.crl_url}
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, name="sandbox-pki", daemon=True)
        public = authority.folder / "public"
        public.mkdir(exist_ok=True)
        self.trust_roots_dir = public / "roots"
        self.trust_roots_dir.mkdir(exist_ok=True)
        root, issuing = authority.root.certificate, authority.issuing.certificate
        self.root_certificate = _write_pem(self.trust_roots_dir / "sandbox-root.pem", root)
        self.issuing_certificate = _write_pem(public / "issuing.pem", issuing)
        self.tsa_certificate = _write_pem(public / "tsa.pem", authority.tsa.certificate)
        self.ca_bundle = _write_pem(public / "ca-bundle.pem", issuing, root)

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
        """PKCS#12 of a person who signs for an organisation (usages other than the default serve tests)."""
        return self.authority.issue_signer(
            common_name, organisation_name, siren, usages=usages, not_before=not_before, not_after=not_after
        )

    def issue_tls_server(self, names: Iterable[str]) -> TlsMaterial:
        """Server certificate and key for these host names or addresses."""
        return self.authority.issue_tls_server(names)

    def issue_tls_client(self, common_name: str, organisation_name: str = "", siren: str = "") -> TlsMaterial:
        """Client certificate and key."""
        return (
            self.authority.issue_tls_client(common_name, organisation_name, siren)
            if organisation_name
            else self.authority.issue_tls_client(common_name)
        )

    def revoke(self, certificate: x509.Certificate | SignerMaterial, at: datetime | None = None) -> None:
        """Revoke a certificate now, or at a moment of the simulated past."""
        target = certificate.certificate if isinstance(certificate, SignerMaterial) else certificate
        self.authority.revoke(target.serial_number, at or self.clock())

    def stop(self) -> None:
        """Stop serving; the state stays for the next start."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        self._thread.start()


def start(state_dir: Path | str, clock: Clock, port: int = 0) -> Pki:
    """Start the PKI on a loopback port, with the keys, certificates and, if free, the port of the last start.

    `clock` returns aware UTC datetimes: OCSP, CRL and time-stamp tokens bear its time.
    """
    folder = Path(state_dir) / "pki"
    folder.mkdir(parents=True, exist_ok=True)
    server = _bind(port or _last_port(folder))
    (folder / "port.json").write_text(json.dumps(server.server_address[1]))
    authority = Authority(folder, f"http://127.0.0.1:{server.server_address[1]}")
    pki = Pki(authority, server, clock)
    server.RequestHandlerClass = _handler_for(pki)
    pki._run()
    return pki


def _last_port(folder: Path) -> int:
    path = folder / "port.json"
    return int(json.loads(path.read_text())) if path.exists() else 0


def _bind(port: int) -> ThreadingHTTPServer:
    ThreadingHTTPServer.daemon_threads = True
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)


def _write_pem(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))
    return path


def _handler_for(pki: Pki) -> type[BaseHTTPRequestHandler]:
    def der(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.DER)

    def now() -> datetime:
        return pki.clock().replace(microsecond=0)

    authority = pki.authority
    documents: dict[str, tuple[str, Callable[[], bytes]]] = {
        "/ca.crt": ("application/pkix-cert", lambda: der(authority.issuing.certificate)),
        "/root.crt": ("application/pkix-cert", lambda: der(authority.root.certificate)),
        "/ca-bundle.pem": ("application/x-pem-file", pki.ca_bundle.read_bytes),
        "/crl": (
            "application/pkix-crl",
            lambda: revocation_list(authority.issuing, authority.revocations(), now()),
        ),
        "/crl-root": ("application/pkix-crl", lambda: revocation_list(authority.root, {}, now())),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in documents:
                media_type, produce = documents[self.path]
                self._answer(200, media_type, produce())
            elif self.path.startswith("/ocsp/"):  # RFC 6960 appendix A.1
                try:
                    request = base64.b64decode(unquote(self.path.removeprefix("/ocsp/")))
                except ValueError:
                    request = b""
                self._answer(200, "application/ocsp-response", ocsp_response(authority, request, now()))
            else:
                self._answer(404, "text/plain", b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_REQUEST:
                self._answer(413, "text/plain", b"")
                return
            body = self.rfile.read(length)
            if self.path == "/ocsp":
                self._answer(200, "application/ocsp-response", ocsp_response(authority, body, now()))
            elif self.path == "/tsa":
                if self.headers.get("Content-Type") != "application/timestamp-query":
                    self._answer(415, "text/plain", b"")
                    return
                reply = time_stamp_response(authority, body, now())
                self._answer(200, "application/timestamp-reply", reply)
            else:
                self._answer(404, "text/plain", b"")

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the demo's terminal for its own story."""

    return Handler
