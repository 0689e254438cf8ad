"""What a session keeps of FranceConnect and ProConnect: the identity awaiting a choice, the tokens that logout needs.

Everything that names a person is sealed. An identity waits half an hour for its holder's choice.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.http import HttpRequest

from parvis.core import clock
from parvis.core.federation.client import Answer, Identity
from parvis.core.federation.sealing import seal, unseal
from parvis.core.identity.aidants import HELPER

PENDING: Final = "federation.pending"
FROM_DIRECTORY: Final = "federation.pending_from_directory"
"""Where what a directory said waits: the pages of the State's providers never take it up."""
TOKENS: Final = "federation.tokens"
WAITS: Final = 1800


@dataclass(frozen=True)
class Pending:
    """A verified identity that belongs to no account yet."""

    identity: Identity
    next: str
    id_token: str
    at: float


def keep_pending(request: HttpRequest, answer: Answer, key: str = PENDING) -> Pending:
    """Let the identity wait for its holder's choice."""
    pending = Pending(answer.identity, answer.next, answer.id_token, clock.now().timestamp())
    request.session[key] = seal(asdict(pending))
    return pending


def pending(request: HttpRequest, key: str = PENDING) -> Pending | None:
    """The identity that waits in this session, unless it waited too long."""
    kept = unseal(request.session.get(key, ""))
    if not kept or not 0 <= clock.now().timestamp() - kept["at"] <= WAITS:
        request.session.pop(key, None)
        return None
    told = kept["identity"]
    identity = Identity(**{**told, "amr": tuple(told["amr"])})
    return Pending(identity, kept["next"], kept["id_token"], kept["at"])


def forget_pending(request: HttpRequest) -> None:
    for key in (PENDING, FROM_DIRECTORY):
        request.session.pop(key, None)


def keep_token(request: HttpRequest, identity: Identity, id_token: str) -> None:
    """Keep what the logout will have to show the provider, and who acts for whom (Aidants Connect)."""
    request.session[TOKENS] = {**request.session.get(TOKENS, {}), identity.provider: seal(id_token)}
    helped: Any = identity.claims.get("rep_scope")
    if helped:
        request.session[HELPER] = helped
    else:
        request.session.pop(HELPER, None)


def tokens(request: HttpRequest) -> dict[str, str]:
    """ID token by provider used in this session; "" when it cannot be read any more."""
    return {provider: unseal(sealed) or "" for provider, sealed in request.session.get(TOKENS, {}).items()}


def drop_token(request: HttpRequest, provider: str) -> None:
    kept = request.session.get(TOKENS, {})
    if kept.pop(provider, None) is not None:
        request.session[TOKENS] = kept
