"""The client of FranceConnect v2, of ProConnect and of organisations' directories: from the button to an identity.

Order of the checks of an answer: state, issuer, error, code; then ID token; then userinfo, whose subject must be
that of the ID token. A directory signs no userinfo: its ID token says all that is believed of it. The access token
lives for the time of this exchange only.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from parvis.core.federation import flow
from parvis.core.federation.configuration import FRANCECONNECT, TWO_FACTORS, Registration
from parvis.core.federation.discovery import ENDPOINTS, OF_A_DIRECTORY, Metadata, metadata, signing_key
from parvis.core.federation.errors import AnswerRefused, Declined, FederationError, ProviderUnavailable, part_of
from parvis.core.federation.outgoing import Line, Silent
from parvis.core.federation.tokens import (
    MAX_SUBJECT,
    auth_time,
    check_frame,
    check_fresh,
    check_id_token,
    opened,
    signed_claims,
)


@dataclass(frozen=True)
class Identity:
    """What a provider said of somebody, verified. ``claims`` are those of the userinfo; of a directory, what its table
    of attributes reads in the ID token, ``acr`` then being ours.

    ``authenticated_at`` is when the person logged in there (seconds since 1970), 0 where the provider does not say.
    """

    provider: str
    issuer: str
    subject: str
    acr: str
    amr: tuple[str, ...]
    claims: dict[str, Any] = field(default_factory=dict)
    authenticated_at: float = 0

    @property
    def email(self) -> str:
        """Address as declared to the provider: never a proof of anything."""
        return _text(self.claims.get("email")).lower()

    def text(self, claim: str) -> str:
        """A claim as text, "" when it is absent or of another type."""
        return _text(self.claims.get(claim))


@dataclass(frozen=True)
class Answer:
    """A verified identity, the page wanted and the ID token that logout will need."""

    identity: Identity
    next: str
    id_token: str


def authorization_address(
    request: HttpRequest, registered: Registration, next_page: str, *, fresh: bool = False, two_factors: bool = False
) -> str:
    """Address to send the browser to; ``fresh`` and ``two_factors`` demand what ``Waiting`` says of them.

    Raises ProviderUnavailable.
    """
    if two_factors:
        registered = replace(registered, two_factors=True)
    try:
        facts = facts_of(registered, line_to(registered))
    except Silent as silent:
        raise ProviderUnavailable(registered.label, **silent.data) from silent
    # ProConnect refuses parameters that it does not know; a directory may know PKCE without saying so (Entra ID).
    pkce = registered.is_directory or (facts.pkce and registered.code == FRANCECONNECT)
    waiting = flow.open_request(request, registered.code, next_page, pkce=pkce, fresh=fresh, two_factors=two_factors)
    asked = {
        "response_type": "code",
        "client_id": registered.client_id,
        "redirect_uri": registered.redirect_uri,
        "scope": " ".join(registered.scopes),
        "state": waiting.state,
        "nonce": waiting.nonce,
    }
    if registered.is_directory:
        asked |= _asked_of_a_directory(registered, fresh)
    else:
        asked["claims"] = json.dumps({"id_token": _claims_asked(registered)}, separators=(",", ":"))
    if registered.code == FRANCECONNECT:
        asked |= {"acr_values": registered.acr, "prompt": "login consent"}
    elif fresh and not registered.is_directory:
        asked |= {"prompt": "login"}  # never max_age, which ProConnect does not have
    if waiting.verifier:
        digest = hashlib.sha256(waiting.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{facts.authorization_endpoint}?{urlencode(asked)}"


def line_to(registered: Registration) -> Line:
    """Requests to the provider; an organisation wrote the address of its directory, which may not be ours."""
    return Line(registered.issuer, public=registered.is_directory)


def facts_of(registered: Registration, line: Line) -> Metadata:
    """The provider's addresses. Raises Silent."""
    return metadata(registered.issuer, line, OF_A_DIRECTORY if registered.is_directory else ENDPOINTS)


def _asked_of_a_directory(registered: Registration, fresh: bool) -> dict[str, str]:
    asked: dict[str, str] = {}
    if fresh:
        asked |= {"prompt": "login", "max_age": "0"}  # by which the date of the login must be told
    if registered.two_factors and registered.factor is not None and registered.factor[0] == "acr":
        asked["acr_values"] = registered.factor[1]
    return asked


def _claims_asked(registered: Registration) -> dict[str, Any]:
    claims: dict[str, Any] = {"amr": {"essential": True}}
    if registered.code != FRANCECONNECT:  # which asks everybody to log in
        claims["auth_time"] = {"essential": True}
    if registered.two_factors:
        claims["acr"] = {"essential": True, "values": list(TWO_FACTORS)}
    return claims


