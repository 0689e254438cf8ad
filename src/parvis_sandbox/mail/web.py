"""The web page of the sandbox's mailboxes, to look at what was sent; and the same as JSON for programs."""

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

from parvis_sandbox.mail.store import MailStore, Message


def parsed(message: Message) -> EmailMessage:
    return message_from_bytes(message.content(), policy=default)  # type: ignore[return-value,arg-type]


def summary(address: str, message: Message) -> dict[str, object]:
    mail = parsed(message)
    return {
        "address": address,
        "uid": message.uid,
        "folder": message.path.parent.name,
        "from": str(mail["From"] or ""),
        "subject": str(mail["Subject"] or ""),
        "received": message.received.isoformat(),
        "attachments": [part.get_filename() or "" for part in mail.iter_attachments()],
    }


def key(address: str, folder: str, uid: str) -> str:
    """Query that names one message, ready for an attribute."""
    return f"adresse={quote(address)}&amp;dossier={quote(folder)}&amp;uid={quote(uid)}"


def page(title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><main><h1>{escape(title)}</h1><p>Courrier simulé, sans valeur.</p>{body}</main></body></html>"
    ).encode()


def handler_for(store: MailStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            views = {"/": self.home, "/boite": self.box, "/message": self.message, "/piece": self.piece,
                     "/brut": self.raw, "/messages.json": self.as_json}  # fmt: skip
            try:
                with store.lock:
                    views[parts.path](asked)
            except (KeyError, StopIteration, ValueError, IndexError):
                self.answer(404, "text/html; charset=utf-8", page("Introuvable", ""))

        def answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", "default-src 'none'")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def home(self, asked: dict[str, str]) -> None:
            rows = "".join(
                f'<li><a href="/boite?adresse={quote(address)}">{escape(address)}</a> '
                f"({sum(len(store.folder(address, f).messages) for f in store.folder_names(address))})</li>"
                for address in store.addresses()
            )
            self.answer(200, "text/html; charset=utf-8", page("Boîtes aux lettres", f"<ul>{rows}</ul>"))

        def found(self, asked: dict[str, str]) -> Message:
            folder = store.folder(asked["adresse"], asked.get("dossier", "INBOX"))
            return next(m for m in folder.messages if m.uid == int(asked["uid"]))

        def all_in(self, address: str) -> list[dict[str, object]]:
            if address.lower() not in store.addresses():
                return []
            rows = [
                summary(address, message)
                for name in store.folder_names(address)
                for message in store.folder(address, name).messages
            ]
            return sorted(rows, key=lambda row: str(row["received"]), reverse=True)

        def box(self, asked: dict[str, str]) -> None:
            address = asked["adresse"]
            rows = "".join(
                f"<tr><td>{escape(str(m['received'])[:16])}</td><td>{escape(str(m['from']))}</td>"
                f'<td><a href="/message?{key(address, str(m["folder"]), str(m["uid"]))}">'
                f"{escape(str(m['subject']) or 'sans objet')}</a></td>"
                f"<td>{escape(str(m['folder']))}</td></tr>"
                for m in self.all_in(address)
            )
            table = f"<table><tr><th>Reçu</th><th>De</th><th>Objet</th><th>Dossier</th></tr>{rows}</table>"
            self.answer(200, "text/html; charset=utf-8", page(address, table))

        def message(self, asked: dict[str, str]) -> None:
            mail = parsed(self.found(asked))
            link = key(asked["adresse"], asked.get("dossier", "INBOX"), asked["uid"])
            body = mail.get_body(("plain", "html"))
            text = body.get_content() if body else ""
            pieces = "".join(
                f'<li><a href="/piece?{link}&amp;n={n}">{escape(part.get_filename() or "pièce")}</a></li>'
                for n, part in enumerate(mail.iter_attachments())
            )
            headers = "".join(
                f"<dt>{name}</dt><dd>{escape(str(mail[name] or ''))}</dd>" for name in ("From", "To", "Date")
            )
            raw = f'<p><a href="/brut?{link}">Message brut</a></p>'
            html = f"<dl>{headers}</dl><pre>{escape(text)}</pre><ul>{pieces}</ul>{raw}"
            self.answer(200, "text/html; charset=utf-8", page(str(mail["Subject"] or "sans objet"), html))

        def piece(self, asked: dict[str, str]) -> None:
            part = list(parsed(self.found(asked)).iter_attachments())[int(asked["n"])]
            content = part.get_payload(decode=True)
            self.answer(200, part.get_content_type(), content if isinstance(content, bytes) else b"")

        def raw(self, asked: dict[str, str]) -> None:
            self.answer(200, "message/rfc822", self.found(asked).content())

        def as_json(self, asked: dict[str, str]) -> None:
            addresses = [asked["adresse"]] if "adresse" in asked else store.addresses()
            rows = [row for address in addresses for row in self.all_in(address)]
            self.answer(200, "application/json", json.dumps(rows, ensure_ascii=False).encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


def serve(store: MailStore, port: int = 0) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler_for(store))
    server.daemon_threads = True
    return server
