"""Keys and tokens of a simulated provider, with the lies that a client must see through."""

import base64
import hashlib
import hmac
import json
from typing import Any

from joserfc import jwe, jws
from joserfc.jwk import ECKey, KeySet, RSAKey

Claims = dict[str, Any]


def left_half(token: str) -> str:
    """``at_hash`` of OpenID Connect Core 3.1.3.6 for algorithms on SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


class KeyRing:
    """Signing keys of a provider: the current one of each kind signs, all are published until ``rotate``."""

    def __init__(self) -> None:
        self.served = 0
        self.rotate()

    def rotate(self) -> None:
        """New keys; the former ones are no longer published."""
        self.keys: dict[str, ECKey | RSAKey] = {
            "ES256": ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True),
            "RS256": RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True),
        }

    def jwks(self) -> dict[str, Any]:
        self.served += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys.values()]}

    def sign(self, claims: Claims, alg: str, *, lie: str = "") -> str:
        """Compact JWS of ``claims``. ``lie``: alg_none, hs256, unknown_kid, foreign_key, embedded_key or ""."""
        key = self.keys[alg]
        header: dict[str, Any] = {"alg": alg, "kid": key.kid, "typ": "JWT"}
        payload = json.dumps(claims).encode()
        if lie == "alg_none":
            return ".".join((_b64(json.dumps({"alg": "none", "kid": key.kid}).encode()), _b64(payload), ""))
        if lie == "hs256":
            # By hand: the library refuses, rightly, to take a public key for a shared secret.
            signed = ".".join((_b64(json.dumps({"alg": "HS256", "kid": key.kid}).encode()), _b64(payload)))
            mac = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
            return f"{signed}.{_b64(mac)}"
        if lie:
            key = ECKey.generate_key("P-256") if alg == "ES256" else RSAKey.generate_key(2048)
            if lie == "unknown_kid":
                header["kid"] = "une-cle-que-personne-ne-publie"
            elif lie == "embedded_key":
                header["jwk"] = key.as_dict(private=False)
        return jws.serialize_compact(header, payload, key, algorithms=[alg])

    def verify(self, token: str) -> Claims | None:
        """Claims of a token that this provider signed, whatever their age; None for anything else."""
        try:
            read = jws.deserialize_compact(token, KeySet(list(self.keys.values())), algorithms=list(self.keys))
            return json.loads(read.payload)
        except Exception:
            return None


def nest(token: str, jwks: dict[str, Any], alg: str) -> str:
    """Compact JWE (A256GCM) of a signed token for the client's encryption key (RFC 7519, §A.2)."""
    keys = [k for k in jwks["keys"] if k.get("use") == "enc" and k.get("kty") == ("EC" if alg == "ECDH-ES" else "RSA")]
    key = KeySet.import_key_set({"keys": keys}).keys[0]
    header = {"alg": alg, "enc": "A256GCM", "cty": "JWT", "kid": key.kid}
    return jwe.encrypt_compact(header, token.encode(), key, algorithms=[alg, "A256GCM"])


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
