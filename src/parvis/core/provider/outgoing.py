"""Requests to addresses that administrators of organisations wrote: never towards our own network.

The name is resolved once, every address that it gives must be a public one, and the connection goes to the address
that was checked, so that a second answer of the DNS changes nothing (OWASP, Server-Side Request Forgery
Prevention, case 2). No redirection is followed, no more read than is wanted, and the whole call ends in time.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from parvis.core.errors import DomainError

CONNECT_SECONDS, TOTAL_SECONDS = 2.0, 5.0


class Unreachable(DomainError):
    """The address may not be called, did not answer, or answered otherwise than by success."""


def _public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return (found.is_global and not found.is_multicast) or (settings.DEMO and found.is_loopback)


def checked_address(host: str, port: int) -> str:
    """The network address to call for ``host``. Raises Unreachable when any of its addresses is not public."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"Le nom « {host} » est introuvable.", reason="dns") from error
    addresses = [str(answer[4][0]) for answer in answers]
    if not addresses or (
        not all(_public(a) for a in addresses) and host not in settings.PARVIS_PROVIDER_INTERNAL_HOSTS
    ):
        raise Unreachable(f"L’adresse de « {host} » n’est pas publique : elle n’est pas appelée.", reason="private")
    return addresses[0]


def post_form(url: str, fields: dict[str, str]) -> None:
    """POST ``fields`` to ``url``. Raises Unreachable for anything but 200 and 204."""
    _call("POST", url, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})


def get_json(url: str, limit: int) -> dict[str, Any]:
    """The JSON object at ``url``, of ``limit`` octets at most. Raises Unreachable."""
    host = urlsplit(url).hostname
    try:
        told = json.loads(_call("GET", url, None, {"Accept": "application/json"}, limit=limit))
    except (ValueError, RecursionError) as error:
        raise Unreachable(f"« {host} » n’a pas répondu en JSON.", reason="json") from error
    if not isinstance(told, dict):
        raise Unreachable(f"« {host} » n’a pas répondu en JSON.", reason="json")
    return told


def _call(method: str, url: str, body: str | None, headers: dict[str, str], *, limit: int = 0) -> bytes:
    """The answer, which must be a success of ``limit`` octets at most."""
    host = urlsplit(url).hostname
    status, _, content = exchange(method, url, body, headers, limit=limit)
    if status not in (200, 204):
        raise Unreachable(f"« {host} » a répondu {status}.", reason=f"status {status}")
    if len(content) > limit:
        raise Unreachable(f"La réponse de « {host} » est trop longue.", reason="length")
    return content


def exchange(
    method: str, url: str, body: str | None, headers: dict[str, str], *, limit: int, seconds: float = 0
) -> tuple[int, str, bytes]:
    """(status, media type, first octets: one more than ``limit`` where it is passed) of one request.

    Raises Unreachable when the address may not be called, or does not answer in ``seconds`` (``TOTAL_SECONDS`` if 0).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    if not host or parts.username or not (secure or (parts.scheme == "http" and settings.DEMO)):
        raise Unreachable("Seule une adresse en https est appelée.", reason="scheme")
    port = parts.port or (443 if secure else 80)
    address = checked_address(host, port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "User-Agent": "Parvis", **headers}
    try:
        with (
            socket.create_connection((address, port), timeout=CONNECT_SECONDS) as line,
            _ends_in_time(line, seconds or TOTAL_SECONDS),
        ):
            connection = http.client.HTTPConnection(host, port)
            connection.sock = _secured(line, host) if secure else line
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            status, content = answer.status, answer.read(limit + 1) if limit else b""
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"« {host} » ne répond pas.", reason=type(error).__name__) from error
    return status, media_type, content


def _secured(line: socket.socket, host: str) -> socket.socket:
    context = ssl.create_default_context(cafile=settings.PARVIS_PROVIDER_CA or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(line, server_hostname=host)


@contextmanager
def _ends_in_time(line: socket.socket, seconds: float) -> Iterator[None]:
    """Hang up after ``seconds``, whatever comes: a timeout of the socket starts again at each byte."""
    line.settimeout(seconds)
    until = time.monotonic() + seconds
    with line.dup() as twin:  # TLS takes the first handle over; to hang up on one is to hang up on both
        timer = threading.Timer(seconds, _hang_up, (twin,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
    if time.monotonic() >= until:
        raise TimeoutError


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
