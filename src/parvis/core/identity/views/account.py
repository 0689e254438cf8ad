"""« Mon compte »: overview, profile, events, export."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity import exporting, profile
from parvis.core.identity.access import AccountRequest, account_view, request_mandates
from parvis.core.identity.events import EVENTS
from parvis.core.identity.forms import ProfileForm, shown_value
from parvis.core.identity.models import Account, SecurityEvent
from parvis.core.identity.views.frame import dress_for
from parvis.core.organisations.tenancy import identity_of
from parvis.core.web.keyset import page_of
from parvis.core.web.navigation import account_tabs


@require_safe
@account_view
def overview(request: AccountRequest) -> HttpResponse:
    account = dress_for(request)
    known = profile.attributes_of(account)
    context = {
        "tabs": account_tabs("compte", request.user),
        "attributes": [(known[name], shown_value(known[name])) for name in profile.values.LABELS if name in known],
        "mandates": request_mandates(request),
        "citizen": account.population == Account.Population.USAGER,
    }
    return render(request, "identity/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def edit_profile(request: AccountRequest) -> HttpResponse:
    account = dress_for(request)
    known = profile.attributes_of(account)
    form = ProfileForm(request.POST if request.method == "POST" else None, attributes=known)
    if request.method == "POST" and form.is_valid():
        try:
            changed = profile.declare(account, form.declared(), request=request)
        except DomainError as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, "Votre profil est enregistré." if changed else "Rien n’a changé.")
            return redirect("identity:overview")
    context = {
        "tabs": account_tabs("profil", request.user),
        "form": form,
        "verified": [(a, shown_value(a)) for a in known.values() if a.verified],
    }
    return render(request, "identity/profile.html", context)


@require_safe
@account_view
def events(request: AccountRequest) -> HttpResponse:
    """What happened to the account, as its holder may read it."""
    account = dress_for(request)
    with identity_of(account.pk):  # not those that the organisations acted for would show
        page = page_of(SecurityEvent.objects.filter(account=account), "at", request.GET)
    context = {
        "tabs": account_tabs("evenements", request.user),
        "lines": [(row, EVENTS.get(row.event, row.event)) for row in page.rows],
        "page": page,
        "columns": [{"label": "Date"}, {"label": "Événement"}, {"label": "Depuis"}, {"label": "Résultat"}],
    }
    return render(request, "identity/events.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_view(recent=True)
def export(request: AccountRequest) -> HttpResponse:
    """Ask for the archive of everything the account holds, see it being prepared, find it again for a week."""
    account = dress_for(request)
    if request.method == "POST":
        try:
            exporting.ask(account, request=request)
        except exporting.ExportRefused as refused:
            messages.info(request, refused.sentence)
        return redirect("identity:export")
    return render(
        request, "identity/export_page.html", {"tabs": account_tabs("donnees", request.user), **_export(account)}
    )


@never_cache
@require_safe
@account_view
def export_progress(request: AccountRequest) -> HttpResponse:
    """The progress alone, which the page asks for again while it is open."""
    return render(request, "identity/export_progress.html", _export(dress_for(request)))


def _export(account: Account) -> dict[str, object]:
    found = exporting.latest(account)
    stuck = found is not None and not found.ready_at and clock.now() - found.asked_at > exporting.PATIENCE
    return {"export": found, "stuck": stuck}


@never_cache
@require_safe
@account_view(recent="always")
def download(request: AccountRequest, pk: UUID, name: str) -> HttpResponse:
    archive = exporting.archive_of(request.user, pk, name)
    if archive is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="mes-donnees-{name}.zip"'}
    return HttpResponse(archive, content_type="application/zip", headers=headers)
