"""The mailbox where the State's returns arrive, read over IMAP; a message read is filed, never deleted."""

from collections.abc import Iterator
from typing import Protocol

from django.conf import settings
from imapclient import IMAPClient

FILED, ASIDE = "Releves", "A-examiner"
MAX_MAIL = 60 * 1024 * 1024
BATCH = 20


class Mailbox(Protocol):
    """A source of raw messages."""

    def waiting(self, limit: int) -> Iterator[tuple[str, bytes]]:
        """(identifier, raw message) of at most ``limit`` messages not filed yet, oldest first."""
        ...

    def file(self, identifier: str) -> None:
        """Put a message away once it is safely stored."""
        ...

    def set_aside(self, identifier: str) -> None:
        """Leave a message to a person: it is for nobody that the platform knows."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class ImapMailbox:
    """The operator's mailbox of ``PARVIS_ACTES_MAILBOX``; one connection, opened at once."""

    def __init__(self) -> None:
        account = settings.PARVIS_ACTES_MAILBOX
        self._client = IMAPClient(account["host"], port=account["port"], ssl=account["tls"], timeout=60)
        self._client.login(account["user"], account["password"])
        self._moves = self._client.has_capability("MOVE")
        for folder in (FILED, ASIDE):
            if not self._client.folder_exists(folder):
                self._client.create_folder(folder)
        self._client.select_folder("INBOX")

    def waiting(self, limit: int) -> Iterator[tuple[str, bytes]]:
        """See ``Mailbox.waiting``. A message over 60 Mio is set aside for a person, unread."""
        uids = sorted(self._client.search(["UNDELETED"]))[:limit]
        for start in range(0, len(uids), BATCH):
            sizes = self._client.fetch(uids[start : start + BATCH], ["RFC822.SIZE"])
            for uid, facts in sorted(sizes.items()):
                if facts[b"RFC822.SIZE"] > MAX_MAIL:
                    self._put_away(uid, ASIDE)
                    continue
                found = self._client.fetch([uid], ["BODY.PEEK[]"])
                if uid in found:  # another reader may have filed it meanwhile
                    yield str(uid), found[uid][b"BODY[]"]

    def file(self, identifier: str) -> None:
        """See ``Mailbox.file``."""
        self._put_away(int(identifier), FILED)

    def set_aside(self, identifier: str) -> None:
        """See ``Mailbox.set_aside``."""
        self._put_away(int(identifier), ASIDE)

    def _put_away(self, uid: int, folder: str) -> None:
        if self._moves:
            self._client.move([uid], folder)
            return
        self._client.copy([uid], folder)
        self._client.delete_messages([uid])
        self._client.expunge([uid])

    def close(self) -> None:
        """See ``Mailbox.close``."""
        self._client.logout()
