"""Registration of a citizen, under ``/inscription/``."""

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.authentication import sessions, throttle
from parvis.core.errors import DomainError
from parvis.core.identity import links, registration
from parvis.core.identity.access import open_view
from parvis.core.identity.audit import audit
from parvis.core.identity.forms import AddressForm, RegistrationForm
from parvis.core.identity.models import Account, Link
from parvis.core.identity.views.frame import commune_called, dress, local_path, too_many

PER_NETWORK = 40


@require_http_methods(["GET", "HEAD", "POST"])
@open_view
def ask(request: HttpRequest) -> HttpResponse:
    """The address first: the answer is the same whether it has an account or not."""
    given = request.POST if request.method == "POST" else request.GET
    commune, wanted = commune_called(given.get("commune")), local_path(given.get("next"))
    dress(request, commune)
    if request.user.is_authenticated:
        return redirect(wanted or "identity:overview")
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if too_many(request, "registration", PER_NETWORK):
            form.add_error(None, "Trop de demandes viennent de votre réseau. Réessayez dans une heure.")
        else:
            registration.ask(form.cleaned_data["email"], commune=commune, next=wanted, request=request)
            query = urlencode({"commune": commune.slug}) if commune else ""
            return redirect(f"{reverse('registration:sent')}{'?' if query else ''}{query}")
    context = {"form": form, "commune": commune, "next": wanted}
    return render(request, "identity/registration/ask.html", context)


@require_safe
@open_view
def sent(request: HttpRequest) -> HttpResponse:
    dress(request, commune_called(request.GET.get("commune")))
    return render(request, "identity/registration/sent.html")


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@open_view
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail, in whatever browser it is opened: names and password, then the account is there."""
    try:
        link = links.find(Link.Purpose.REGISTRATION, token)
    except links.LinkRefused as refused:
        return _refused(request, refused)
    dress(request, link.commune)
    form = RegistrationForm(request.POST or None, email=link.email)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            account, link = registration.complete(
                token,
                given_names=given["given_names"],
                family_name=given["family_name"],
                password=given["password"],
                civility=given["civility"],
                request=request,
            )
        except (links.LinkRefused, registration.AlreadyRegistered) as refused:
            return _refused(request, refused)
        answer = redirect(local_path(link.next) or "identity:overview")
        _log_in(request, answer, account)
        messages.success(request, f"Bienvenue {account.given_name}, votre compte est ouvert.")
        return answer
    return render(request, "identity/registration/open.html", {"form": form, "email": link.email})


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    return render(request, "identity/registration/refused.html", {"sentence": error.sentence}, status=410)


def _log_in(request: HttpRequest, answer: HttpResponse, account: Account) -> None:
    """Open a session of level 1: the password was just chosen by whoever proved the address."""
    login(request, account, backend=settings.AUTHENTICATION_BACKENDS[0])
    record_authentication(request, account, method="password", email=account.email)
    sessions.open_session(request, account, [])
    throttle.remember_device(request, answer, account.email)
    audit("user.login", account=account, request=request, method="password")
