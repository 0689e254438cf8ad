"""Proving to be an API account: an identifier with its secret, or with the TLS certificate of the connection.

Secrets hold 256 bits of chance, so a plain SHA-256 keeps them (no dictionary can search it) and they are sent
with each call, as HTTP Basic (RFC 7617) or as one Bearer key (RFC 6750); there is no token to exchange them for:
what is revoked stops at the next call. Every failure costs the same queries and comparisons and gets one answer.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.api.models import ApiAccount
from parvis.core.api.proxy import client_certificate
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import Scope, in_scope

PREFIX = "prv_"
IDENTIFIER = re.compile(r"([0-9]{9})-([0-9a-f]{32})", re.ASCII)
USE_NOTED_EVERY = timedelta(minutes=1)
MAX_AUTHORIZATION = 1000
_NO_DIGEST = "0" * 64
_VALID_AT_ONCE = 2
_NEVER = datetime.min.replace(tzinfo=UTC)
_NOBODY = Scope(organisations=(0,))


def new_secret() -> str:
    """256 bits from the system's generator, with a prefix that scanners of leaked secrets recognise."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Presented:
    """What a call says of its caller."""

    identifier: str
    secret: str
    certificate: str
    address: str


def presented(request: HttpRequest) -> Presented | None:
    """The proof that ``request`` carries; None when it carries none that can be read."""
    scheme, _, value = request.headers.get("Authorization", "")[:MAX_AUTHORIZATION].partition(" ")
    match scheme.lower():
        case "basic":
            try:
                identifier, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                return None
        case "bearer":
            identifier, _, secret = value.strip().partition(".")
        case _:
            return None
    return Presented(identifier, secret, client_certificate(request), request.META.get("REMOTE_ADDR", ""))


def authenticate(proof: Presented) -> ApiAccount | None:
    """The account that ``proof`` proves, if it may be used today; its use is noted. None for any failure.

    The networks of the account are left to the caller, who may tell their refusal to an account that is proved.
    """
    found = IDENTIFIER.fullmatch(proof.identifier)
    siren, key = found.groups() if found else ("", "0" * 32)
    organisation = Organisation.objects.filter(siren=siren).only("pk").first()
    scope = Scope(organisations=(organisation.pk,)) if organisation else _NOBODY
    now = clock.now()
    with in_scope(scope):
        in_time = Q(secrets__ends_at__isnull=True) | Q(secrets__ends_at__gt=now)
        in_time &= Q(secrets__isnull=False)  # an account without secret has one empty row of the join
        account = (
            ApiAccount.objects.filter(pk=UUID(key))
            .select_related("organisation")
            .annotate(digests=ArrayAgg("secrets__digest", filter=in_time, default=[]))
            .first()
        )
        if not _proved(account, proof) or account is None or not account.usable:
            return None
        if account.admits(proof.address):
            _note_use(account, proof.address)
    return account


def _proved(account: ApiAccount | None, proof: Presented) -> bool:
    """Compare in constant time, whether or not there is an account, one secret or certificate, or two."""
    known: list[str] = list(getattr(account, "digests", []))[:_VALID_AT_ONCE]
    known += [_NO_DIGEST] * (_VALID_AT_ONCE - len(known))
    given = digest_of(proof.secret)
    by_secret = [hmac.compare_digest(given, digest) for digest in known]
    pinned = [
        (getattr(account, "certificate_sha256", ""), getattr(account, "certificate_until", None)),
        (getattr(account, "former_sha256", ""), getattr(account, "former_until", None)),
    ]
    now = clock.now()
    by_certificate = [
        hmac.compare_digest(proof.certificate or "-", digest or "+") and now < (until or _NEVER)
        for digest, until in pinned
    ]
    return any(by_certificate if pinned[0][0] else by_secret)


def _note_use(account: ApiAccount, address: str) -> None:
    now = clock.now()
    if account.last_used_at is None or account.last_used_at < now - USE_NOTED_EVERY:
        long_ago = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        ApiAccount.objects.filter(long_ago, pk=account.pk).update(last_used_at=now, last_address=address or None)
