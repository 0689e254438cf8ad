"""One simulated provider without its HTTP: who asks, who answers, which tokens are alive.

Behaves as the partner documentation of FranceConnect v2 and ProConnect says: codes live 30 seconds and serve
once, access tokens 60 seconds, subjects differ from one client to the next, errors that the client cannot
receive are shown on the provider's own page under a code Y….
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from parvis_sandbox.clock import Clock
from parvis_sandbox.identity.people import Person
from parvis_sandbox.identity.tokens import Claims, KeyRing, left_half, nest

CODE_LIFE, TOKEN_LIFE, INTERACTION_LIFE = timedelta(seconds=30), timedelta(seconds=60), timedelta(minutes=30)

EIDAS = ("eidas1", "eidas2", "eidas3")
SELF = "https://proconnect.gouv.fr/assurance/self-asserted"
TWO_FACTORS = f"{SELF}-2fa"
PROCONNECT_ACRS = (
    *EIDAS, SELF, TWO_FACTORS,
    "https://proconnect.gouv.fr/assurance/consistency-checked",
    "https://proconnect.gouv.fr/assurance/consistency-checked-2fa",
    "https://proconnect.gouv.fr/assurance/certification-dirigeant",
)  # fmt: skip
SCOPES: dict[str, dict[str, tuple[str, ...]]] = {
    "franceconnect": {
        "profile": ("given_name", "given_name_array", "family_name", "birthdate", "gender", "preferred_username"),
        "birth": ("birthplace", "birthcountry"),
        "identite_pivot": (
            "given_name", "given_name_array", "family_name", "birthdate", "gender", "birthplace", "birthcountry"
        ),
        "email": ("email",),
        "rep_scope": ("rep_scope",),
        **{name: (name,) for name in ("given_name", "family_name", "birthdate", "gender", "birthplace",
                                      "birthcountry", "preferred_username", "idp_id", "idp_birthdate")},
    },
    "annuaire": {"profile": ("given_name", "family_name", "oid"), "email": ("email",)},
    "proconnect": {
        "phone": ("phone_number",),
        **{name: (name,) for name in ("given_name", "usual_name", "email", "uid", "siret", "siren", "idp_id",
                                      "organizational_unit", "belonging_population", "chorusdt", "custom")},
    },
}  # fmt: skip
AUTHORIZE: dict[str, set[str]] = {
    "franceconnect": {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values"},
    "proconnect": {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce"},
    "annuaire": {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce"},
}
ALSO_KNOWN = {"claims", "prompt", "idp_hint", "login_hint", "acr_values"}
DIRECTORY_LEVELS = ("1", "2")


@dataclass
class Client:
    """One registered service: addresses are compared exactly."""

    client_id: str
    client_secret: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    alg: str = "ES256"
    encryption: str = ""  # RSA-OAEP-256 or ECDH-ES for FranceConnect+
    jwks_uri: str = ""


@dataclass
class Interaction:
    """One person in front of the choice page."""

    client: Client
    asked: dict[str, str]
    began: datetime


@dataclass
class Grant:
    """What a code, then an access token, stand for."""

    client: Client
    person: Person
    asked: dict[str, str]
    acr: str
    amr: list[str]
    issued: datetime
    used: bool = False
    access_token: str = ""
    token_issued: datetime | None = None


class OwnPage(Exception):
    """An error that stays on the provider's page: the person does not come back."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class Refused(Exception):
    """An error of the token or userinfo endpoint."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.description = status, error, description


@dataclass
class Provider:
    """``kind`` is franceconnect, proconnect or annuaire; ``levels`` are the acr values that it may prove.

    A directory (annuaire) says everything in its ID token, and that of somebody else when told to err by ``claims``.
    """

    kind: str
    issuer: str
    clock: Clock
    levels: tuple[str, ...]
    people: dict[str, Person] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)
    keys: KeyRing = field(default_factory=KeyRing)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.interactions: dict[str, Interaction] = {}
        self.grants: dict[str, Grant] = {}
        self.ended: list[str] = []
        self.lock = threading.RLock()

    # --- discovery --------------------------------------------------------------------------------------
    def configuration(self) -> dict[str, Any]:
        described = self.issuer + "-autre" if "iss_discovery" in self.faults else self.issuer
        return {
            "issuer": described,
            **{f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "userinfo")},
            "authorization_endpoint": f"{self.issuer}/authorize",
            "end_session_endpoint": f"{self.issuer}/session/end",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": ["openid", *SCOPES[self.kind]],
            "acr_values_supported": list(self.levels),
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "userinfo_signing_alg_values_supported": ["ES256", "RS256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": True,
            **({"code_challenge_methods_supported": ["S256"]} if "announces_pkce" in self.faults else {}),
            **self.faults.get("discovery", {}),
        }

    # --- authorization ----------------------------------------------------------------------------------
    def begin(self, asked: dict[str, str]) -> str:
        """Check an authorization request; returns the interaction, or raises OwnPage or ``CallBack``."""
        unknown = set(asked) - AUTHORIZE[self.kind] - ALSO_KNOWN
        if self.kind == "proconnect" and unknown:
            raise OwnPage("Y000400", f"Paramètre inconnu : {', '.join(sorted(unknown))}.")
        client = self.clients.get(asked.get("client_id", ""))
        if client is None:
            raise OwnPage("Y04EA6EF", "Ce service n’est pas connu.")
        if asked.get("redirect_uri") not in client.redirect_uris:
            raise OwnPage("Y030031" if self.kind == "proconnect" else "Y04C013C", "Adresse de retour non enregistrée.")
        missing = sorted(name for name in AUTHORIZE[self.kind] if not asked.get(name))
        if missing:
            raise OwnPage("Y000400" if self.kind == "proconnect" else "Y030007", f"Il manque : {', '.join(missing)}.")
        if min(len(asked["state"]), len(asked["nonce"])) < 22:
            raise OwnPage("Y000400" if self.kind == "proconnect" else "Y030007", "state ou nonce trop court.")
        if asked["response_type"] != "code":
            raise CallBack(self.back(asked, error="unsupported_response_type"))
        if "openid" not in asked["scope"].split():
            raise CallBack(self.back(asked, error="invalid_request", error_description="openid is missing"))
        prompts = set(asked["prompt"].split()) if "prompt" in asked else {"login"}
        allowed = {"login", "consent"} if self.kind == "franceconnect" else {"login", "consent", "none"}
        if not prompts or prompts - allowed:
            raise CallBack(self.back(asked, error="invalid_request", error_description="prompt"))
        if prompts == {"none"}:
            raise CallBack(self.back(asked, error="login_required"))
        demanded = asked.get("acr_values", "").split()
        if self.kind == "franceconnect" and not set(demanded) & set(self.levels):
            raise CallBack(self.back(asked, error="invalid_acr", error_description="acr_value is not valid"))
        name = secrets.token_urlsafe(16)
        with self.lock:
            self.interactions[name] = Interaction(client, asked, self.clock())
        return name

    def interaction(self, name: str) -> Interaction:
        found = self.interactions.get(name)
        if found is None or self.clock() - found.began > INTERACTION_LIFE:
            raise OwnPage("Y000400" if self.kind == "proconnect" else "Y030007", "La session a expiré.")
        return found

    def choose(self, name: str, login: str) -> str:
        """Address to go back to once ``login`` has been chosen."""
        seen = self.interaction(name)
        person = self.people.get(login)
        if person is None:
            raise OwnPage("Y020023", "Cette identité n’existe pas.")
        demanded = _essential_acrs(seen.asked)
        if self.kind == "proconnect" and demanded and not person.second_factor:
            self.interactions.pop(name, None)
            return self.back(seen.asked, error="access_denied", error_description="requested ACRs could not be met")
        code = secrets.token_urlsafe(32)
        with self.lock:
            self.interactions.pop(name, None)
            self.grants[code] = Grant(seen.client, person, seen.asked, *self.proof(seen.asked, person), self.clock())
        return self.back(seen.asked, code=code)

    def refuse(self, name: str) -> str:
        seen = self.interaction(name)
        self.interactions.pop(name, None)
        return self.back(seen.asked, error="access_denied", error_description="user authentication aborted")

    def proof(self, asked: dict[str, str], person: Person) -> tuple[str, list[str]]:
        """(acr, amr) that this person's login proves."""
        if self.kind == "franceconnect":
            acr = next(level for level in self.levels if level in asked["acr_values"].split())
            return acr, ["pwd"]
        if self.kind == "annuaire":
            return ("2", ["pwd", "mfa"]) if person.second_factor else ("1", ["pwd"])
        return (TWO_FACTORS, ["pwd", "totp", "mfa"]) if person.second_factor else (SELF, ["pwd"])

    def back(self, asked: dict[str, str], **told: str) -> str:
        state = secrets.token_urlsafe(32) if "state" in self.faults else asked["state"]
        issuer = self.issuer + "-autre" if "iss_callback" in self.faults else self.issuer
        named = {} if "no_iss" in self.faults else {"iss": issuer}
        return f"{asked['redirect_uri']}?{urlencode({**told, 'state': state, **named})}"

    # --- tokens -----------------------------------------------------------------------------------------
    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """Answer of the token endpoint to an authorization code."""
        client = self.clients.get(form.get("client_id", ""))
        if client is None or not hmac.compare_digest(client.client_secret, form.get("client_secret", "")):
            raise Refused(401, "invalid_client", "client authentication failed")
        if form.get("grant_type") != "authorization_code":
            raise Refused(400, "unsupported_grant_type")
        with self.lock:
            grant = self.grants.get(form.get("code", ""))
            if grant is not None and grant.used:
                grant.access_token = ""
                raise Refused(400, "invalid_grant", "authorization code already consumed")
            if grant is None or grant.client is not client or self.clock() - grant.issued > CODE_LIFE:
                raise Refused(400, "invalid_grant", "grant request is invalid")
            grant.used = True
            if form.get("redirect_uri") != grant.asked["redirect_uri"]:
                raise Refused(400, "invalid_grant", "redirect_uri mismatch")
            challenge = grant.asked.get("code_challenge")
            if challenge and not hmac.compare_digest(challenge, _challenge(form.get("code_verifier", ""))):
                raise Refused(400, "invalid_grant", "PKCE verification failed")
            grant.access_token, grant.token_issued = secrets.token_urlsafe(32), self.clock()
        return {
            "access_token": grant.access_token,
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "id_token": self._id_token(grant),
            "scope": grant.asked["scope"],
            "token_type": "mac" if "token_type" in self.faults else "Bearer",
        }

    def _id_token(self, grant: Grant) -> str:
        faults = self.faults
        at = left_half(grant.access_token if "at_hash" not in faults else "autre")
        claims = {**self._frame(grant, "id_token"), "nonce": grant.asked["nonce"], "acr": grant.acr, "at_hash": at,
                  "auth_time": int(self.clock().timestamp()) - (faults.get("session_of") or 0)}  # fmt: skip
        if self.kind == "annuaire":
            claims |= {k: v for k, v in grant.person.claims.items() if k in self.wanted(grant)} | {"amr": grant.amr}
            claims |= faults.get("claims", {})
        if "no_auth_time" in faults:
            del claims["auth_time"]
        if "amr" in grant.asked.get("claims", ""):
            claims["amr"] = grant.amr
        if "nonce" in faults:
            claims["nonce"] = secrets.token_urlsafe(32)
        if "lower_acr" in faults:
            claims["acr"] = faults["lower_acr"] if isinstance(faults["lower_acr"], str) else "eidas0"
        if "no_nonce" in faults:
            del claims["nonce"]
        return self._sealed(claims, grant.client, _lie(faults, "id_token"))

    def userinfo(self, token: str) -> str | dict[str, Any]:
        """Signed JWT with what the scopes give, or bare JSON when told to err."""
        grant = next((g for g in self.grants.values() if token and g.access_token == token), None)
        if grant is None or grant.token_issued is None or self.clock() - grant.token_issued > TOKEN_LIFE:
            raise Refused(401, "invalid_token", "invalid access token provided")
        wanted = self.wanted(grant)
        claims = {**self._frame(grant, "userinfo"), **{k: v for k, v in grant.person.claims.items() if k in wanted}}
        if "userinfo_sub" in self.faults:
            claims["sub"] = "quelqu-un-d-autre"
        if "userinfo_error" in self.faults:
            raise Refused(401, "invalid_token", "invalid access token provided")
        if "userinfo_json" in self.faults:
            return claims
        return self._sealed(claims, grant.client, _lie(self.faults, "userinfo"))

    def wanted(self, grant: Grant) -> list[str]:
        """The claims that the scopes asked give."""
        return [claim for scope in grant.asked["scope"].split() for claim in SCOPES[self.kind].get(scope, ())]

    def _frame(self, grant: Grant, token: str) -> Claims:
        now = int(self.clock().timestamp())
        late = 3600 if _told(self.faults, "expired", token) else 0
        return {
            "iss": self.issuer + ("-autre" if _told(self.faults, "iss_token", token) else ""),
            "sub": self.subject(grant.client, grant.person),
            "aud": "un-autre-service" if _told(self.faults, "aud", token) else grant.client.client_id,
            "iat": now - late,
            "exp": now - late + int(TOKEN_LIFE.total_seconds()),
        }

    def subject(self, client: Client, person: Person) -> str:
        """Pairwise subject: nobody can join two services by it."""
        return hashlib.sha256(f"{self.issuer}|{client.client_id}|{person.login}".encode()).hexdigest() + "v1"

    def _sealed(self, claims: Claims, client: Client, lie: str) -> str:
        token = self.keys.sign(claims, client.alg, lie=lie)
        if not client.encryption or "not_encrypted" in self.faults:
            return token
        with urlopen(client.jwks_uri, timeout=3) as answer:  # noqa: S310  an address registered on loopback
            return nest(token, json.loads(answer.read()), client.encryption)

    # --- logout -----------------------------------------------------------------------------------------
    def end(self, asked: dict[str, str]) -> str:
        """Address to go back to after a logout."""
        claims = self.keys.verify(asked.get("id_token_hint", ""))
        if claims is None or "at_hash" not in claims:
            raise OwnPage("Y030007", "Le jeton d’identité est absent ou illisible.")
        client = self.clients.get(str(claims["aud"]))
        back = asked.get("post_logout_redirect_uri", "")
        if client is None or back not in client.post_logout_redirect_uris:
            raise OwnPage("Y030111", "Adresse de retour après déconnexion non enregistrée.")
        self.ended.append(str(claims["sub"]))
        state = asked.get("state", "")
        return f"{back}?{urlencode({'state': state})}" if state else back


class CallBack(Exception):
    """An error that the client receives on its return address."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _essential_acrs(asked: dict[str, str]) -> list[str]:
    try:
        wanted = json.loads(asked.get("claims", "{}"))["id_token"]["acr"]
        return list(wanted["values"]) if wanted.get("essential") else []
    except (KeyError, TypeError, ValueError):
        return []


def _lie(faults: dict[str, Any], token: str) -> str:
    """The lie told about the signature of ``token``: a fault is the name of the lie, its value the token."""
    names = ("alg_none", "hs256", "unknown_kid", "foreign_key", "embedded_key")
    return next((name for name in names if _told(faults, name, token)), "")


def _told(faults: dict[str, Any], name: str, token: str) -> bool:
    """True when this fault is told of ``token``, or of both tokens (True)."""
    return name in faults and faults[name] in (True, token)
