"""A small IMAP4rev1 server (RFC 3501, with MOVE of RFC 6851) over the sandbox's mailboxes.

It knows what a mail reader needs to fetch, mark and file messages; it answers BAD to the rest.
"""

import re
import socketserver
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import compat32

from parvis_sandbox.mail.store import Folder, MailStore, Message

CAPABILITIES = "IMAP4rev1 MOVE UIDPLUS UNSELECT"
_LITERAL = re.compile(rb"\{(\d+)\}\r?\n$")
_TOKEN = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r?\n|([()])|([^\s()"{]+(?:\[[^\]]*\](?:<[\d.]+>)?)?))')


class BadCommand(Exception):
    """The command is not understood; the client is told BAD."""


def tokenise(line: bytes) -> list:
    """Atoms, strings and literals of a command, nested lists for parentheses."""
    stack: list[list] = [[]]
    position = 0
    line = line.rstrip(b"\r\n")
    while position < len(line):
        found = _TOKEN.match(line, position)
        if not found:
            break
        position = found.end()
        quoted, literal, bracket, atom = found.groups()
        if literal is not None:
            size = int(literal)
            stack[-1].append(line[position : position + size].decode("utf-8", "replace"))
            position += size
        elif bracket == b"(":
            stack.append([])
        elif bracket == b")":
            if len(stack) == 1:
                raise BadCommand("unbalanced parenthesis")
            inner = stack.pop()
            stack[-1].append(inner)
        elif quoted is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted).decode("utf-8", "replace"))
        else:
            stack[-1].append(atom.decode("utf-8", "replace"))
    if len(stack) != 1:
        raise BadCommand("unbalanced parenthesis")
    return stack[0]


def in_set(text: str, number: int, highest: int) -> bool:
    """True when ``number`` belongs to a sequence set such as ``1,3:5,7:*``."""
    for part in text.split(","):
        ends = [highest if end == "*" else int(end) for end in part.split(":")]
        if min(ends) <= number <= max(ends):
            return True
    return False


