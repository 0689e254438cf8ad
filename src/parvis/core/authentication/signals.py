"""Writes in the log, and tells the holder, what django-allauth does to an account."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.dispatch import receiver
from django.http import HttpRequest

from parvis.core.authentication import factors, notices, sessions, throttle
from parvis.core.authentication.assurance import FEDERATED, Assurance, assurance_of
from parvis.core.authentication.devices import describe
from parvis.core.identity.access import mandates_of
from parvis.core.identity.audit import audit
from parvis.core.identity.middleware import SETTLED
from parvis.core.identity.models import Account

METHODS = {
    Authenticator.Type.TOTP: "totp",
    Authenticator.Type.RECOVERY_CODES: "code",
    Authenticator.Type.WEBAUTHN: "passkey",
}


def _device(request: HttpRequest | None) -> str:
    return describe(request.META.get("HTTP_USER_AGENT", "")) if request else ""


def method_of(assurance: Assurance) -> str:
    """How the person logged in, as the log names it."""
    if "pop" in assurance.amr:
        return "passkey"
    parts = [name for mark, name in (("pwd", "password"), ("otp", "totp")) if mark in assurance.amr]
    return "+".join(parts) or ("franceconnect" if assurance.identity_proven else "federation")


def _provider(request: HttpRequest, user: Account) -> str:
    """``franceconnect`` or ``proconnect`` when one of them answered for this login."""
    methods = [str(record.get("method")) for record in get_authentication_records(request, user)]
    return next((method for method in methods if method in FEDERATED), "")


@receiver(account_signals.user_logged_in)
def logged_in(sender: Any, request: HttpRequest, user: Account, response: Any = None, **kwargs: Any) -> None:
    ended = sessions.open_session(request, user, mandates_of(user))
    for _ in range(ended):
        audit("user.session.revoked", account=user, request=request, data={"reason": "limit"})
    new = not throttle.known_device(request, user.email)
    method = _provider(request, user) or method_of(assurance_of(request))
    audit("user.login", account=user, request=request, method=method, data={"new": new})
    if response is not None:
        throttle.remember_device(request, response, user.email)
    if new:
        notices.tell(user, "device", device=_device(request))


@receiver(account_signals.user_logged_out)
def logged_out(sender: Any, request: HttpRequest, user: Account | None, **kwargs: Any) -> None:
    if isinstance(user, Account):
        audit(
            "user.logout", account=user, request=request, data={"reason": getattr(request, "logout_reason", "person")}
        )
        sessions.forget_line(request)


@receiver([account_signals.password_changed, account_signals.password_set])
def password_changed(sender: Any, request: HttpRequest, user: Account, **kwargs: Any) -> None:
    audit("user.password.change", account=user, request=request)
    sessions.end_all(user, but=request.session.session_key)
    notices.tell(user, "password", device=_device(request))


@receiver(account_signals.password_reset)
def password_reset(sender: Any, request: HttpRequest, user: Account, **kwargs: Any) -> None:
    audit("user.password.reset", account=user, request=request)
    sessions.end_all(user)
    notices.tell(user, "password", device=_device(request))


@receiver(mfa_signals.authenticator_added)
def factor_added(sender: Any, request: HttpRequest, user: Account, authenticator: Authenticator, **kwargs: Any) -> None:
    """The code or the signature that enrols a factor proves that it is held: it counts as its first use.

    Sessions opened without it end.
    """
    audit("user.mfa.enrol", account=user, request=request, method=METHODS[Authenticator.Type(authenticator.type)])
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True)
        sessions.renew(request)
        sessions.end_all(user, but=request.session.session_key)
        if factors.passkey_only(user) and authenticator.type == Authenticator.Type.WEBAUTHN:
            _retire_application(request, user)
        notices.tell(user, "factor.added", device=_device(request))


def _retire_application(request: HttpRequest, user: Account) -> None:
    """The application that opened the way to the first passkey opens nothing more."""
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()[0]:
        audit("user.mfa.removal", account=user, request=request, method="totp")


@receiver(mfa_signals.authenticator_removed)
def factor_removed(
    sender: Any, request: HttpRequest, user: Account, authenticator: Authenticator, **kwargs: Any
) -> None:
    request.session.pop(SETTLED, None)
    audit("user.mfa.removal", account=user, request=request, method=METHODS[Authenticator.Type(authenticator.type)])
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        notices.tell(user, "factor.removed", device=_device(request))


@receiver(mfa_signals.authenticator_reset)
def codes_renewed(sender: Any, request: HttpRequest, user: Account, **kwargs: Any) -> None:
    audit("user.mfa.enrol", account=user, request=request, method="code")
    notices.tell(user, "factor.codes", device=_device(request))


@receiver(mfa_signals.authenticator_used)
def factor_used(sender: Any, request: HttpRequest, user: Account, authenticator: Authenticator, **kwargs: Any) -> None:
    spent = authenticator.type == Authenticator.Type.RECOVERY_CODES
    event = "user.mfa.recovery_used" if spent else "user.mfa.use"
    audit(event, account=user, request=request, method=METHODS[Authenticator.Type(authenticator.type)])


@receiver(mfa_signals.authentication_failed)
def factor_failed(
    sender: Any, request: HttpRequest, user: Account, authenticator: Authenticator, **kwargs: Any
) -> None:
    method = METHODS[Authenticator.Type(authenticator.type)]
    audit("user.mfa.failure", account=user, request=request, outcome="failure", method=method)
