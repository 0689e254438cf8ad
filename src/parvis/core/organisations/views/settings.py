"""Administration of an organisation: its identity, its colours, its people, what it subscribed to."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.models import Mandate
from parvis.core.organisations import services
from parvis.core.organisations.forms import ColoursForm, MandateForm, PresentationForm
from parvis.core.web.navigation import administration_tabs
from parvis.core.web.theming import ColourTooPale, contrast, worst_contrast

PERMISSION = "administration.organisation"
SAVED = "Les modifications sont enregistrées."
UNCHANGED = "Rien n’a changé."


def _tabs(request: AgentRequest, active: str) -> list[dict[str, object]]:
    return administration_tabs(request.organisation, request.permissions, active)


@require_safe
@agent_view(PERMISSION)
def overview(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    today = clock.today()
    subscriptions = [
        (s, s.since <= today and (s.until is None or today <= s.until)) for s in organisation.subscriptions.all()
    ]
    context = {
        "tabs": _tabs(request, "overview"),
        "subscriptions": subscriptions,
        "people": Mandate.objects.filter(organisation=organisation).in_force(today).count(),
        "contrast": worst_contrast(organisation.accent),
    }
    return render(request, "organisations/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
def identity(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    form = PresentationForm(request.POST or None, instance=type(organisation).objects.get(pk=organisation.pk))
    if request.method == "POST" and form.is_valid():
        changed = services.describe(organisation, form.cleaned_data, actor=request.actor)
        messages.success(request, SAVED if changed else UNCHANGED)
        return redirect("organisations:identity", organisation_slug=organisation.slug)
    return render(request, "organisations/identity.html", {"tabs": _tabs(request, "identity"), "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
def branding(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    form = ColoursForm(request.POST or None, instance=type(organisation).objects.get(pk=organisation.pk))
    nearest = ""
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.recolour(organisation, **form.cleaned_data, actor=request.actor)
        except ColourTooPale as error:
            form.add_error("accent", error.sentence)
            nearest = error.nearest
        else:
            messages.success(request, SAVED if changed else UNCHANGED)
            return redirect("organisations:branding", organisation_slug=organisation.slug)
    context = {
        "tabs": _tabs(request, "branding"),
        "form": form,
        "nearest": nearest,
        "contrast": contrast(organisation.accent, "#ffffff"),
    }
    return render(request, "organisations/branding.html", context, status=422 if nearest else 200)


@require_safe
@agent_view(PERMISSION)
def people(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    today = clock.today()
    mandates = Mandate.objects.filter(organisation=organisation).select_related("account")
    context = {
        "tabs": _tabs(request, "people"),
        "mandates": [
            (m, m.start <= today and (m.end is None or today <= m.end))
            for m in mandates.order_by("account__family_name", "account__given_name", "start")
        ],
        "columns": [
            {"label": "Personne"},
            {"label": "Rôle"},
            {"label": "Qualité"},
            {"label": "Du"},
            {"label": "Au"},
            {"label": "Action", "hidden": True},
        ],
    }
    return render(request, "organisations/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def new_mandate(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    form = MandateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            mandate = services.give_mandate(organisation, **form.cleaned_data, actor=request.actor)
        except services.MandateRefused as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"{mandate.account.full_name} peut agir pour {organisation.short_name}.")
            return redirect("organisations:people", organisation_slug=organisation.slug)
    return render(request, "organisations/mandate_form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def end_mandate(request: AgentRequest, pk: UUID) -> HttpResponse:
    organisation = request.organisation
    mandate = get_object_or_404(Mandate.objects.select_related("account"), pk=pk, organisation=organisation)
    if request.method == "POST":
        try:
            services.close_mandate(mandate, actor=request.actor)
        except services.MandateRefused as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, f"Le mandat de {mandate.account.full_name} est terminé.")
        return redirect("organisations:people", organisation_slug=organisation.slug)
    return render(request, "organisations/mandate_end.html", {"mandate": mandate})
