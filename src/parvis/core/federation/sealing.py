"""Encrypts what a session must keep of a login (identity token, identity awaiting a choice), so that a copy of the
table of sessions tells nothing about people."""

import base64
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _cipher(secret: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"parvis.federation.sealing").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(content: Any) -> str:
    """JSON-ready ``content``, encrypted and authenticated under the key of the installation."""
    return _cipher(settings.SECRET_KEY).encrypt(json.dumps(content).encode()).decode()


def unseal(sealed: str) -> Any:
    """What ``seal`` was given; None when it was altered or sealed under another key."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return json.loads(_cipher(secret).decrypt(sealed.encode()))
        except InvalidToken:
            continue
    return None
