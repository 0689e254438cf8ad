"""Argon2id over the NFKC form of a password, so that the same keys typed on another keyboard give the same hash."""

import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher


def normalised(password: str) -> str:
    """``password`` in Unicode form NFKC (NIST SP 800-63B, § 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


class NormalisingArgon2Hasher(Argon2PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        return super().encode(normalised(password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        return super().verify(normalised(password), encoded)
