"""Logs in whoever a provider answered for, through the same stages as every other login."""

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse

from parvis.core import clock
from parvis.core.authentication.assurance import RECENT, note_federated
from parvis.core.federation import sessions
from parvis.core.federation.client import Identity
from parvis.core.federation.configuration import DIRECTORY, FRANCECONNECT, PROCONNECT, TWO_FACTORS, is_directory
from parvis.core.identity.models import Account


def proves_two_factors(identity: Identity) -> bool:
    """True when ProConnect, or a directory approved for that, answers for a second factor: ours is not asked again."""
    if is_directory(identity.provider):
        return identity.acr in TWO_FACTORS
    return identity.provider == PROCONNECT and (identity.acr in TWO_FACTORS or "mfa" in identity.amr)


def note(request: HttpRequest, identity: Identity, *, user: Account | None = None, again: bool = False) -> None:
    """Write down what the provider answered for, and when the person proved it there (see ``note_federated``)."""
    acr = TWO_FACTORS[0] if proves_two_factors(identity) and identity.acr not in TWO_FACTORS else identity.acr
    provider = DIRECTORY if is_directory(identity.provider) else identity.provider
    note_federated(request, provider, acr, identity.amr, age=_age(identity), user=user, again=again)


def _age(identity: Identity) -> float:
    """Seconds since the person logged in at the provider. A session that ProConnect does not date is not recent."""
    if identity.authenticated_at:
        return max(0.0, clock.now().timestamp() - identity.authenticated_at)
    return 0 if identity.provider == FRANCECONNECT else RECENT


def log_in(
    request: HttpRequest, account: Account, identity: Identity, id_token: str, next_page: str, *, signup: bool = False
) -> HttpResponse:
    """Carry the login on: a second factor that the provider did not prove is asked where the account has one."""
    note(request, identity, user=account)
    sessions.forget_pending(request)
    sessions.keep_token(request, identity, id_token)
    login = Login(
        user=account,
        email_verification=EmailVerificationMethod.NONE,
        redirect_url=next_page or None,
        signup=signup,
    )
    if not proves_two_factors(identity):
        return perform_login(request, login)
    adapter = get_adapter(request)
    hooks = {
        "email_verification": login.email_verification,
        "redirect_url": login.redirect_url,
        "signal_kwargs": None,
        "signup": signup,
        "email": None,
    }
    refusal = adapter.pre_login(request, account, **hooks)
    if refusal is not None:
        return refusal
    adapter.login(request, account)
    return adapter.post_login(request, account, **hooks)
