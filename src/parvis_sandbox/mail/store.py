"""Mailboxes on disk: one folder per address, one sub-folder per IMAP folder, one .eml and its flags per
message."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from parvis_sandbox.clock import Clock


@dataclass
class Message:
    """One message of a folder; ``flags`` as IMAP writes them (``\\Seen``)."""

    uid: int
    path: Path
    received: datetime
    flags: set[str] = field(default_factory=set)

    def content(self) -> bytes:
        return self.path.read_bytes()

    @property
    def size(self) -> int:
        return self.path.stat().st_size


class Folder:
    """An IMAP folder: messages in the order of their UID."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.messages: list[Message] = []
        for file in sorted(path.glob("*.eml"), key=lambda p: int(p.stem)):
            marks = file.with_suffix(".flags")
            flags = set(marks.read_text().split()) if marks.exists() else set()
            received = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            self.messages.append(Message(int(file.stem), file, received, flags))
        self.next_uid = self.messages[-1].uid + 1 if self.messages else 1

    def add(self, content: bytes, received: datetime, flags: set[str] | None = None) -> Message:
        path = self.path / f"{self.next_uid}.eml"
        path.write_bytes(content)
        message = Message(self.next_uid, path, received, set(flags or ()))
        self.next_uid += 1
        self.messages.append(message)
        self.mark(message)
        return message

    def mark(self, message: Message) -> None:
        message.path.with_suffix(".flags").write_text(" ".join(sorted(message.flags)))

    def remove(self, message: Message) -> None:
        self.messages.remove(message)
        message.path.unlink()
        message.path.with_suffix(".flags").unlink(missing_ok=True)


class MailStore:
    """All the mailboxes; every method is safe from several threads when called under ``lock``."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root, self.clock, self.lock = root, clock, RLock()
        self.root.mkdir(parents=True, exist_ok=True)
        self._folders: dict[tuple[str, str], Folder] = {}

    @staticmethod
    def _safe(name: str) -> str:
        return re.sub(r"[^a-zA-Z0-9@._+\-]", "_", name).strip(".") or "_"

    def folder(self, address: str, name: str = "INBOX") -> Folder:
        """The folder, made when it does not exist yet."""
        if name.upper() == "INBOX":
            name = "INBOX"
        key = (self._safe(address.lower()), self._safe(name))
        with self.lock:
            if key not in self._folders:
                self._folders[key] = Folder(self.root / key[0] / key[1])
            return self._folders[key]

    def exists(self, address: str, name: str) -> bool:
        return (self.root / self._safe(address.lower()) / self._safe(name)).is_dir()

    def folder_names(self, address: str) -> list[str]:
        base = self.root / self._safe(address.lower())
        found = sorted(path.name for path in base.iterdir() if path.is_dir()) if base.is_dir() else []
        return sorted({"INBOX", *found}, key=lambda n: (n != "INBOX", n))

    def addresses(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def deliver(self, address: str, content: bytes) -> Message:
        """Put one message, as received, in the inbox of ``address``."""
        with self.lock:
            return self.folder(address).add(content, self.clock())
