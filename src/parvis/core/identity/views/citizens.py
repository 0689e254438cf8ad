"""One citizen's account as the platform sees it, found by its exact address or number: suspended, reopened, no more."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.identity import suspension
from parvis.core.identity.access import AccountRequest, platform_view
from parvis.core.identity.addresses import masked
from parvis.core.identity.forms import CitizenSearchForm, SuspensionForm
from parvis.core.identity.models import Account
from parvis.core.web.confirming import fill_in
from parvis.core.web.navigation import platform_tabs

FORM = ["GET", "HEAD", "POST"]


@never_cache
@require_http_methods(FORM)
@platform_view(recent=True)
def search(request: AccountRequest) -> HttpResponse:
    """Ask for one account; the address typed stays out of the page's own."""
    form = CitizenSearchForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        found = suspension.find_citizen(form.cleaned_data["who"], by=request.user, request=request)
        if found is not None:
            return redirect("identity_platform:citizen", pk=found.pk)
        form.add_error("who", "Aucun compte d’usager n’a exactement cette adresse ni ce numéro.")
    context = {"tabs": platform_tabs("usagers"), "form": form}
    return render(request, "identity/citizen_search.html", context, status=422 if form.errors else 200)


def _citizen(pk: int) -> Account:
    return get_object_or_404(suspension.citizens(), pk=min(pk, 2**63 - 1))


@never_cache
@require_safe
@platform_view
def detail(request: AccountRequest, pk: int) -> HttpResponse:
    """Name and state of one account; its holder sees that it was looked at."""
    account = _citizen(pk)
    suspended = suspension.consult_citizen(account, by=request.user, request=request)
    context = {
        "tabs": platform_tabs("usagers"),
        "account": account,
        "address": masked(account.email) if account.has_address else "aucune",
        "suspended": suspended,
        "reason": suspension.SUSPENDING.get(suspended.data.get("reason", ""), "") if suspended else "",
    }
    return render(request, "identity/citizen.html", context)


@never_cache
@require_http_methods(FORM)
@platform_view(recent=True)
def suspend(request: AccountRequest, pk: int) -> HttpResponse:
    return _change(request, pk, suspends=True)


@never_cache
@require_http_methods(FORM)
@platform_view(recent=True)
def reopen(request: AccountRequest, pk: int) -> HttpResponse:
    return _change(request, pk, suspends=False)


def _change(request: AccountRequest, pk: int, *, suspends: bool) -> HttpResponse:
    account, back = _citizen(pk), reverse("identity_platform:citizen", kwargs={"pk": pk})
    reasons = suspension.SUSPENDING if suspends else suspension.REOPENING
    act = suspension.suspend_citizen if suspends else suspension.reopen_citizen
    told = (
        ", et son titulaire est prévenu" if account.has_address else ". Sans adresse, son titulaire n’est pas prévenu"
    )
    form = SuspensionForm(request.POST if request.method == "POST" else None, reasons=reasons)
    return fill_in(
        request,
        form,
        title=f"{'Suspendre' if suspends else 'Rouvrir'} le compte de {account.full_name}",
        verb="Suspendre le compte" if suspends else "Rouvrir le compte",
        back=back,
        action=lambda: act(account, **form.cleaned_data, by=request.user, request=request),
        done=f"Le compte est {'suspendu : il est fermé partout' if suspends else 'de nouveau ouvert'}{told}.",
        crumbs=[
            {"label": "Comptes d’usagers", "url": reverse("identity_platform:citizens")},
            {"label": account.full_name, "url": back},
        ],
    )