class Session(socketserver.StreamRequestHandler):
    """One connection. ``server.store`` holds the mailboxes."""

    server: "ImapServer"

    def setup(self) -> None:
        super().setup()
        self.store: MailStore = self.server.store
        self.address = ""
        self.folder: Folder | None = None

    # --- lines in and out ---
    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def read_command(self) -> bytes:
        line = self.rfile.readline(65536)
        while found := _LITERAL.search(line):
            self.wfile.write(b"+ go on\r\n")
            self.wfile.flush()
            line += self.rfile.read(int(found[1])) + self.rfile.readline(65536)
        return line

    def handle(self) -> None:
        self.say(f"* OK [CAPABILITY {CAPABILITIES}] sandbox mail, without value")
        while line := self.read_command():
            tag, _, rest = line.partition(b" ")
            name = tag.decode("ascii", "replace").strip()
            try:
                words = tokenise(rest)
                if not words:
                    raise BadCommand("empty command")
                verb = str(words[0]).upper()
                if verb == "LOGOUT":
                    self.say("* BYE see you")
                    self.say(f"{name} OK LOGOUT")
                    return
                with self.store.lock:
                    answer = self.run(verb, words[1:])
                self.say(f"{name} OK {answer}")
            except BadCommand as error:
                self.say(f"{name} BAD {error}")
            except FileNotFoundError:
                self.say(f"{name} NO [TRYCREATE] no such folder")
            except (IndexError, ValueError, AttributeError) as error:
                self.say(f"{name} BAD {type(error).__name__}")
            self.wfile.flush()

    def run(self, verb: str, words: list) -> str:
        by_uid = verb == "UID"
        if by_uid:
            verb, words = str(words[0]).upper(), words[1:]
        anonymous = {"CAPABILITY", "NOOP", "LOGIN", "ID"}
        if verb not in anonymous and not self.address:
            raise BadCommand("log in first")
        command: Callable | None = getattr(self, f"do_{verb.lower()}", None)
        if command is None:
            raise BadCommand(f"{verb} is not known here")
        if verb in {"SEARCH", "FETCH", "STORE", "COPY", "MOVE", "EXPUNGE"}:
            return command(words, by_uid) or verb
        return command(words) or verb

    # --- commands without a selected folder ---
    def do_capability(self, words: list) -> None:
        self.say(f"* CAPABILITY {CAPABILITIES}")

    def do_id(self, words: list) -> None:
        self.say("* ID NIL")

    def do_noop(self, words: list) -> None:
        if self.folder:
            self.say(f"* {len(self.folder.messages)} EXISTS")

    do_check = do_noop

    def do_login(self, words: list) -> None:
        self.address = words[0]

    def do_list(self, words: list) -> None:
        if words[1] == "":
            self.say('* LIST (\\Noselect) "/" ""')
            return
        pattern = re.compile(re.escape(words[0] + words[1]).replace(r"\*", ".*").replace("%", "[^/]*"))
        for name in self.store.folder_names(self.address):
            if pattern.fullmatch(name):
                self.say(f'* LIST () "/" "{name}"')

    do_lsub = do_list

    def do_create(self, words: list) -> None:
        self.store.folder(self.address, words[0])

    def do_subscribe(self, words: list) -> None:
        return

    def do_status(self, words: list) -> None:
        messages = self.existing(words[0]).messages
        known = {
            "MESSAGES": len(messages),
            "UNSEEN": sum("\\Seen" not in m.flags for m in messages),
            "UIDNEXT": self.existing(words[0]).next_uid,
            "UIDVALIDITY": 1,
            "RECENT": 0,
        }
        asked = " ".join(f"{item.upper()} {known[item.upper()]}" for item in words[1])
        self.say(f'* STATUS "{words[0]}" ({asked})')

    def existing(self, name: str) -> Folder:
        if name.upper() != "INBOX" and not self.store.exists(self.address, name):
            raise FileNotFoundError(name)
        return self.store.folder(self.address, name)

    def do_select(self, words: list) -> str:
        self.folder = self.existing(words[0])
        self.say("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
        self.say("* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] flags")
        self.say(f"* {len(self.folder.messages)} EXISTS")
        self.say("* 0 RECENT")
        self.say("* OK [UIDVALIDITY 1] stable")
        self.say(f"* OK [UIDNEXT {self.folder.next_uid}] next")
        return "[READ-WRITE] SELECT"

    do_examine = do_select

    def do_unselect(self, words: list) -> None:
        self.folder = None

    def do_close(self, words: list) -> None:
        for message in [m for m in self.selected.messages if "\\Deleted" in m.flags]:
            self.selected.remove(message)
        self.folder = None

    # --- commands on the selected folder ---
    @property
    def selected(self) -> Folder:
        if self.folder is None:
            raise BadCommand("select a folder first")
        return self.folder

    def chosen(self, text: str, by_uid: bool) -> Iterator[tuple[int, Message]]:
        messages = self.selected.messages
        highest = (messages[-1].uid if by_uid else len(messages)) if messages else 0
        for number, message in enumerate(list(messages), start=1):
            if in_set(text, message.uid if by_uid else number, highest):
                yield number, message

    def do_search(self, words: list, by_uid: bool) -> None:
        if words and str(words[0]).upper() == "CHARSET":
            words = words[2:]
        messages = self.selected.messages
        highest = messages[-1].uid if messages else 0
        kept = [
            str(message.uid if by_uid else number)
            for number, message in enumerate(messages, start=1)
            if self.matches(list(words), message, number, highest)
        ]
        self.say(" ".join(["* SEARCH", *kept]))

    def matches(self, words: list, message: Message, number: int, highest: int) -> bool:
        result = True
        while words:
            result &= self.criterion(words, message, number, highest)
        return result

    def criterion(self, words: list, message: Message, number: int, highest: int) -> bool:
        word = words.pop(0)
        if isinstance(word, list):
            return self.matches(list(word), message, number, highest)
        key = word.upper()
        flags = {"SEEN": "\\Seen", "DELETED": "\\Deleted", "FLAGGED": "\\Flagged", "ANSWERED": "\\Answered"}
        if key == "ALL":
            return True
        if key in ("NEW", "RECENT"):
            return "\\Seen" not in message.flags
        if key in flags:
            return flags[key] in message.flags
        if key.startswith("UN") and key[2:] in flags:
            return flags[key[2:]] not in message.flags
        if key == "NOT":
            return not self.criterion(words, message, number, highest)
        if key == "UID":
            return in_set(words.pop(0), message.uid, highest)
        if key in ("SUBJECT", "FROM", "TO", "HEADER"):
            header = words.pop(0) if key == "HEADER" else key
            value = message_from_bytes(message.content(), policy=compat32).get(header, "")
            return str(words.pop(0)).lower() in str(value).lower()
        if re.fullmatch(r"[\d:,*]+", word):
            return in_set(word, number, len(self.selected.messages))
        raise BadCommand(f"search key {key} is not known here")

    def do_fetch(self, words: list, by_uid: bool) -> None:
        items = words[1] if isinstance(words[1], list) else [words[1]]
        for number, message in self.chosen(words[0], by_uid):
            parts: list[bytes] = [b"UID %d" % message.uid] if by_uid else []
            for item, argument in _items(items):
                part = self.fetch_item(message, item, argument)
                if part and part not in parts:
                    parts.append(part)
            self.wfile.write(b"* %d FETCH (%s)\r\n" % (number, b" ".join(parts)))

    def fetch_item(self, message: Message, item: str, fields: list[str]) -> bytes:
        name = item.upper()
        if name == "UID":
            return b"UID %d" % message.uid
        if name == "FLAGS":
            return b"FLAGS (%s)" % " ".join(sorted(message.flags)).encode()
        if name == "RFC822.SIZE":
            return b"RFC822.SIZE %d" % message.size
        if name == "INTERNALDATE":
            return b'INTERNALDATE "%s"' % message.received.strftime("%d-%b-%Y %H:%M:%S +0000").encode()
        content = message.content()
        header = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        if name in ("RFC822", "BODY[]", "BODY.PEEK[]"):
            body = content
        elif name in ("RFC822.HEADER", "BODY[HEADER]", "BODY.PEEK[HEADER]"):
            body = header
        elif "[HEADER.FIELDS" in name:
            parsed = message_from_bytes(header, policy=compat32)
            lines = [f"{f}: {parsed[f]}\r\n" for f in fields if f in parsed]
            body = "".join(lines).encode() + b"\r\n"
            return b"BODY[HEADER.FIELDS (%s)] {%d}\r\n%s" % (" ".join(fields).encode(), len(body), body)
        else:
            raise BadCommand(f"fetch item {item} is not known here")
        if "PEEK" not in name and name != "RFC822.HEADER":
            message.flags.add("\\Seen")
            self.selected.mark(message)
        return b"%s {%d}\r\n%s" % (name.replace(".PEEK", "").encode(), len(body), body)

    def do_store(self, words: list, by_uid: bool) -> None:
        action = words[1].upper()
        flags = set(words[2] if isinstance(words[2], list) else words[2:])
        for number, message in self.chosen(words[0], by_uid):
            if action.startswith("+"):
                message.flags |= flags
            elif action.startswith("-"):
                message.flags -= flags
            else:
                message.flags = set(flags)
            self.selected.mark(message)
            if not action.endswith(".SILENT"):
                uid = f"UID {message.uid} " if by_uid else ""
                self.say(f"* {number} FETCH ({uid}FLAGS ({' '.join(sorted(message.flags))}))")

    def do_copy(self, words: list, by_uid: bool) -> None:
        target = self.existing(words[1])
        for _, message in self.chosen(words[0], by_uid):
            target.add(message.content(), message.received, message.flags)

    def do_move(self, words: list, by_uid: bool) -> None:
        target = self.existing(words[1])
        for _, message in list(self.chosen(words[0], by_uid)):
            target.add(message.content(), message.received, message.flags)
            self.expunge(message)

    def do_expunge(self, words: list, by_uid: bool) -> None:
        chosen = words[0] if by_uid else "1:*"
        for _, message in list(self.chosen(chosen, by_uid)):
            if "\\Deleted" in message.flags:
                self.expunge(message)

    def expunge(self, message: Message) -> None:
        self.say(f"* {self.selected.messages.index(message) + 1} EXPUNGE")
        self.selected.remove(message)


def _items(items: list) -> Iterator[tuple[str, list[str]]]:
    """Fetch items with the header names that may follow ``BODY[HEADER.FIELDS``."""
    text = " ".join(f"({' '.join(i)})" if isinstance(i, list) else str(i) for i in items)
    for found in re.finditer(r"[A-Za-z0-9.]+(?:\[([^\]]*)\])?", text):
        fields = re.search(r"\(([^)]*)\)", found[1] or "")
        yield found[0], fields[1].split() if fields else []


class ImapServer(socketserver.ThreadingTCPServer):
    """Listens on loopback; ``server_address[1]`` is the port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, store: MailStore, port: int = 0) -> None:
        self.store = store
        super().__init__(("127.0.0.1", port), Session)
