"""Deletion of one's own account: asked with a fresh proof, confirmed from the mail, proved by a receipt."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.errors import DomainError
from parvis.core.identity import deletion, links
from parvis.core.identity.access import AccountRequest, account_view, open_view
from parvis.core.identity.models import Link
from parvis.core.identity.views.frame import dress, dress_for
from parvis.core.web.navigation import account_tabs


@require_http_methods(["GET", "HEAD", "POST"])
@account_view(recent=True)
def ask(request: AccountRequest) -> HttpResponse:
    account = dress_for(request)
    refusal = None
    try:
        if request.method == "POST":
            closed = deletion.ask(account, request=request)
            if closed:
                logout(request)
                return redirect("identity:deletion_receipt", token=closed)
            messages.success(
                request, "Un message vient de partir : son lien, valable quarante-huit heures, supprime le compte."
            )
            return redirect("identity:overview")
        deletion.check(account)
    except deletion.DeletionRefused as refused:
        refusal = refused
    context = {"tabs": account_tabs("suppression", request.user), "refusal": refusal, "kept": deletion.KEPT}
    return render(request, "identity/deletion.html", context, status=409 if refusal and request.POST else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@open_view
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail, in whatever browser it is opened."""
    try:
        link = links.find(Link.Purpose.DELETION, token)
        dress(request, link.commune)
        if request.method == "POST":
            deletion.confirm(token, request=request)
            if request.user.is_authenticated and request.user.pk == link.account_id:
                logout(request)
            return redirect("identity:deletion_receipt", token=token)
    except DomainError as refused:
        holds = getattr(refused, "holds", [])
        return render(request, "identity/refused.html", {"sentence": refused.sentence, "holds": holds}, status=410)
    context = {"account": link.account, "kept": deletion.KEPT}
    return render(request, "identity/deletion_confirm.html", context)


@never_cache
@require_safe
@open_view
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The proof: reference, date, what was erased, what is kept and why. It names nobody."""
    found = deletion.receipt(token)
    if found is None:
        raise Http404
    dress(request, found.stone.link.commune if found.stone.link else None)
    return render(request, "identity/receipt.html", {"receipt": found})
