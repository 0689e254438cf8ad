"""How surely the person behind a request is who they say, computed from the proofs kept in their session.

Levels follow the ``acr`` values that Parvis announces to other sites: ``parvis:1`` (password alone), ``eidas1``
(FranceConnect in this session) and ``parvis:2`` (two factors, or a passkey with user verification). Methods are
those of RFC 8176. Instants are those of ``time.time()``, as django-allauth writes them: a simulated clock does
not make a proof older.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.http import HttpRequest

from parvis.core.authentication.factors import passkey_only

RECENT = 300
"""Seconds during which a proof is recent enough for what cannot be undone."""

REMEMBERED = "authentication.remembered"
"""Session key of « Rester connecté »: its proofs of level 2 fade to level 1 after half a day."""
FADING = 12 * 3600

PASSWORD_ONLY = "parvis:1"  # noqa: S105  a level, not a password
FRANCECONNECT = "eidas1"
TWO_FACTORS = "parvis:2"
LEVELS = ("", PASSWORD_ONLY, FRANCECONNECT, TWO_FACTORS)

_AMR = {"password": ("pwd",), "totp": ("otp",), "recovery_codes": ("otp",), "webauthn": ("pop", "user")}
FEDERATED = ("franceconnect", "proconnect", "annuaire")


@dataclass(frozen=True)
class Assurance:
    """What this session has proved; ``acr`` is empty for nobody. ``auth_time`` is in seconds since 1970."""

    acr: str = ""
    amr: tuple[str, ...] = ()
    auth_time: int = 0
    recent: bool = False
    identity_proven: bool = False

    def reaches(self, level: str) -> bool:
        """True when this session proved at least ``level``; ``eidas1`` is asked of FranceConnect itself."""
        return self.identity_proven if level == FRANCECONNECT else LEVELS.index(self.acr) >= LEVELS.index(level)


def _kind(record: Mapping[str, Any]) -> str:
    """``password``, ``totp``, ``recovery_codes``, ``webauthn``, ``franceconnect``, ``proconnect`` or ``annuaire``."""
    return str(record.get("type") if record.get("method") == "mfa" else record.get("method"))


def _strong(record: Mapping[str, Any]) -> bool:
    """A federated record whose provider answers for two factors (reference of ProConnect: the ``-2fa`` values)."""
    acr = str(record.get("acr", ""))
    return _kind(record) in ("proconnect", "annuaire") and (acr.endswith("-2fa") or acr in ("eidas2", "eidas3"))


def assess(
    records: Iterable[Mapping[str, Any]], now: float, *, remembered: bool = False, passkey_only: bool = False
) -> Assurance:
    """The assurance that these records give at ``now``. Each level dates from the older of the proofs it needs.

    With ``passkey_only`` nothing else makes level 2.
    """
    records = list(records)
    latest: dict[str, float] = {}
    for record in records:
        latest[_kind(record)] = max(float(record.get("at", 0)), latest.get(_kind(record), 0))
        if _strong(record):
            latest["strong"] = max(float(record["at"]), latest.get("strong", 0))
    first = max((latest[k] for k in ("password", *FEDERATED) if k in latest), default=0)
    code = max((latest[k] for k in ("totp", "recovery_codes") if k in latest), default=0)
    key = latest.get("webauthn", 0)
    two = key if passkey_only else max(key, latest.get("strong", 0), min(first, code))
    if remembered and now - two > FADING:
        two = 0
    reached = [
        (TWO_FACTORS, two),
        (FRANCECONNECT, latest.get("franceconnect", 0)),
        (PASSWORD_ONLY, max([first, code, *latest.values()], default=0)),
    ]
    acr, at = next(((level, at) for level, at in reached if at), ("", 0))
    amr = dict.fromkeys(method for r in records for method in (*r.get("amr", ()), *_AMR.get(_kind(r), ())))
    if acr == TWO_FACTORS:
        amr["mfa"] = None
    return Assurance(acr, tuple(amr), int(at), bool(at) and now - at < RECENT, bool(latest.get("franceconnect")))


def assurance_of(request: HttpRequest) -> Assurance:
    """The assurance of the logged-in person of ``request``; the empty one for nobody."""
    if not request.user.is_authenticated:
        return Assurance()
    remembered = bool(request.session.get(REMEMBERED))
    records = get_authentication_records(request, request.user)
    return assess(records, time.time(), remembered=remembered, passkey_only=passkey_only(request.user))


def note_federated(
    request: HttpRequest,
    provider: str,
    acr: str,
    amr: Iterable[str] = (),
    *,
    age: float = 0,
    user: Any = None,
    again: bool = False,
) -> None:
    """Write down that ``provider`` (``franceconnect``, ``proconnect``, ``annuaire``) answered for ``user``, who
    proved it there ``age`` seconds ago: a session that was open there makes nothing recent here.

    To be called before the login is carried on (``user`` given), or with ``again`` when it was a step-up.
    Raises ValueError for another provider.
    """
    if provider not in FEDERATED:
        raise ValueError(f"{provider} does not answer for people")
    extra = {"acr": acr, "amr": [m for m in amr if isinstance(m, str)][:10], "at": time.time() - age}
    record_authentication(request, user or request.user, method=provider, reauthenticated=again or None, **extra)


@dataclass(frozen=True)
class FederatedProof:
    """Another way of proving oneself again, for those who have neither password nor passkey."""

    code: str
    label: str
    url_name: str
    available: Callable[[Any], bool]


_federated: dict[str, FederatedProof] = {}


def register_federated_proof(code: str, label: str, url_name: str, available: Callable[[Any], bool]) -> None:
    """Offer ``label`` on the step-up page to accounts for which ``available(account)``; ``next`` is added."""
    _federated[code] = FederatedProof(code, label, url_name, available)


def federated_proofs(account: Any) -> list[FederatedProof]:
    """The ways offered to ``account``."""
    return [proof for proof in _federated.values() if proof.available(account)]
