"""What the reverse proxy says of the caller: its address and its TLS certificate, believed from the proxy alone."""

import base64
import binascii
import hashlib
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest

MAX_HEADER = 16 * 1024


def client_address(request: HttpRequest) -> str:
    """Network address of the caller; behind the proxy, the last of X-Forwarded-For, which it alone has written."""
    address = request.META.get("REMOTE_ADDR", "")
    if not _from_proxy(address):
        return address
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or address


def client_certificate(request: HttpRequest) -> str:
    """SHA-256 of the TLS certificate that the caller proved to hold, in hexadecimal; "" for none.

    The proxy gives the certificate in ``Client-Cert`` (RFC 9440), in its base64 or, as nginx writes it, in PEM
    escaped for addresses; it sets or removes that header whatever the caller sent.
    """
    header = request.headers.get("Client-Cert", "")
    if not header or len(header) > MAX_HEADER or not _from_proxy(request.META.get("REMOTE_ADDR", "")):
        return ""
    text = unquote(header)
    if "-----BEGIN CERTIFICATE-----" in text:
        text = text.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    try:
        der = base64.b64decode("".join(text.split()).strip(":"), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return hashlib.sha256(der).hexdigest() if der else ""


def _from_proxy(address: str) -> bool:
    return settings.PARVIS_BEHIND_PROXY and address in settings.PARVIS_PROXY_ADDRESSES
