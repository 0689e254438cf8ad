"""Starts the mail sandbox: SMTP sink, IMAP server and web page over the same mailboxes."""

import socket
import threading
from email.utils import parseaddr
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from parvis_sandbox.clock import Clock
from parvis_sandbox.mail import web
from parvis_sandbox.mail.imap import ImapServer
from parvis_sandbox.mail.store import MailStore

MAX_MESSAGE = 200 * 1024 * 1024


class _Sink:
    """Keeps each message for each of its recipients, with the trace line that a relay adds."""

    def __init__(self, store: MailStore) -> None:
        self.store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        stamp = self.store.clock().strftime("%a, %d %b %Y %H:%M:%S +0000")
        for recipient in envelope.rcpt_tos:
            trace = f"Delivered-To: {recipient}\r\nReceived: by bac-a-sable.test; {stamp}\r\n".encode()
            self.store.deliver(parseaddr(recipient)[1] or recipient, trace + content)
        return "250 kept"


class Post:
    """The running mail server; ``messages(address)`` reads a mailbox without a protocol."""

    def __init__(self, store: MailStore, smtp_port: int, imap_port: int, http_port: int) -> None:
        self.store = store
        self._smtp = Controller(
            _Sink(store), hostname="127.0.0.1", port=smtp_port or _free_port(), data_size_limit=MAX_MESSAGE
        )
        self._smtp.start()
        self._imap = ImapServer(store, imap_port)
        self._http = web.serve(store, http_port)
        for server in (self._imap, self._http):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def smtp_port(self) -> int:
        return int(self._smtp.port)

    @property
    def imap_port(self) -> int:
        return int(self._imap.server_address[1])

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def urls(self) -> dict[str, str]:
        return {
            "smtp": f"smtp://127.0.0.1:{self.smtp_port}",
            "imap": f"imap://127.0.0.1:{self.imap_port}",
            "inbox": self.http_url,
        }

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Raw messages of a mailbox, oldest first."""
        with self.store.lock:
            return [message.content() for message in self.store.folder(address, folder).messages]

    def stop(self) -> None:
        self._smtp.stop()
        for server in (self._imap, self._http):
            server.shutdown()
            server.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(state_dir: Path | str, clock: Clock, *, smtp_port: int = 0, imap_port: int = 0, http_port: int = 0) -> Post:
    """Start the mail server with its mailboxes in ``state_dir``/mail; port 0 takes a free one."""
    return Post(MailStore(Path(state_dir) / "mail", clock), smtp_port, imap_port, http_port)
