"""Host names of organisations, for those who run the platform."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from parvis.core.identity.access import AccountRequest, platform_view
from parvis.core.organisations.naming import of_it
from parvis.core.portal import hosts
from parvis.core.portal.forms import HostForm
from parvis.core.portal.models import HostName
from parvis.core.web.confirming import confirm
from parvis.core.web.navigation import platform_tabs


@require_http_methods(["GET", "HEAD", "POST"])
@platform_view(recent=True)
def host_list(request: AccountRequest) -> HttpResponse:
    """Every host with its organisation, and the form that adds one."""
    form = HostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            hosts.add_host(values["organisation"], values["host"], primary=values["primary"], actor=request.actor)
        except hosts.HostRefused as refusal:
            form.add_error("host", refusal.sentence)
        else:
            messages.success(request, "Le nom de domaine est ajouté. Il répond partout dans la minute.")
            return redirect("portal:hosts")
    context = {
        "tabs": platform_tabs("hosts"),
        "form": form,
        "hosts": HostName.objects.select_related("organisation").order_by("organisation__short_name", "host"),
        "columns": [
            {"label": "Nom de domaine"},
            {"label": "Organisation"},
            {"label": "Usage"},
            {"label": "Action", "hidden": True},
        ],
    }
    return render(request, "portal/hosts.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@platform_view(recent=True)
def remove(request: AccountRequest, pk: int) -> HttpResponse:
    host = get_object_or_404(HostName.objects.select_related("organisation"), pk=pk)
    return confirm(
        request,
        title=f"Retirer {host.host}",
        text=f"Ce nom ne montrera plus les pages {of_it(host.organisation.short_name)} : qui le demandera sera refusé.",
        verb="Retirer ce nom de domaine",
        back=reverse("portal:hosts"),
        crumbs=[{"label": "Noms de domaine", "url": reverse("portal:hosts")}, {"label": "Retirer"}],
        action=lambda: hosts.remove_host(host, actor=request.actor),
        done="Le nom de domaine est retiré.",
    )
