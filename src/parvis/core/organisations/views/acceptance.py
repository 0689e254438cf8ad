"""The invited person's side: what is offered, accepted with a new account or with their own."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import open_view
from parvis.core.identity.models import Account
from parvis.core.organisations import invitations, platform
from parvis.core.organisations.forms import PasswordForm

GONE = 410
FORM = ["GET", "HEAD", "POST"]


@never_cache
@sensitive_post_parameters("password", "again")
@require_http_methods(FORM)
@open_view
def accept(request: HttpRequest, organisation: str, token: str) -> HttpResponse:
    invitation = invitations.find(organisation, token)
    if invitation is None:
        raise Http404
    state = invitation.state(clock.now())
    context = {
        "invitation": invitation,
        "state": state,
        "form": PasswordForm(least=invitation.organisation.password_length),
    }
    if state != "sent":
        return render(request, "invitations/gone.html", context, status=GONE)
    if isinstance(request.user, Account):
        return _with_own_account(request, context)
    return _with_new_account(request, context)


def _with_own_account(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    invitation, account = context["invitation"], request.user
    assert isinstance(account, Account)
    context["refusal"] = invitations.refusal_for(invitation, account)
    if request.method == "POST" and not context["refusal"]:
        try:
            invitations.accept(invitation, account, request=request)
        except DomainError as error:
            context["refusal"] = error.sentence
        else:
            messages.success(request, f"Vous agissez désormais pour {invitation.organisation.short_name}.")
            return redirect("web:choose", slug=invitation.organisation.slug)
    status = 403 if context["refusal"] and request.method == "POST" else 200
    return render(request, "invitations/accept.html", context, status=status)


def _with_new_account(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    form = PasswordForm(request.POST or None, least=context["invitation"].organisation.password_length)
    if request.method == "POST" and form.is_valid():
        try:
            invitations.accept_with_new_account(context["invitation"], form.cleaned_data["password"], request=request)
        except ValidationError as error:
            form.add_error("password", error)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "Votre compte est créé. Connectez-vous, puis activez votre second facteur.")
            return redirect("account_login")
    return render(request, "invitations/accept.html", context | {"form": form})


@never_cache
@sensitive_post_parameters("password", "again")
@require_http_methods(FORM)
@open_view
def operator(request: HttpRequest, token: str) -> HttpResponse:
    """The account of a new operator, made from the link that two others caused to be sent."""
    grant = platform.grant_behind(token)
    if grant is None:
        raise Http404
    if not platform.is_open(grant):
        state = "accepted" if grant.accepted_at else "expired"
        return render(request, "invitations/gone.html", {"state": state}, status=GONE)
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            platform.accept_operator(grant, form.cleaned_data["password"], request=request)
        except ValidationError as error:
            form.add_error("password", error)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "Votre compte est créé. Connectez-vous, puis ajoutez votre clé d’accès.")
            return redirect("account_login")
    return render(request, "invitations/operator.html", {"form": form, "grant": grant})
