"""Whether a mail comes from who it says: allowed senders, and what the receiving relay verified (RFC 8601).

A ``From`` header proves nothing by itself. The relay that receives for the operator checks DKIM (RFC 6376) and
SPF (RFC 7208) and writes its findings on top of the mail in ``Authentication-Results``; whatever another host
wrote there, the sender included, counts for nothing.
"""

import re
from collections.abc import Collection
from email.message import Message as Mail
from email.utils import getaddresses

ADDRESS = re.compile(r"[^@\s<>\"(),;:]+@[a-z0-9.-]+")
PROPERTIES = re.compile(r"([a-z]+(?:\.[a-z0-9_-]+)?)\s*=\s*(\"[^\"]*\"|[^\s;]+)")


def sender_of(mail: Mail) -> str:
    """The one address of the one ``From`` header, in lower case; "" when there is not exactly one."""
    headers = [str(value) for value in mail.get_all("From", [])]
    found = [address.strip().lower() for _, address in getaddresses(headers)]
    return found[0] if len(headers) == len(found) == 1 and ADDRESS.fullmatch(found[0]) else ""


def is_allowed(sender: str, allowed: Collection[str]) -> bool:
    """True when ``allowed`` holds the address itself or its ``@domain``; subdomains are other domains."""
    return bool(sender) and not {sender, f"@{domain_of(sender)}"}.isdisjoint(entry.lower() for entry in allowed)


def domain_of(address: str) -> str:
    """What follows the @, in lower case; the whole of a bare domain."""
    return address.rpartition("@")[2].lower().rstrip(".")


def is_verified(mail: Mail, sender: str, authserv_id: str) -> bool:
    """True when the topmost results of ``authserv_id`` say ``dkim=pass`` or ``spf=pass`` for the sender's
    domain."""
    for header in mail.get_all("Authentication-Results", []):
        server, *results = _split(_without_comments(" ".join(str(header).split())))
        if server.split(" ")[0].strip('"').lower() == authserv_id.lower():
            return any(_passes(result, domain_of(sender)) for result in results)
    return False


def _passes(result: str, domain: str) -> bool:
    found = [(name, value.strip('"')) for name, value in PROPERTIES.findall(result.lower())]
    if not found:
        return False
    method, verdict = found[0]
    proofs = {"dkim": {"header.d", "header.i"}, "spf": {"smtp.mailfrom"}}.get(method, set())
    proven = [domain_of(value) for name, value in found[1:] if name in proofs]
    return verdict == "pass" and bool(proven) and all(one == domain for one in proven)


def _split(text: str) -> list[str]:
    """``text`` cut at its semicolons, those between quotes apart."""
    return [part.strip() for part in re.findall(r"(?:\"[^\"]*\"|[^;\"])+", text)] or [""]


def _without_comments(text: str) -> str:
    """``text`` without its comments in parentheses (RFC 5322 §3.2.2), which may be nested; quotes keep theirs."""
    kept, depth, quoted, escaped = [], 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif character == "(" and not quoted:
            depth += 1
        elif character == ")" and not quoted and depth:
            depth -= 1
            continue
        if not depth:
            kept.append(character)
    return "".join(kept)
