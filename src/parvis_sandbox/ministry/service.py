"""The running ministry: its HTTPS door, the register of what it received, its outgoing post, its control
page."""

import json
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from lxml import etree

from parvis_sandbox.clock import Clock
from parvis_sandbox.ministry import classification, reading, returns
from parvis_sandbox.ministry.reading import q

SCENARIOS = {
    "ar": "accusé de réception",
    "ar_tardif": "accusé de réception cinq heures plus tard",
    "ar_double": "accusé de réception envoyé deux fois",
    "ar_avant_reponse": "accusé de réception avant la réponse HTTP",
    "anomalie_002": "anomalie : classification qui n'est pas à jour",
    "anomalie_enveloppe": "enveloppe refusée (nature 003)",
    "anomalie_enveloppe_999": "enveloppe refusée avec une nature hors de la liste",
    "http_500": "erreur 500, archive non reçue",
    "http_404": "adresse inconnue (ligne fermée), archive non reçue",
    "attente": "archive reçue, réponse HTTP retenue (hold_seconds)",
    "coupure": "archive reçue, réponse HTTP jamais rendue",
    "coupure_sans_ar": "archive reçue, réponse HTTP jamais rendue, accusé retenu",
    "silence": "archive reçue, aucun accusé",
    "acte_inconnu": "accusé d'un acte que la collectivité n'a pas envoyé",
    "autre_siren": "accusé adressé à la collectivité pour l'acte d'une autre",
    "utf8_declare_latin1": "accusé en UTF-8 qui se déclare ISO-8859-1",
    "schema_2004": "accusé au schéma de 2004",
    "sans_xml": "message d'information sans XML, puis l'accusé",
    "courrier_simple": "accusé, puis courrier simple",
    "demande_pieces": "accusé, puis demande de pièces complémentaires",
    "lettre_observations": "accusé, puis lettre d'observations",
    "defere": "accusé, puis déféré au tribunal administratif",
}
HELD_SECONDS = 600
LETTER_SCENARIOS = ("courrier_simple", "demande_pieces", "lettre_observations", "defere")
# Answers of the authority that get a receipt: its code and root element.
ANSWER_RECEIPTS = {
    "RefusPieceComplementaire": ("3-5", "ARPieceComplementaire"),
    "PieceComplementaire": ("3-5", "ARPieceComplementaire"),
    "RejetLettreObservations": ("4-5", "ARReponseRejetLettreObservations"),
    "ReponseLettreObservations": ("4-5", "ARReponseRejetLettreObservations"),
}


class TlsMaterial(Protocol):
    """PEM files of one end of the line."""

    @property
    def certificate(self) -> Path: ...

    @property
    def key(self) -> Path: ...


class TlsAuthority(Protocol):
    """What is needed of the PKI."""

    ca_bundle: Path

    def issue_tls_server(self, names: Iterable[str]) -> TlsMaterial: ...


@dataclass
class Waiting:
    """A mail to send once the sandbox's clock has reached ``due``."""

    due: datetime
    message: EmailMessage


