"""Logs in whoever a provider answered for, through the same stages as every other login."""

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse

from parvis.core.authentication.assurance import note_federated
from parvis.core.federation import sessions
from parvis.core.federation.client import Identity
from parvis.core.federation.configuration import PROCONNECT, TWO_FACTORS
from parvis.core.identity.models import Account


def proves_two_factors(identity: Identity) -> bool:
    """True when ProConnect answers for a second factor: ours is not asked again."""
    return identity.provider == PROCONNECT and (identity.acr in TWO_FACTORS or "mfa" in identity.amr)


def log_in(
    request: HttpRequest, account: Account, identity: Identity, id_token: str, next_page: str, *, signup: bool = False
) -> HttpResponse:
    """Carry the login on: a second factor that the provider did not prove is asked where the account has one."""
    acr = TWO_FACTORS[0] if proves_two_factors(identity) and identity.acr not in TWO_FACTORS else identity.acr
    note_federated(request, identity.provider, acr, identity.amr, user=account)
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
