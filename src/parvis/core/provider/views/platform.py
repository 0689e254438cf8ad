"""The platform approves the sites that organisations propose."""

from __future__ import annotations

import base64
from uuid import UUID

from allauth.idp.oidc.models import Client
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.branding.images import MAX_LOGO
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes
from parvis.core.identity.access import AccountRequest, platform_view
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.naming import of_it
from parvis.core.organisations.tenancy import acting_for
from parvis.core.provider import services
from parvis.core.provider.forms import RefusalForm
from parvis.core.provider.models import Service
from parvis.core.provider.services import RegistrationRefused
from parvis.core.provider.sites import Site
from parvis.core.provider.views.administration import described
from parvis.core.web.navigation import platform_tabs

WAITING = (Service.State.PROPOSED, Service.State.CHANGED)


@require_safe
@platform_view
def approvals(request: AccountRequest) -> HttpResponse:
    """Every site with its organisation; the rows of organisations themselves stay unseen from here."""
    names = dict(Organisation.objects.values_list("pk", "short_name"))
    rows = []
    for client in Client.objects.filter(data__has_key="site").order_by("name"):
        site, state = Site.of(client), client.data["state"]
        rows.append((client, site, names.get(site.organisation, ""), Service.State(state).label, state in WAITING))
    rows.sort(key=lambda row: (not row[4], row[0].name.lower()))
    columns = [{"label": "Service"}, {"label": "Organisation"}, {"label": "État"}]
    context = {"tabs": platform_tabs("services"), "rows": rows, "columns": columns}
    return render(request, "provider/approvals.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@platform_view(recent=True)
def approval(request: AccountRequest, organisation: int, pk: UUID) -> HttpResponse:
    """One proposal, compared with what is in force."""
    form = RefusalForm(request.POST if request.POST.get("decision") == "refuser" else None)
    refused = False
    owner = get_object_or_404(Organisation, pk=organisation)
    with acting_for(owner, account=request.user.pk):
        service = services.service_for(owner.pk, pk)
        if service is None:
            raise Http404
        try:
            if request.POST.get("decision") == "approuver":
                services.approve(
                    service, seen=request.POST.get("vu", ""), by=request.user, actor=request.actor, request=request
                )
                messages.success(request, f"{service.name} est en service.")
                return redirect("provider:approvals")
            if request.POST.get("decision") == "refuser" and form.is_valid():
                services.refuse(service, form.cleaned_data["reason"], actor=request.actor, request=request)
                messages.success(request, f"La proposition {of_it(service.organisation.short_name)} est refusée.")
                return redirect("provider:approvals")
        except RegistrationRefused as error:
            messages.error(request, error.sentence)
            refused = True
            service.refresh_from_db()
        context = {
            "service": service,
            "seen": services.fingerprint(service),
            "waiting": service.state in WAITING,
            **described(service),
            "logo": _inlined(service.logo) if service.logo else "",
            "form": form,
            "columns": [{"label": "Champ"}, {"label": "En vigueur"}, {"label": "Proposé"}],
        }
        return render(
            request, "provider/approval.html", context, status=409 if refused else 422 if form.errors else 200
        )


def _inlined(logo: Document) -> str:
    """A proposed logo inside the page: no address shows it before it is approved."""
    content = base64.b64encode(read_bytes(logo, limit=MAX_LOGO)).decode()
    return f"data:{logo.media_type};base64,{content}"
