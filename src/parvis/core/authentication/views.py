"""Pages of a person's security, under ``/mon-compte/securite/``."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.authentication import stepup
from parvis.core.authentication.assurance import federated_proofs
from parvis.core.authentication.factors import has_passkey
from parvis.core.authentication.forms import StepUpForm
from parvis.core.authentication.sessions import renew
from parvis.core.identity.access import AccountRequest, account_view


@account_view
@never_cache
@sensitive_post_parameters("password", "code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
def step_up(request: AccountRequest) -> HttpResponse:
    """Ask again for the proofs that this account is able to give, then go on with what was interrupted."""
    account = request.user
    token = request.GET.get("suite") or request.POST.get("suite", "")
    wanted = request.GET.get("next") or request.POST.get("next", "")
    waiting = stepup.pending(request, token) if token else None
    form, problem = StepUpForm(account=account), ""
    if request.method == "POST" and "credential" in request.POST:
        key = ReauthenticateWebAuthnForm(request.POST, user=account)
        if key.is_valid():
            key.save()
            return _carry_on(request, token, wanted)
        problem = "Cette clé d’accès n’a pas été reconnue. Recommencez, ou servez-vous de votre mot de passe."
    elif request.method == "POST":
        form = StepUpForm(request.POST, account=account)
        if form.fields and form.is_valid():
            if "password" in form.fields:
                record_authentication(request, account, method="password", reauthenticated=True)
            if form.authenticator is not None:
                post_authentication(request, form.authenticator, reauthenticated=True)
            return _carry_on(request, token, wanted)
    passkey = has_passkey(account)
    context = {
        "form": form,
        "problem": problem,
        "waiting": waiting,
        "token": token,
        "next": wanted,
        "proofs": federated_proofs(account),
        "js_data": {"request_options": webauthn.begin_authentication(account)} if passkey else None,
    }
    return render(request, "authentication/step_up.html", context, status=400 if form.errors or problem else 200)


def _carry_on(request: AccountRequest, token: str, wanted: str) -> HttpResponse:
    """A new session identifier, then back to what was asked."""
    renew(request)
    if token:
        return redirect(f"{reverse('authentication:resume')}?suite={token}")
    if (resumed := resume_request(request)) is not None:  # a page of the account library was waiting
        return resumed
    return redirect(stepup.local_address(request, wanted, reverse("authentication:security")))


@account_view
@never_cache
@require_safe
def resume(request: AccountRequest) -> HttpResponse:
    """What was being sent, ready to be sent again with one click."""
    waiting = stepup.pending(request, request.GET.get("suite", ""))
    if waiting is None:
        return redirect("authentication:security")
    if not waiting.lost:
        stepup.forget(request, waiting.token)
    return render(request, "authentication/resume.html", {"waiting": waiting})


@account_view
@require_safe
def security(request: AccountRequest) -> HttpResponse:
    """How this account is protected."""
    return render(request, "authentication/security.html", {"factors": Authenticator.objects.filter(user=request.user)})
