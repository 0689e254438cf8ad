"""Second factors of an account: application codes, passkeys, recovery codes."""

from typing import Any

from allauth.mfa.models import Authenticator

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(account: Any) -> bool:
    """True when ``account`` has an application or a passkey; recovery codes alone do not count."""
    return Authenticator.objects.filter(user_id=account.pk, type__in=SECOND_FACTORS).exists()


def has_passkey(account: Any) -> bool:
    """True when ``account`` has a passkey or a security key."""
    return Authenticator.objects.filter(user_id=account.pk, type=Authenticator.Type.WEBAUTHN).exists()
