"""« Services reliés » of a person."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.identity.access import AccountRequest, account_view
from parvis.core.provider import services
from parvis.core.web.navigation import account_tabs


@require_safe
@account_view
def my_services(request: AccountRequest) -> HttpResponse:
    context = {"tabs": account_tabs("services", request.user), "services": services.linked_to(request.user)}
    return render(request, "provider/my_services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def withdraw(request: AccountRequest, client_id: str) -> HttpResponse:
    """Take back one's agreement, after a confirmation."""
    found = next((s for s in services.consents_of(request.user) if s.client_id == client_id and s.withdrawal), None)
    if found is None:
        raise Http404
    if request.method == "POST":
        services.withdraw(request.user, client_id, request=request)
        messages.success(request, f"{found.name} n’a plus accès à vos données.")
        return redirect("provider:my_services")
    return render(request, "provider/withdraw.html", {"service": found})
