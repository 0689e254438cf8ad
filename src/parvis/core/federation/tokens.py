"""Checks of what a provider signs: ID token (OpenID Connect Core 3.1.3.7) and userinfo in a JWT (5.3.2).

The algorithm is the one registered, whatever the header says; keys are the provider's published ones, never one
that travels with the token; encrypted answers (FranceConnect+) are opened first, then checked likewise.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from parvis.core import clock
from parvis.core.federation.configuration import EIDAS, FRANCECONNECT, TWO_FACTORS, Registration
from parvis.core.federation.errors import AnswerRefused, NotFresh

LEEWAY: Final = 60
MAX_SUBJECT: Final = 255
ENCRYPTION: Final = ("ECDH-ES", "RSA-OAEP", "RSA-OAEP-256")

Claims = dict[str, Any]
FindKey = Callable[[str], ECKey | RSAKey | None]


def opened(token: str, registered: Registration) -> str:
    """The signed token inside ``token``, decrypted where FranceConnect+ demands encryption."""
    if registered.decryption_key is None:
        return token
    header = _header(token)
    if header.get("alg") not in ENCRYPTION or header.get("enc") != "A256GCM":
        raise AnswerRefused("encryption", **{name: str(header.get(name))[:20] for name in ("alg", "enc")})
    try:
        inside = jwe.decrypt_compact(token, registered.decryption_key, algorithms=[header["alg"], "A256GCM"])
    except (JoseError, ValueError, TypeError) as error:
        raise AnswerRefused("encryption", cause=type(error).__name__) from error
    return (inside.plaintext or b"").decode("ascii", errors="replace")


def signed_claims(token: str, registered: Registration, find_key: FindKey) -> Claims:
    """Claims of a token that the provider signed with the algorithm registered. Raises AnswerRefused."""
    header = _header(token)
    if header.get("alg") != registered.algorithm:
        raise AnswerRefused("algorithm", alg=str(header.get("alg"))[:20])
    kid = header.get("kid")
    key = find_key(kid) if isinstance(kid, str) and kid else None
    if key is None:
        raise AnswerRefused("key")
    try:
        claims = json.loads(jws.deserialize_compact(token, key, algorithms=[registered.algorithm]).payload)
    except (JoseError, ValueError, TypeError) as error:
        raise AnswerRefused("signature", cause=type(error).__name__) from error
    if not isinstance(claims, dict):
        raise AnswerRefused("claims")
    return claims


def check_frame(claims: Claims, registered: Registration) -> None:
    """Issuer, audience and dates, which ID token and userinfo have in common."""
    if claims.get("iss") != registered.issuer:
        raise AnswerRefused("issuer")
    audience = claims.get("aud")
    several = isinstance(audience, list) and len(audience) != 1
    if registered.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise AnswerRefused("audience")
    if (several or "azp" in claims) and claims.get("azp") != registered.client_id:
        raise AnswerRefused("audience")
    now, issued, expires = clock.now().timestamp(), _instant(claims.get("iat")), _instant(claims.get("exp"))
    if now > expires + LEEWAY or issued > now + LEEWAY or expires < issued:
        raise AnswerRefused("dates")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise AnswerRefused("subject")


def check_id_token(claims: Claims, registered: Registration, *, nonce: str, access_token: str) -> None:
    """What makes an ID token the answer to our request. Raises AnswerRefused."""
    check_frame(claims, registered)
    if not _same(claims.get("nonce"), nonce):
        raise AnswerRefused("nonce")
    if "at_hash" in claims and not _same(claims["at_hash"], _left_half(access_token)):
        raise AnswerRefused("at_hash")
    if not acr_suffices(claims.get("acr"), registered):
        raise AnswerRefused("acr", acr=str(claims.get("acr"))[:60])


def auth_time(claims: Claims) -> float:
    """When the person logged in at the provider, in seconds since 1970; 0 when it does not say."""
    at = claims.get("auth_time")
    return at if isinstance(at, int | float) and not isinstance(at, bool) else 0


def check_fresh(at: float, registered: Registration, since: float) -> None:
    """That the person logged in at the provider after ``since``, rather than came from a session open there.

    FranceConnect asks everybody to log in and need not say when; of ProConnect, which keeps a session of half a day,
    silence proves nothing. Raises NotFresh.
    """
    if not at and registered.code == FRANCECONNECT:
        return
    if not since - LEEWAY <= at <= clock.now().timestamp() + LEEWAY:
        raise NotFresh(registered.label, at)


def acr_suffices(acr: object, registered: Registration) -> bool:
    """True when the level proved is at least the one demanded; an unknown level never suffices. What a directory calls
    its levels is judged by its approved row."""
    if registered.is_directory:
        return True
    if registered.two_factors:
        return acr in TWO_FACTORS
    if not registered.acr:
        return acr is None or isinstance(acr, str)
    return acr in EIDAS and EIDAS.index(str(acr)) >= EIDAS.index(registered.acr)


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnswerRefused("dates")
    return value


def _same(told: object, expected: str) -> bool:
    return isinstance(told, str) and hmac.compare_digest(told.encode(), expected.encode())


def _left_half(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _header(token: str) -> Claims:
    try:
        first = token.split(".", 1)[0].encode("ascii")
        header = json.loads(base64.urlsafe_b64decode(first + b"=" * (-len(first) % 4)))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise AnswerRefused("token") from error
    if not isinstance(header, dict):
        raise AnswerRefused("token")
    return header
