"""Change of e-mail address: asked with a fresh proof, confirmed from the new address, undone from the old one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parvis.core.errors import DomainError
from parvis.core.identity import addresses, email_change, links
from parvis.core.identity.access import AccountRequest, account_view, open_view
from parvis.core.identity.forms import AddressForm
from parvis.core.identity.models import Link
from parvis.core.identity.views.frame import dress, dress_for, too_many
from parvis.core.web.navigation import account_tabs

PER_NETWORK = 20


@require_http_methods(["GET", "HEAD", "POST"])
@account_view(recent=True)
def ask(request: AccountRequest) -> HttpResponse:
    account = dress_for(request)
    unproved = account.email if account.has_address and not account.proved_address else ""
    form = AddressForm(request.POST or None, initial={"email": unproved})
    if request.method == "POST" and form.is_valid():
        try:
            if too_many(request, "email", PER_NETWORK):
                raise email_change.ChangeRefused("Trop de demandes viennent de votre réseau. Réessayez dans une heure.")
            email_change.ask(account, form.cleaned_data["email"], request=request)
        except email_change.ChangeRefused as refused:
            form.add_error("email", refused.sentence)
        else:
            messages.success(
                request,
                "Un message est parti vers cette adresse : ouvrez son lien, valable deux heures.",
            )
            return redirect("identity:overview")
    return render(request, "identity/email.html", {"tabs": account_tabs("compte", request.user), "form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def confirm(request: AccountRequest, token: str) -> HttpResponse:
    """The link sent to the new address; whoever follows it is logged in to the account that asked."""
    account = dress_for(request)
    try:
        link = links.find(Link.Purpose.EMAIL, token)
        if link.account_id != account.pk:
            raise email_change.ChangeRefused(email_change.OTHER_ACCOUNT)
        if request.method == "POST":
            email_change.confirm(account, token, request=request)
            messages.success(request, "L’adresse de votre compte est prouvée.")
            return redirect("identity:overview")
    except DomainError as refused:
        return render(request, "identity/refused.html", {"sentence": refused.sentence}, status=410)
    return render(request, "identity/email_confirm.html", {"new": link.email})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@open_view
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """The link sent to the former address, for whoever did not want the change."""
    try:
        link = links.find(Link.Purpose.EMAIL_UNDO, token)
        dress(request, link.commune)
        if request.method == "POST":
            email_change.undo(token, request=request)
            return render(request, "identity/email_undone.html", {"old": link.email})
    except DomainError as refused:
        return render(request, "identity/refused.html", {"sentence": refused.sentence}, status=410)
    context = {"old": link.email, "new": addresses.masked(link.account.email) if link.account else ""}
    return render(request, "identity/email_undo.html", context)
