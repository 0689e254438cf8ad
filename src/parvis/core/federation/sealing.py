"""Seals what a session keeps of a login (identity token, identity awaiting a choice), so that a copy of the table of
sessions tells nothing about people."""

import json
from typing import Any

from cryptography.fernet import InvalidToken

from parvis.core.authentication.secrets import decrypt, encrypt


def seal(content: Any) -> str:
    """JSON-ready ``content``, encrypted and authenticated under the key of the installation."""
    return encrypt(json.dumps(content))


def unseal(sealed: str) -> Any:
    """What ``seal`` was given; None when it was altered or sealed under another key."""
    try:
        return json.loads(decrypt(sealed))
    except (InvalidToken, ValueError):
        return None
