"""Screens of the sites: an organisation proposes them, the platform puts them in service."""

from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.errors import DomainError
from parvis.core.identity.access import AccountRequest, AgentRequest, agent_view, platform_view
from parvis.core.saml import metadata, services
from parvis.core.saml.attributes import ATTRIBUTES
from parvis.core.saml.forms import MetadataForm, SiteForm
from parvis.core.saml.models import SamlSite
from parvis.core.web.navigation import administration_tabs, platform_tabs
from parvis.core.web.uploads import accepts_files

PERMISSION = "administration.organisation"


def _context(request: AgentRequest, **more: object) -> dict[str, object]:
    return {"tabs": administration_tabs(request.organisation, request.permissions, "saml"), **more}


def _described(site: SamlSite) -> dict[str, object]:
    """What an administrator checks before trusting a site; a description that expired says so."""
    try:
        found = metadata.read(site.metadata.encode(), now=datetime.now(UTC), local=settings.DEMO)
    except metadata.MetadataRefused as refusal:
        return {"problem": refusal.sentence}
    return {
        "acs": found.acs,
        "logout": found.logout,
        "signs": found.signs_requests,
        "certificates": [(c.subject.rfc4514_string(), c.not_valid_after_utc) for c in found.certificates],
    }


def _labels(site: SamlSite) -> list[str]:
    return [ATTRIBUTES[code].label for code in site.attributes if code in ATTRIBUTES]


@require_safe
@agent_view(PERMISSION)
def sites(request: AgentRequest) -> HttpResponse:
    found = SamlSite.objects.filter(organisation=request.organisation)
    address = settings.BASE_URL.rstrip("/") + reverse("saml:metadata")
    return render(request, "saml/sites.html", _context(request, sites=found, address=address))


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
@accepts_files(SiteForm)
def propose(request: AgentRequest) -> HttpResponse:
    form = SiteForm(request.POST or None, request.FILES or None, initial={"attributes": ["mail"]})
    if request.method == "POST" and form.is_valid():
        try:
            site = services.register(request.organisation, form.cleaned_data["file"], form.values, actor=request.actor)
        except DomainError as refusal:
            form.add_error("file", refusal.sentence)
        else:
            notices.success(request, f"« {site.name} » est proposé : la métropole le mettra en service.")
            return redirect("saml_sites:detail", organisation_slug=request.organisation.slug, pk=site.pk)
    return render(request, "saml/site_form.html", _context(request, form=form), status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
@accepts_files(MetadataForm)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One site: what its metadata say, new metadata, and its suspension."""
    site = get_object_or_404(SamlSite, pk=pk, organisation=request.organisation)
    form = MetadataForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.renew(site, form.cleaned_data["file"], actor=request.actor)
        except DomainError as refusal:
            form.add_error("file", refusal.sentence)
        else:
            notices.success(request, "Les métadonnées sont remplacées ; le service attend sa remise en service.")
            return redirect("saml_sites:detail", organisation_slug=request.organisation.slug, pk=site.pk)
    context = _context(request, site=site, form=form, labels=_labels(site), described=_described(site))
    return render(request, "saml/site.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def suspend(request: AgentRequest, pk: UUID) -> HttpResponse:
    site = get_object_or_404(SamlSite, pk=pk, organisation=request.organisation)
    if request.method == "POST":
        services.suspend(site, actor=request.actor)
        notices.success(request, f"« {site.name} » n’est plus en service.")
        return redirect("saml_sites:detail", organisation_slug=request.organisation.slug, pk=site.pk)
    return render(request, "saml/suspend.html", {"site": site})


@require_safe
@platform_view
def proposed(request: AccountRequest) -> HttpResponse:
    """Every site of the platform; those that wait come first."""
    found = SamlSite.objects.select_related("organisation").order_by("-state", "name")
    rows = [(site, _described(site), _labels(site)) for site in found]
    return render(request, "saml/platform.html", {"rows": rows, "tabs": platform_tabs("saml")})


@require_POST
@platform_view(recent=True)
def approve(request: AccountRequest, pk: UUID) -> HttpResponse:
    site = get_object_or_404(SamlSite.objects.select_related("organisation"), pk=pk)
    try:
        services.approve(site, seen=request.POST.get("vu", ""), by=request.user, actor=request.actor)
    except services.SiteRefused as refusal:
        notices.error(request, refusal.sentence)
    else:
        notices.success(request, f"« {site.name} » est en service.")
    return redirect("saml_platform:list")
