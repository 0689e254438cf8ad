"""The TLS certificate of the caller as the reverse proxy tells it, believed from the proxy alone."""

import base64
import binascii
import hashlib
from urllib.parse import unquote

from django.http import HttpRequest

from parvis.core.web.proxy import comes_from_proxy

MAX_HEADER = 16 * 1024


def client_certificate(request: HttpRequest) -> str:
    """SHA-256 of the TLS certificate that the caller proved to hold, in hexadecimal; "" for none.

    The proxy gives the certificate in ``Client-Cert`` (RFC 9440), in its base64 or, as nginx writes it, in PEM
    escaped for addresses; it sets or removes that header whatever the caller sent.
    """
    header = request.headers.get("Client-Cert", "")
    if not header or len(header) > MAX_HEADER or not comes_from_proxy(request):
        return ""
    text = unquote(header)
    if "-----BEGIN CERTIFICATE-----" in text:
        text = text.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    try:
        der = base64.b64decode("".join(text.split()).strip(":"), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return hashlib.sha256(der).hexdigest() if der else ""
