"""Seals the secrets of second factors before they reach the database (Fernet: AES-128-CBC and HMAC-SHA-256).

The key is derived from the installation's secret key, so that a copy of the database alone makes no code.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MARK = "gAAAA"
"""How every Fernet token begins; a secret stored before sealing has only capitals and digits (base 32)."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    def one(key: str) -> Fernet:
        derived = HKDF(SHA256(), 32, None, b"parvis.authentication.factors").derive(key.encode())
        return Fernet(base64.urlsafe_b64encode(derived))

    return MultiFernet([one(key) for key in keys])


def _opened() -> MultiFernet:
    return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def encrypt(text: str) -> str:
    """Seal ``text`` under the present key."""
    return _opened().encrypt(text.encode()).decode()


def decrypt(sealed: str) -> str:
    """Open what ``encrypt`` sealed, under the present key or a former one. Raises ``InvalidToken`` for another's."""
    return _opened().decrypt(sealed.encode()).decode() if sealed.startswith(MARK) else sealed