class Ministry:
    """State of the platform; the scenario applies to the next archives, for ``count`` of them or until
    changed.

    A magic word in the object of an act (``[scenario:ar_double]``) wins over it.
    """

    def __init__(self, folder: Path, clock: Clock, smtp: tuple[str, int]) -> None:
        self.folder, self.clock, self.smtp = folder, clock, smtp
        (folder / "received").mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.schema_lock = threading.Lock()
        self.schema = reading.official_schema()
        self.register_file = folder / "register.jsonl"
        self.register: list[dict[str, Any]] = (
            [json.loads(line) for line in self.register_file.read_text().splitlines()]
            if self.register_file.exists()
            else []
        )
        self.known_ids = {line["id_acte"] for line in self.register if line["id_acte"]}
        self.scenario, self.remaining = "ar", -1
        self.delay = timedelta()
        self.hold = 0.5
        self.classification_date = classification.DEFAULT_DATE
        self.counter = len(self.register)
        self.posts = 0
        self.outbox: list[Waiting] = []
        self.held: list[EmailMessage] = []
        self.sent = 0
        self.stopping = threading.Event()
        self.wake = threading.Event()

    # --- receiving ---
    def receive(self, archive: str, content: bytes) -> tuple[int, str, bool]:
        """Take one archive; returns HTTP status, body, and whether the answer must be lost."""
        with self.lock:
            self.posts += 1
            scenario = self._next_scenario(content)
            if scenario in ("http_500", "http_404"):
                return int(scenario[5:]), "simulation", False
            try:
                received = reading.open_envelope(archive, content)
            except reading.Unreadable as error:
                return 400, str(error), False
            (self.folder / "received" / archive).write_bytes(content)
            for message in self._answers(received, scenario):
                self._plan(message, scenario)
        if scenario == "ar_avant_reponse":
            self._flush()
        self.wake.set()
        if scenario in ("ar_avant_reponse", "attente"):
            time.sleep(self.hold)
        return 200, "OK", scenario in ("coupure", "coupure_sans_ar")

    def _next_scenario(self, content: bytes) -> str:
        try:
            files = reading.unpack(content)
        except reading.Unreadable:
            files = {}
        for name, xml in files.items():
            if name.endswith("_0.xml"):
                for scenario in SCENARIOS:
                    if f"[scenario:{scenario}]".encode() in xml:
                        return scenario
        if self.remaining == 0:
            self.scenario, self.remaining = "ar", -1
        elif self.remaining > 0:
            self.remaining -= 1
        return self.scenario

    def _plan(self, message: EmailMessage, scenario: str) -> None:
        if scenario == "coupure_sans_ar":
            self.held.append(message)
            return
        delay = timedelta(hours=5) if scenario == "ar_tardif" else self.delay
        self.outbox.append(Waiting(self.clock() + delay, message))

    def _mail(self, received: reading.Received, subject: str, *files: returns.File) -> EmailMessage:
        return returns.mail(received.addresses, subject, files, self.clock())

    def _number(self) -> int:
        self.counter += 1
        return self.counter

    def _answers(self, received: reading.Received, scenario: str) -> list[EmailMessage]:
        day = returns.paris_day(self.clock())
        try:
            if scenario == "anomalie_enveloppe":
                raise reading.EnvelopeRefused("003", "Simulation : enveloppe refusée")
            if scenario == "anomalie_enveloppe_999":
                raise reading.EnvelopeRefused("999", "ODT-VERIF-17 (simulation) : transaction non reconnue")
            with self.schema_lock:
                reading.check_envelope(received, self.schema)
        except reading.EnvelopeRefused as refusal:
            self._write_down(received, "", refusal.nature)
            file = returns.anomalie_enveloppe(received, day, refusal.nature, refusal.detail)
            return [self._mail(received, "anomalie d'enveloppe", file)]
        return [message for form in received.forms for message in self._answers_to(received, form, scenario, day)]

    def _answers_to(self, received: reading.Received, form: str, scenario: str, day: str) -> list[EmailMessage]:
        root = reading.parse(received.files[form])
        kind = etree.QName(root).localname
        if kind == "DemandeClassification":
            return [self._classification(received, root)]
        if kind != "Acte":
            return self._answers_about(received, root, kind, day)
        identifier = reading.identifier(received, root)
        try:
            if scenario == "anomalie_002":
                raise reading.ActeRefused("002", "ODT-VERIF-01 (simulation) : la classification n'est pas à jour")
            reading.check_acte(
                received,
                form,
                root,
                classification=self.classification_date,
                matieres=classification.matiere_codes(),
                already=identifier in self.known_ids,
            )
        except reading.ActeRefused as refusal:
            self._write_down(received, identifier, refusal.nature)
            xml = returns.anomalie_acte(root, day, refusal.nature, refusal.detail, self.classification_date)
            return [self._message(received, f"{received.departement}-{received.siren}----1-3", xml, "anomalie")]
        self._write_down(received, identifier, "ar")
        self.known_ids.add(identifier)
        return self._receipts(received, identifier, root, scenario, day)

    def _answers_about(
        self, received: reading.Received, root: etree._Element, kind: str, day: str
    ) -> list[EmailMessage]:
        """What follows a message about an act already received: a receipt, or nothing."""
        identifier = root.get(q("IDActe"), "")
        self._write_down(received, "", kind)
        if identifier not in self.known_ids:
            return []
        if kind == "Annulation":
            xml = returns.ar_annulation(identifier, day)
            return [self._message(received, f"{identifier}-6-2", xml, "accusé d'annulation")]
        if kind in ANSWER_RECEIPTS:
            code, element = ANSWER_RECEIPTS[kind]
            xml = returns.ar_reponse(element, root, day)
            return [self._message(received, f"{identifier}-{code}", xml, "accusé de réponse")]
        return []

    def _letter(self, scenario: str, identifier: str, day: str) -> tuple[str, bytes, returns.File]:
        """Code, XML and file of the letter that a scenario sends."""
        codes = dict(zip(LETTER_SCENARIOS, ("2-1", "3-1", "4-1", "5-1"), strict=True))
        code = codes[scenario]
        document = returns.File(f"{identifier}-{code}_1.pdf", b"%PDF-1.4\n% simulation\n%%EOF\n")
        match code:
            case "3-1":
                text = "Simulation : transmettre le rapport de présentation."
                xml = returns.question(
                    "DemandePieceComplementaire", "DescriptionPieces", identifier, day, text, document.name
                )
            case "4-1":
                text = "Simulation : la base légale n'est pas visée."
                xml = returns.question("LettreObservations", "Motif", identifier, day, text, document.name)
            case "5-1":
                xml = returns.defere(identifier, day, "Simulation : incompétence de l'auteur.", document.name)
            case _:
                xml = returns.courrier_simple(identifier, day, document.name)
        return code, xml, document

    def _receipts(
        self, received: reading.Received, identifier: str, acte: etree._Element, scenario: str, day: str
    ) -> list[EmailMessage]:
        if scenario == "silence":
            return []
        named, siren = identifier, ""
        if scenario == "acte_inconnu":
            named = "-".join([*identifier.split("-")[:3], "INCONNU1", identifier.split("-")[4]])
            acte.set(q("NumeroInterne"), "INCONNU1")
        if scenario == "autre_siren":
            named, siren = identifier.replace(received.siren, "213499999"), "213499999"
        xml = returns.ar_acte(
            named,
            acte,
            day,
            self.classification_date,
            false_encoding=scenario == "utf8_declare_latin1",
            old_schema=scenario == "schema_2004",
        )
        # A mail for another authority still arrives under the name of ours: only the inside tells.
        messages = [self._message(received, f"{identifier}-1-2", xml, "accusé de réception", siren=siren)]
        if scenario == "ar_double":
            messages.append(self._message(received, f"{identifier}-1-2", xml, "accusé de réception"))
        if scenario == "sans_xml":
            messages.insert(0, self._mail(received, "pièces volumineuses attendues"))
        if scenario in LETTER_SCENARIOS:
            code, letter, document = self._letter(scenario, identifier, day)
            messages.append(self._message(received, f"{identifier}-{code}", letter, SCENARIOS[scenario], document))
        return messages

    def _message(
        self,
        received: reading.Received,
        prefix: str,
        xml: bytes,
        subject: str,
        *others: returns.File,
        siren: str = "",
    ) -> EmailMessage:
        number = self._number()
        form = returns.File(f"{prefix}_{number}.xml", xml)
        envelope = returns.envelope(received, number, self.clock(), [form.name], siren)
        return self._mail(received, subject, envelope, form, *others)

    def _classification(self, received: reading.Received, root: etree._Element) -> EmailMessage:
        theirs = root.findtext(q("DateClassification")) or ""
        self._write_down(received, "", "7-1")
        prefix = f"{received.departement}-{received.siren}---"
        if theirs >= self.classification_date:
            xml = returns.classification_inchangee(self.classification_date)
            return self._message(received, f"{prefix}-7-3", xml, "classification")
        xml = returns.retour_classification(self.classification_date)
        return self._message(received, f"{prefix}-7-2", xml, "classification")

    def _write_down(self, received: reading.Received, identifier: str, outcome: str) -> None:
        line = {
            "at": self.clock().isoformat(),
            "archive": received.archive,
            "siren": received.siren,
            "id_acte": identifier,
            "outcome": outcome,
        }
        self.register.append(line)
        with self.register_file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    # --- answering by mail ---
    def _flush(self) -> None:
        with self.lock:
            now = self.clock()
            ready = [waiting for waiting in self.outbox if waiting.due <= now]
            self.outbox = [waiting for waiting in self.outbox if waiting.due > now]
        if not ready:
            return
        try:
            with smtplib.SMTP(*self.smtp, timeout=10) as post:
                while ready:
                    post.send_message(ready[0].message)
                    ready.pop(0)
                    self.sent += 1
        except OSError:
            with self.lock:
                self.outbox = ready + self.outbox

    def run_post(self) -> None:
        while not self.stopping.is_set():
            self.wake.wait(0.1)
            self.wake.clear()
            self._flush()

    # --- control ---
    def control(self, order: dict[str, Any]) -> dict[str, Any]:
        """Apply an order: scenario and count, delay_seconds (of the mails), hold_seconds (of the HTTP
        answer), classification_date, release (of the held receipts)."""
        with self.lock:
            if "scenario" in order:
                if order["scenario"] not in SCENARIOS:
                    raise ValueError(order["scenario"])
                self.scenario, self.remaining = order["scenario"], int(order.get("count", -1))
            if "delay_seconds" in order:
                self.delay = timedelta(seconds=float(order["delay_seconds"]))
            if "classification_date" in order:
                self.classification_date = str(datetime.fromisoformat(order["classification_date"]).date())
            if order.get("release"):
                self.outbox += [Waiting(self.clock(), message) for message in self.held]
                self.held = []
            if "hold_seconds" in order:
                self.hold = float(order["hold_seconds"])
        self.wake.set()
        return self.state()

    def state(self) -> dict[str, Any]:
        """What the platform has seen: number of POSTs, register, mails sent, waiting and held."""
        with self.lock:
            return {
                "scenario": self.scenario,
                "remaining": self.remaining,
                "classification_date": self.classification_date,
                "posts": self.posts,
                "received": list(self.register),
                "mails_sent": self.sent,
                "mails_waiting": len(self.outbox),
                "mails_held": len(self.held),
            }


