"""The audit log of identity: who proved to be whom, how, from where, and what changed about accounts.

Each event is a row that its holder may read and that is purged after a year; the digest of the row goes to the
journal of the metropole, which proves for ever that the log was not rewritten. Names of the events are those of
the catalogue in ``EVENTS``.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import rfc8785
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.identity.aidants import helper_scopes
from parvis.core.identity.events import EVENTS
from parvis.core.identity.models import Account, SecurityEvent
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, Event, record_many
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import Scope, current_scope, in_scope

register_action("identite.evenement", "Événement d’identité consigné")
register_subject("evenement_identite", "Événement d’identité")


def audit(
    event: str,
    *,
    account: Account | None = None,
    request: HttpRequest | None = None,
    organisation: Organisation | None = None,
    outcome: str = "success",
    method: str = "",
    client: str = "",
    data: dict[str, Any] | None = None,
    actor: Account | None = None,
) -> SecurityEvent:
    """Log one event of the catalogue about ``account``; ``organisation`` is the one whose administration sees it.

    The actor, the network address, the browser and the session come from ``request``; a job names its ``actor``.
    ``method`` says how the person proved itself ("password", "password+totp", "passkey", "franceconnect"…),
    ``data`` holds codes and counts, never a secret; ``aidant`` is added to it when a helper of Aidants Connect acts in
    the session. Raises ValueError for an event that the catalogue lacks.
    """
    if event not in EVENTS:
        raise ValueError(f"{event} is not in the catalogue of identity events")
    user = getattr(request, "user", None)
    session_key = getattr(getattr(request, "session", None), "session_key", None) or ""
    helped = helper_scopes(request)
    line = SecurityEvent(
        at=clock.now(),
        event=event,
        account=account,
        actor=actor or (user if isinstance(user, Account) else None),
        organisation=organisation,
        outcome=outcome,
        method=method,
        client=client[:120],
        session=hashlib.sha256(session_key.encode()).hexdigest() if session_key else "",
        address=request.META.get("REMOTE_ADDR") or None if request else None,
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:300] if request else "",
        data=(data or {}) | ({"aidant": True} if helped else {}),
    )
    _write([line], organisation, account)
    return line


def audit_many(
    event: str, about: Iterable[tuple[Account, dict[str, Any]]], *, organisation: Organisation, actor: Account | None
) -> None:
    """Log the same event about many accounts at once, as ``audit`` does about one: (account, data) pairs."""
    if event not in EVENTS:
        raise ValueError(f"{event} is not in the catalogue of identity events")
    now = clock.now()
    lines = [
        SecurityEvent(at=now, event=event, account=account, actor=actor, organisation=organisation, data=data)
        for account, data in about
    ]
    if lines:
        _write(lines, organisation, None)


def _write(lines: list[SecurityEvent], organisation: Organisation | None, account: Account | None) -> None:
    platform = Organisation.objects.filter(kind=Organisation.Kind.METROPOLE).order_by("pk").first()
    mine = {o.pk for o in (platform, organisation) if o is not None} | set(current_scope().organisations)
    with in_scope(Scope(tuple(sorted(mine)), account=account.pk if account else current_scope().account)):
        SecurityEvent.objects.bulk_create(lines)
        if platform is not None:
            record_many(platform, map(_journalled, lines))


def _journalled(line: SecurityEvent) -> Event:
    return Event(
        "identite.evenement",
        ("evenement_identite", line.pk),
        Actor("account", str(line.actor_id)) if line.actor_id else Actor("anonymous", ""),
        digest(line),
        {"event": line.event, "outcome": line.outcome},
    )


def digest(line: SecurityEvent) -> str:
    """SHA-256 of the canonical JSON (RFC 8785) of an event."""
    content = {
        "id": str(line.pk),
        "at": line.at.isoformat(),
        "event": line.event,
        "account": line.account_id,
        "actor": line.actor_id,
        "organisation": line.organisation_id,
        "outcome": line.outcome,
        "method": line.method,
        "client": line.client,
        "session": line.session,
        "address": line.address,
        "user_agent": line.user_agent,
        "data": line.data,
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()
