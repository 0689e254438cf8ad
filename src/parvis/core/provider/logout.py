"""End of a session: every site visited in it is told (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from allauth.idp.oidc.models import Client

from parvis.core import clock
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider import grants
from parvis.core.provider.adapter import issuer
from parvis.core.provider.claims import OFFLINE
from parvis.core.provider.models import Grant, LogoutNotice
from parvis.core.provider.outgoing import Unreachable, post_form
from parvis.core.provider.sites import Site
from parvis.core.provider.validator import sign

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_LIFETIME = 120


@dataclass(frozen=True)
class Ended:
    """The sites of a session that ended, and the notices for those that can be told."""

    visited: list[Client]
    notices: list[LogoutNotice]

    def tell(self) -> tuple[list[Client], list[Client]]:
        """Tell them now, for a person who waits: those that confirmed, and those where they may still be logged in."""
        told = {n.client_id for n, good in zip(self.notices, deliver_all(self.notices), strict=True) if good}
        return [c for c in self.visited if c.pk in told], [c for c in self.visited if c.pk not in told]


def end_session(account_id: int, *, session: str = "", session_key: str = "", reason: str) -> Ended:
    """End the grants of one browser session, named by its digest or its key, and have the sites told.

    A site that holds ``offline_access`` keeps it: the person granted it for when they are away.
    """
    with identity_of(account_id):
        found = Grant.objects.filter(account=account_id, ended_at=None).select_related("client")
        found = found.filter(session=session) if session else found.filter(session_key=session_key)
        everything = list(found)
        grants.end([g for g in everything if OFFLINE not in g.scopes], reason)
        # A grant that outlives the session is no longer of it: the next end of session must not tell it again.
        Grant.objects.filter(pk__in=[g.pk for g in everything if OFFLINE in g.scopes]).update(
            session="", session_key=""
        )
    return Ended(list({g.client_id: g.client for g in everything}.values()), notify(everything))


def end_account(account: Account, reason: str = "compte_clos") -> list[LogoutNotice]:
    """Nothing issued for ``account`` is honoured any more (suspension, deletion), and every site is told."""
    with identity_of(account.pk):
        found = list(Grant.objects.filter(account=account, ended_at=None).select_related("client"))
        grants.end(found, reason)
    return notify(found)


def end_service(account: Account, client: Client, reason: str) -> list[LogoutNotice]:
    """The same for one site alone (consent withdrawn)."""
    with identity_of(account.pk):
        found = list(Grant.objects.filter(account=account, client=client, ended_at=None).select_related("client"))
        grants.end(found, reason)
    return notify(found)


def notify(ended: Iterable[Grant]) -> list[LogoutNotice]:
    """One notice and one job for each site and session; sites without a logout address cannot be told."""
    from parvis.core.provider.tasks import tell

    notices = []
    for client, sub, sid in {(g.client, g.sub, g.sid) for g in ended}:
        site = Site.of(client)
        if not site.backchannel:
            continue
        with acting_for(site.organisation):
            notice = LogoutNotice.objects.create(
                organisation_id=site.organisation, client=client, sub=sub, sid=sid, created_at=clock.now()
            )
            tell.enqueue(site.organisation, notice_id=str(notice.pk))
        notices.append(notice)
    return notices


def logout_token(notice: LogoutNotice) -> str:
    """Section 2.4: who, in which session, that it ended; never a nonce."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": issuer(),
        "aud": notice.client_id,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
        "jti": uuid.uuid4().hex,
        "sub": notice.sub,
        "sid": notice.sid,
        "events": {EVENT: {}},
    }
    return sign(claims, kind="logout+jwt")


def _call(address: str, token: str) -> str:
    """What went wrong; empty when the site confirmed."""
    try:
        post_form(address, {"logout_token": token})
    except Unreachable as error:
        return error.sentence
    return ""


def deliver(notice: LogoutNotice) -> bool:
    """Tell one site, unless it confirmed already; True when it confirmed. Opens its own transactions."""
    return deliver_all([notice])[0]


def deliver_all(notices: list[LogoutNotice]) -> list[bool]:
    """Tell several sites at once, for the person who waits; the calls are made outside any transaction of ours."""
    waiting = [n for n in notices if n.state != LogoutNotice.State.TOLD]
    calls = [(Site.of(n.client).backchannel, logout_token(n)) for n in waiting]
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda call: _call(*call), calls))
    for notice, reason in zip(waiting, answers, strict=True):
        notice.attempts += 1
        notice.reason = reason[:200]
        if not reason:
            notice.state, notice.told_at = LogoutNotice.State.TOLD, clock.now()
        with acting_for(notice.organisation_id):
            notice.save(update_fields=["attempts", "reason", "state", "told_at"])
    return [n.state == LogoutNotice.State.TOLD for n in notices]


def give_up(notice: LogoutNotice) -> None:
    """The last try failed: the administration of the organisation sees it, and so does the log."""
    from parvis.core.identity.audit import audit

    notice.state = LogoutNotice.State.FAILED
    notice.save(update_fields=["state"])
    service = Site.of(notice.client).service
    audit("oidc.logout.backchannel.failure", organisation=notice.organisation, outcome="failure",
          client=notice.client_id, data={"attempts": notice.attempts})  # fmt: skip
    record(notice.organisation, "service_relie.deconnexion_echouee", subject=("service_relie", service),
           actor=Actor("job", "provider.tell"), details={"attempts": notice.attempts})  # fmt: skip