def uploaded_archive(headers: Any, body: bytes) -> tuple[str, bytes]:
    """Name and content of the one file of a multipart form. Raises ValueError."""
    head = f"Content-Type: {headers.get('Content-Type', '')}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + body)
    files = [part for part in form.iter_parts() if part.get_filename()] if form.is_multipart() else []
    if len(files) != 1:
        raise ValueError("one file is expected")
    content = files[0].get_payload(decode=True)
    return str(files[0].get_filename()), content if isinstance(content, bytes) else b""


def _door(ministry: Ministry) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            if length > reading.MAX_ARCHIVE + 100_000:
                return self.answer(413, "archive trop volumineuse")
            try:
                archive, content = uploaded_archive(self.headers, self.rfile.read(length))
            except ValueError as error:
                return self.answer(400, str(error))
            status, text, lost = ministry.receive(archive, content)
            if lost:
                self.close_connection = True
                self.connection.close()
                return None
            return self.answer(status, text)

        def answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Door


def _desk(ministry: Ministry) -> type[BaseHTTPRequestHandler]:
    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/__state":
                return self.answer(200, "application/json", json.dumps(ministry.state()).encode())
            rows = "".join(
                f"<tr><td>{escape(r['at'][:19])}</td><td>{escape(r['archive'])}</td><td>{escape(r['id_acte'])}</td>"
                f"<td>{escape(r['outcome'])}</td></tr>"
                for r in reversed(ministry.state()["received"])
            )
            options = "".join(f"<li><code>{name}</code> : {escape(text)}</li>" for name, text in SCENARIOS.items())
            html = (
                '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Ministère simulé</title>'
                "</head><body>"
                "<main><h1>Ministère simulé (@CTES)</h1><p>Bac à sable : rien ici n'a de valeur légale.</p>"
                "<p>Scénario en cours : "
                f"<strong>{escape(ministry.scenario)}</strong></p><ul>{options}</ul><table><tr>"
                f"<th>Le</th><th>Archive</th><th>Acte</th><th>Issue</th></tr>{rows}</table></main></body></html>"
            )
            return self.answer(200, "text/html; charset=utf-8", html.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/__scenario":
                return self.answer(404, "text/plain", b"")
            try:
                state = ministry.control(json.loads(body))
            except (ValueError, TypeError) as error:
                return self.answer(400, "text/plain; charset=utf-8", str(error).encode())
            return self.answer(200, "application/json", json.dumps(state).encode())

        def answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Desk


class RunningMinistry:
    """Handles of the running platform: ``url`` (HTTPS), ``control_url`` (HTTP), ``platform``, ``stop()``."""

    def __init__(self, platform: Ministry, door: ThreadingHTTPServer, desk: ThreadingHTTPServer) -> None:
        self.platform, self._door, self._desk = platform, door, desk
        targets: list[Callable[[], None]] = [
            lambda: door.serve_forever(poll_interval=0.05),
            lambda: desk.serve_forever(poll_interval=0.05),
            platform.run_post,
        ]
        for target in targets:
            threading.Thread(target=target, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._door.server_address[1]}/actes"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self._desk.server_address[1]}"

    @property
    def urls(self) -> dict[str, str]:
        return {"ministry": self.url, "control": self.control_url}

    def stop(self) -> None:
        self.platform.stopping.set()
        for server in (self._door, self._desk):
            server.shutdown()
            server.server_close()


class _TlsServer(ThreadingHTTPServer):
    """Does the TLS handshake in the thread of each connection, so that a slow client blocks nobody."""

    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            request.settimeout(HELD_SECONDS)
            secured = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        try:
            super().finish_request(secured, client_address)
        except OSError:
            return
        finally:
            secured.close()


def start(
    state_dir: Path | str,
    clock: Clock,
    *,
    pki: TlsAuthority,
    smtp: tuple[str, int],
    port: int = 0,
    control_port: int = 0,
) -> RunningMinistry:
    """Start the platform: HTTPS with a client certificate of ``pki`` required, answers sent through
    ``smtp``."""
    platform = Ministry(Path(state_dir) / "ministry", clock, smtp)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    material = pki.issue_tls_server(["localhost", "127.0.0.1"])
    context.load_cert_chain(material.certificate, material.key)
    context.load_verify_locations(pki.ca_bundle)
    context.verify_mode = ssl.CERT_REQUIRED
    door = _TlsServer(("127.0.0.1", port), _door(platform))
    door.context = context
    desk = ThreadingHTTPServer(("127.0.0.1", control_port), _desk(platform))
    desk.daemon_threads = True
    return RunningMinistry(platform, door, desk)
