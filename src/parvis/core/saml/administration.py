"""Screens of the sites: an organisation proposes them, the platform puts them in service."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.errors import DomainError
from parvis.core.identity.access import AccountRequest, AgentRequest, agent_view, platform_view
from parvis.core.identity.models import Account
from parvis.core.organisations.naming import of_it
from parvis.core.provider.forms import RefusalForm
from parvis.core.saml import metadata, services
from parvis.core.saml.attributes import labels
from parvis.core.saml.forms import SiteChangeForm, SiteForm
from parvis.core.saml.models import SamlSite
from parvis.core.web.confirming import confirm, gesture
from parvis.core.web.navigation import administration_tabs, platform_tabs
from parvis.core.web.templatetags.parvis import date_courte
from parvis.core.web.uploads import accepts_files

PERMISSION = "administration.organisation"


def _context(request: AgentRequest, **more: object) -> dict[str, object]:
    return {"tabs": administration_tabs(request.organisation, request.permissions, "saml"), **more}


def _described(text: str) -> dict[str, Any]:
    """What an administrator checks in metadata before trusting a site; a description that expired says so."""
    try:
        found = metadata.read(text.encode(), now=datetime.now(UTC), local=settings.DEMO)
    except metadata.MetadataRefused as refusal:
        return {"problem": refusal.sentence}
    return {
        "acs": found.acs,
        "logout": found.logout,
        "signs": found.signs_requests,
        "certificates": [
            (c.subject.rfc4514_string(), c.not_valid_after_utc, c.fingerprint(SHA256()).hex()[:16])
            for c in found.certificates
        ],
    }


def _shown(site: SamlSite) -> dict[str, Any]:
    """What the pages of a proposal show of it, for who makes it and for who approves it."""
    values = site.proposed
    return {
        "site": site,
        "values": values,
        "labels": labels(values["attributes"]),
        "populations": [Account.Population(code).label for code in values["populations"]],
        "described": _described(values["metadata"]),
        "changes": _changes(site),
    }


def _changes(site: SamlSite) -> list[tuple[str, str, str]]:
    """Label, value in force, value proposed of what an approval would change."""
    before, after = site.in_force, site.proposed
    found = [
        (str(SiteForm.base_fields[name].label), _words(name, before[name]), _words(name, after[name]))
        for name in ("name", "contact", "attributes", "populations", "members_only")
        if before[name] != after[name]
    ]
    if before["metadata"] == after["metadata"]:
        return found
    old, new = _spelled(before["metadata"]), _spelled(after["metadata"])
    said = [
        (label, old.get(label, "–"), new.get(label, "–"))
        for label in {**old, **new}
        if old.get(label) != new.get(label)
    ]
    return found + (said or [("Métadonnées", "le fichier d’avant", "un nouveau fichier, qui annonce la même chose")])


def _words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if name == "populations":
        return ", ".join(Account.Population(code).label for code in value) or "–"
    return ", ".join(labels(value)) or "aucune" if name == "attributes" else str(value)


def _spelled(text: str) -> dict[str, str]:
    """What metadata announce, by the labels of the page."""
    found = _described(text)
    if "problem" in found:
        return {"Métadonnées": str(found["problem"])}
    return {
        "Adresses de retour": ", ".join(found["acs"]),
        "Adresse de déconnexion": found["logout"] or "aucune",
        "Demandes signées": "oui" if found["signs"] else "non",
        "Certificats": "; ".join(
            f"{subject}, valable jusqu’au {date_courte(until)}, empreinte {print_}"
            for subject, until, print_ in found["certificates"]
        )
        or "aucun",
    }


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
            notices.success(request, f"{site.name} est proposé : la plateforme doit maintenant l’approuver.")
            return redirect("saml_sites:detail", organisation_slug=request.organisation.slug, pk=site.pk)
    return render(request, "saml/site_form.html", _context(request, form=form), status=422 if form.errors else 200)


@require_safe
@agent_view(PERMISSION)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One site: what it asks, what its metadata say, what the platform answered."""
    site = get_object_or_404(SamlSite, pk=pk, organisation=request.organisation)
    switchable = site.state in (SamlSite.State.LIVE, SamlSite.State.SUSPENDED)
    return render(request, "saml/site.html", _context(request, switchable=switchable, **_shown(site)))


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
@accepts_files(SiteForm)
def edit(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Propose other values or metadata; what is in force stays until the platform approves them."""
    site = get_object_or_404(SamlSite, pk=pk, organisation=request.organisation)
    form = SiteChangeForm(request.POST or None, request.FILES or None, site=site)
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.change(site, form.values, form.cleaned_data["file"], actor=request.actor)
        except DomainError as refusal:
            form.add_error("file", refusal.sentence)
        else:
            notices.success(
                request,
                "Rien n’a changé."
                if not changed
                else "La modification sera soumise à la plateforme quand vous remettrez le service en service."
                if site.state == SamlSite.State.SUSPENDED
                else "La modification prendra effet quand la plateforme l’aura approuvée.",
            )
            return redirect("saml_sites:detail", organisation_slug=request.organisation.slug, pk=pk)
    context = _context(request, form=form, site=site)
    return render(request, "saml/site_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def switch(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Suspend, or put back: what the page said, even where somebody else did it meanwhile."""
    site = get_object_or_404(SamlSite, pk=pk, organisation=request.organisation)
    asked = gesture(request)
    restores = asked == "remettre" if asked else site.state == SamlSite.State.SUSPENDED
    act = services.reactivate if restores else services.suspend
    if restores:
        verb, done = "Remettre en service", f"{site.name} est remis en service."
        text = "On pourra de nouveau s’y connecter, dans les conditions que la plateforme avait approuvées."
    else:
        verb, done = "Suspendre", f"{site.name} est suspendu."
        text = "Dès maintenant, personne ne pourra s’y connecter par le portail."
    return confirm(
        request,
        title=f"{verb}\u00a0: {site.name}",
        text=text,
        verb=verb,
        back=reverse("saml_sites:detail", kwargs={"organisation_slug": request.organisation.slug, "pk": pk}),
        action=lambda: act(site, actor=request.actor),
        done=done,
        hidden={"geste": "remettre" if restores else "suspendre"},
        danger=not restores,
    )


@require_safe
@platform_view
def proposed(request: AccountRequest) -> HttpResponse:
    """Every site of the platform; those that wait come first."""
    found = SamlSite.objects.select_related("organisation").order_by("name")
    context = {
        "rows": sorted(found, key=lambda site: not site.waits),
        "tabs": platform_tabs("saml"),
        "columns": [{"label": "Service"}, {"label": "Organisation"}, {"label": "État"}],
    }
    return render(request, "saml/platform.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@platform_view(recent=True)
def approval(request: AccountRequest, pk: UUID) -> HttpResponse:
    """One proposal, compared with what is in force."""
    site = get_object_or_404(SamlSite.objects.select_related("organisation"), pk=pk)
    decision = request.POST.get("decision", "")
    form = RefusalForm(request.POST if decision == "refuser" else None)
    refused = False
    try:
        if decision == "approuver":
            services.approve(site, seen=request.POST.get("vu", ""), by=request.user, actor=request.actor)
            notices.success(request, f"{site.name} est en service.")
            return redirect("saml_platform:list")
        if decision == "refuser" and form.is_valid():
            services.refuse(site, form.cleaned_data["reason"], actor=request.actor)
            notices.success(request, f"La proposition {of_it(site.organisation.short_name)} est refusée.")
            return redirect("saml_platform:list")
    except DomainError as refusal:
        notices.error(request, refusal.sentence)
        refused = True
        site.refresh_from_db()
    context = {"form": form, "seen": site.fingerprint, **_shown(site)}
    return render(request, "saml/approval.html", context, status=409 if refused else 422 if form.errors else 200)
