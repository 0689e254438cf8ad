"""Logins on sites and what was issued from them: a grant is the family that falls as a whole.

The library keeps codes in a cache and forgets them, so that it can neither see that one is played again nor tell
what it gave. Here a code, like a refresh token, stays known after its use (RFC 6749, 4.1.2; RFC 9700, 2.2.2 and 4.14).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from allauth.idp.oidc.models import Client, Token
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from parvis.core.authentication.assurance import Assurance
from parvis.core.entities.models import EntityRole
from parvis.core.identity.models import Account
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider.models import Grant
from parvis.core.provider.sites import Site
from parvis.core.provider.subjects import subject_of

CODE_LIFETIME = 60
KEPT = timedelta(days=365)
SESSION_SECRET = "provider.session"  # noqa: S105  a session key
SESSION_KEY = "provider.key"


def session_digest(session: SessionBase) -> str:
    """A name for the browser session that survives the change of its key, and that no one can guess."""
    if SESSION_SECRET not in session:
        session[SESSION_SECRET] = secrets.token_urlsafe(32)
    if not session.session_key:
        session.save()
    session.setdefault(SESSION_KEY, session.session_key)
    return hashlib.sha256(session[SESSION_SECRET].encode()).hexdigest()


def open_grant(
    client: Client,
    account: Account,
    session: SessionBase,
    scopes: Collection[str],
    assurance: Assurance,
    entity: EntityRole | None = None,
) -> Grant:
    """Note that ``account`` logs in on ``client`` from this browser session, for ``entity`` or for itself."""
    site = Site.of(client)
    name = session_digest(session)
    follow_session(account.pk, session)
    return Grant.objects.create(
        account=account,
        client=client,
        sub=subject_of(account, site.organisation, site.sector),
        # Two sites must not join their users by the session either: each has its own name of it.
        sid=hmac.new(name.encode(), client.pk.encode(), hashlib.sha256).hexdigest()[:40],
        session=name,
        session_key=session[SESSION_KEY],
        scopes=list(scopes),
        claims=site.kept(scopes),
        entity=entity,
        acr=assurance.acr,
        amr=list(assurance.amr),
        auth_time=assurance.auth_time,
        created_at=timezone.now(),
    )


def issue(kind: Token.Type, value: str, grant: Grant, lifetime: int, data: dict[str, Any] | None = None) -> Token:
    """Note the digest of what is handed over: an authorization code, an access token or a refresh token."""
    token = Token(
        type=kind,
        client_id=grant.client_id,
        user_id=grant.account_id,
        expires_at=timezone.now() + timedelta(seconds=lifetime),
        data={"grant": str(grant.pk), **(data or {})},
    )
    token.set_value(value)
    token.set_scopes(grant.scopes)
    token.save(force_insert=True)
    return token


def handed(kind: Token.Type, value: str) -> Token | None:
    """What was handed over as ``value``, with its site: it says for whom the transaction must act."""
    return Token.objects.by_value(value).filter(type=kind).select_related("client").first()


def end(grants: Iterable[Grant], reason: str) -> list[Grant]:
    """End these grants: whatever was issued from them is refused from now on. Returns those that were alive."""
    alive = [g for g in grants if g.ended_at is None]
    Grant.objects.filter(pk__in=[g.pk for g in alive], ended_at=None).update(ended_at=timezone.now(), ended_by=reason)
    return alive


def follow_session(account_id: int, session: SessionBase) -> None:
    """Where the browser session changed its key (login, step-up), its grants follow it."""
    name = session_digest(session)
    if session[SESSION_KEY] == session.session_key:
        return
    session[SESSION_KEY] = session.session_key
    with identity_of(account_id):
        Grant.objects.filter(account=account_id, session=name).update(session_key=session.session_key)


def purge(older_than: timedelta = timedelta(days=60)) -> int:
    """Forget the tokens that expired: access tokens after a day, the others after ``older_than``; returns how many."""
    before = timezone.now() - timedelta(days=1)
    gone, _ = Token.objects.filter(Q(expires_at__lt=before), type__in=[Token.Type.ACCESS_TOKEN]).delete()
    old, _ = Token.objects.filter(expires_at__lt=timezone.now() - older_than).delete()
    return gone + old


def forget() -> int:
    """Erase the logins that ended, or of which nothing is valid any more, a year ago; returns how many."""
    now = timezone.now()
    with connection.cursor() as cursor:  # a function of the migration ``forget_grants``, which sees everybody's rows
        cursor.execute("SELECT parvis_purge_grants(%s, %s)", [now - KEPT, now])
        return int(cursor.fetchone()[0])
