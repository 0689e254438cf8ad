"""To the directory of an organisation and back, and the first login by it."""

import logging

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from parvis.core.authentication.assurance import TWO_FACTORS, assurance_of
from parvis.core.authentication.factors import has_second_factor
from parvis.core.authentication.stepup import local_address
from parvis.core.federation import arrivals, directories, sessions
from parvis.core.federation.client import Answer, authorization_address, receive
from parvis.core.federation.configuration import Registration, is_directory
from parvis.core.federation.errors import Declined, FederationError, ProviderUnavailable
from parvis.core.federation.login import log_in, note
from parvis.core.federation.models import Directory
from parvis.core.identity.access import AccountRequest, account_view, open_view
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.organisations.naming import of_it

logger = logging.getLogger(__name__)


def _found(code: str) -> tuple[Directory, Registration]:
    directory = directories.named(code) if is_directory(code) else None
    if directory is None:
        raise Http404
    return directory, directories.registration_of(directory)


@open_view
@never_cache
@require_GET
def start(request: HttpRequest, provider: str) -> HttpResponse:
    """Send the browser to the directory; whoever is logged in here logs in there again."""
    return _leave(request, *_found(provider))


def _leave(request: HttpRequest, directory: Directory, registered: Registration) -> HttpResponse:
    wanted = local_address(request, request.GET.get("next", ""), "")
    user = request.user if isinstance(request.user, Account) else None
    alone = user is not None and not has_second_factor(user) and assurance_of(request).reaches(TWO_FACTORS)
    try:
        address = authorization_address(
            request, registered, wanted, fresh=user is not None, two_factors=alone and registered.factor is not None
        )
    except FederationError as error:
        return _failed(request, directory, registered, error)
    return HttpResponseRedirect(address)


@account_view
@never_cache
@require_GET
def again(request: AccountRequest) -> HttpResponse:
    """A fresh proof by the directory that opens this account."""
    directory = arrivals.directory_of(request.user)
    if directory is None:
        return redirect("federation:identities")
    return _leave(request, *_found(directory.code))


def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Where the directory sends the browser back; ``login.callback`` hands it over."""
    directory, registered = _found(provider)
    try:
        answer = receive(request, registered)
        email = arrivals.address_of(answer.identity, directory)
        account = arrivals.account_of(answer.identity, directory)
        if request.user.is_authenticated:
            return _logged_in_already(request, account, answer, directory)
        if account is None:
            if arrivals.has_holder(email):
                sessions.keep_pending(request, answer, sessions.FROM_DIRECTORY)
                query = urlencode({"next": reverse("federation:directory_link")})
                facts = {"label": registered.label, "email": email, "login_url": f"{reverse('account_login')}?{query}"}
                return render(request, "federation/directory_known.html", facts)
            account = arrivals.open_account(answer.identity, directory, email, request=request)
    except FederationError as error:
        return _failed(request, directory, registered, error)
    except arrivals.ArrivalRefused as refused:
        return _refused(request, directory, refused)
    if account.is_active and account.suspended_at is None:  # what follows refuses the others
        arrivals.note_use(account, directory)
        _tell(request, account, directory)
    identity = arrivals.proved_here(account, answer.identity, directory)
    return log_in(request, account, identity, answer.id_token, answer.next)


def _tell(request: HttpRequest, account: Account, directory: Directory) -> None:
    if arrivals.awaits_rights(account):
        messages.info(
            request,
            f"Votre compte attend ses droits : l’administration {of_it(directory.organisation.name)} le voit dans sa"
            " liste et vous donnera un rôle.",
        )


def _logged_in_already(
    request: HttpRequest, account: Account | None, answer: Answer, directory: Directory
) -> HttpResponse:
    """A fresh proof by somebody who is logged in, or an identity to link after a confirmation."""
    user = request.user
    assert isinstance(user, Account)
    if account is None or account.pk != user.pk:
        if sentence := arrivals.refusal_for(user, answer.identity, directory):
            return _refused(request, directory, arrivals.ArrivalRefused(sentence))
        sessions.keep_pending(request, answer, sessions.FROM_DIRECTORY)
        return redirect("federation:directory_link")
    arrivals.note_use(user, directory)
    sessions.keep_token(request, answer.identity, answer.id_token)
    note(request, arrivals.proved_here(user, answer.identity, directory), again=True)
    return HttpResponseRedirect(answer.next or reverse("federation:identities"))


@account_view(recent=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: AccountRequest) -> HttpResponse:
    """Confirm that the identity of the directory belongs to this account."""
    pending = sessions.pending(request, sessions.FROM_DIRECTORY)
    if pending is None:
        messages.info(request, "Aucune identité n’attend d’être reliée : recommencez par l’annuaire.")
        return redirect("federation:identities")
    directory, registered = _found(pending.identity.provider)
    try:
        if sentence := arrivals.refusal_for(request.user, pending.identity, directory):
            raise arrivals.ArrivalRefused(sentence)
        if request.method == "POST":
            arrivals.link(request.user, pending.identity, directory, request=request)
    except arrivals.ArrivalRefused as refused:
        sessions.forget_pending(request)
        return _refused(request, directory, refused)
    if request.method == "POST":
        sessions.forget_pending(request)
        sessions.keep_token(request, pending.identity, pending.id_token)
        note(request, arrivals.proved_here(request.user, pending.identity, directory))
        messages.success(request, f"{registered.label[0].upper()}{registered.label[1:]} ouvre désormais votre compte.")
        return HttpResponseRedirect(pending.next or reverse("federation:identities"))
    facts = {"label": registered.label, "email": pending.identity.email, "account": request.user}
    return render(request, "federation/directory_link.html", facts)


def _failed(
    request: HttpRequest, directory: Directory, registered: Registration, error: FederationError
) -> HttpResponse:
    logger.warning("%s: %s %s", registered.code, error.reason, error.data)
    audit(
        "user.login.failure",
        request=request,
        outcome="failure",
        method=arrivals.METHOD,
        client=directory.issuer,
        data={"reason": error.reason},
    )
    status = 503 if isinstance(error, ProviderUnavailable) else 200 if isinstance(error, Declined) else 400
    wanted = error.next or local_address(request, request.GET.get("next", ""), "")
    facts = {"sentence": error.sentence, "label": registered.label, "provider": registered.code, "wanted": wanted}
    return render(request, "federation/failure.html", facts, status=status)


def _refused(request: HttpRequest, directory: Directory, refused: arrivals.ArrivalRefused) -> HttpResponse:
    logger.warning("%s: %s", directory.code, refused.data.get("reason", "not this account"))
    audit(
        "user.login.failure",
        request=request,
        outcome="failure",
        method=arrivals.METHOD,
        client=directory.issuer,
        data={"reason": "refused"},
    )
    return render(request, "federation/directory_refused.html", {"sentence": refused.sentence}, status=409)
