"""Requests to addresses that administrators of organisations wrote: never towards our own network.

The name is resolved once, every address that it gives must be a public one, and the connection goes to the address
that was checked, so that a second answer of the DNS changes nothing (OWASP, Server-Side Request Forgery
Prevention, case 2). No redirection is followed; the answer is bounded in time and size.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlencode, urlsplit

import urllib3
from django.conf import settings

from parvis.core.errors import DomainError

CONNECT_SECONDS, READ_SECONDS = 2.0, 3.0
MAX_ANSWER = 64 * 1024


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


def post_form(url: str, fields: dict[str, str]) -> int:
    """POST ``fields`` to ``url`` and return the status. Raises Unreachable for anything but 200 and 204."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    if not host or parts.username or not (secure or (parts.scheme == "http" and settings.DEMO)):
        raise Unreachable("Seule une adresse en https est appelée.", reason="scheme")
    port = parts.port or (443 if secure else 80)
    address = checked_address(host, port)
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, total=CONNECT_SECONDS + READ_SECONDS)
    if secure:
        pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
            address, port, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED", timeout=timeout,
            ca_certs=settings.PARVIS_PROVIDER_CA or None, retries=False,
        )  # fmt: skip
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout, retries=False)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Parvis"}
    try:
        answer = pool.request(
            "POST", path, body=urlencode(fields), headers=headers, redirect=False, preload_content=False
        )
        answer.read(MAX_ANSWER)
        answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(f"« {host} » ne répond pas.", reason=type(error).__name__) from error
    finally:
        pool.close()
    if answer.status not in (200, 204):
        raise Unreachable(f"« {host} » a répondu {answer.status}.", reason=f"status {answer.status}")
    return int(answer.status)