def receive(request: HttpRequest, registered: Registration) -> Answer:
    """The identity that the provider's answer, found in the query of ``request``, leads to.

    Raises StateUnknown, AnswerRefused, Declined or ProviderUnavailable.
    """
    query = {name: request.GET[name] for name in request.GET}
    waiting = flow.take(request, registered.code, query)
    if waiting.two_factors:
        registered = replace(registered, two_factors=True)
    try:
        identity, id_token = _received(query, registered, waiting)
    except FederationError as error:
        error.next = waiting.next
        raise
    return Answer(identity, waiting.next, id_token)


def _received(query: Mapping[str, str], registered: Registration, waiting: flow.Waiting) -> tuple[Identity, str]:
    told = query.get("iss")
    # A directory may not name itself, unless it promises to: its own return address tells it from the others.
    if told != registered.issuer and (told is not None or not registered.is_directory):
        raise AnswerRefused("issuer")
    if "error" in query:
        raise Declined(registered.label, query["error"])
    if not query.get("code"):
        raise AnswerRefused("code")
    line = line_to(registered)
    try:
        facts = facts_of(registered, line)
        if told is None and facts.names_itself:
            raise AnswerRefused("issuer")
        return _exchange(registered, facts, line, query["code"], waiting)
    except Silent as silent:
        raise ProviderUnavailable(registered.label, **silent.data) from silent


def _exchange(
    registered: Registration, facts: Metadata, line: Line, code: str, waiting: flow.Waiting
) -> tuple[Identity, str]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registered.redirect_uri,
        "client_id": registered.client_id,
        "client_secret": registered.client_secret,
    } | ({"code_verifier": waiting.verifier} if waiting.verifier else {})
    status, told = line.post_form(facts.token_endpoint, form)
    if status != 200:
        raise AnswerRefused("token_endpoint", status=status, error=_text(told.get("error"))[:80])
    access, sealed_token = told.get("access_token"), told.get("id_token")
    if (
        not isinstance(access, str)
        or not isinstance(sealed_token, str)
        or _text(told.get("token_type")).lower() != "bearer"
    ):
        raise AnswerRefused("token_answer")

    def read(token: str) -> dict[str, Any]:
        return signed_claims(token, registered, lambda kid: signing_key(facts, kid, line))

    with part_of("id_token"):
        id_token = opened(sealed_token, registered)
        proof = read(id_token)
        check_id_token(proof, registered, nonce=waiting.nonce, access_token=access)
        at = auth_time(proof)
        if waiting.fresh:
            check_fresh(at, registered, waiting.at)
            at = max(at, waiting.at)  # the provider's clock may be late
        if registered.is_directory:
            return _named_by_its_directory(registered, proof, at), id_token
    with part_of("userinfo"):
        info = read(opened(_userinfo(facts, line, access), registered))
        check_frame(info, registered)
        if info["sub"] != proof["sub"]:
            raise AnswerRefused("another_subject")
    amr = tuple(one for one in _list(proof.get("amr")) if isinstance(one, str))[:10]
    return _identity(registered, proof, info, amr, at), id_token


def _identity(
    registered: Registration, proof: Mapping[str, Any], info: dict[str, Any], amr: tuple[str, ...], at: float
) -> Identity:
    frame = ("iss", "sub", "aud", "exp", "iat")
    claims = {name: value for name, value in info.items() if name not in frame}
    return Identity(registered.code, registered.issuer, proof["sub"], _text(proof.get("acr")), amr, claims, at)


def _named_by_its_directory(registered: Registration, proof: Mapping[str, Any], at: float) -> Identity:
    """The identity that the approved table of attributes reads in the ID token. ``acr`` is what the platform approved
    to believe, never what the directory calls its own level."""
    assert registered.claims is not None
    subject = proof.get(registered.claims["id"])
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise AnswerRefused("subject")
    proved = False
    if registered.factor is not None:
        claim, value = registered.factor
        told = proof.get(claim)
        proved = value in told if isinstance(told, list) else told == value
    if registered.two_factors and not proved:
        raise AnswerRefused("acr")
    claims = {name: _text(proof.get(claim)) for name, claim in registered.claims.items() if name != "id"}
    if proof.get("email_verified", True) not in (True, "true"):
        claims["email"] = ""
    acr = TWO_FACTORS[0] if proved else ""
    return Identity(registered.code, registered.issuer, subject, acr, (), claims, at)


def _userinfo(facts: Metadata, line: Line, token: str) -> str:
    """The userinfo as a JWT: an answer in plain JSON is signed by nobody and refused."""
    status, media_type, content = line.call(
        "GET", facts.userinfo_endpoint, token=token, accept="application/jwt", any_status=True
    )
    if status != 200:
        raise AnswerRefused("status", status=status)
    if media_type != "application/jwt":
        raise AnswerRefused("media_type", media_type=media_type[:60])
    return content.decode("ascii", errors="replace").strip()


def _text(value: object) -> str:
    return value.strip()[:400] if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
