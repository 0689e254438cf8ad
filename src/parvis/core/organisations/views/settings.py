"""Administration of an organisation: its identity, what it subscribed to, how its people log in."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.models import Mandate
from parvis.core.organisations import services
from parvis.core.organisations.forms import LoginRulesForm, PresentationForm
from parvis.core.web.navigation import administration_tabs
from parvis.core.web.theming import worst_contrast

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
@agent_view(PERMISSION, recent=True)
def login_rules(request: AgentRequest) -> HttpResponse:
    """How long a password of its people is, and how long they may do nothing."""
    organisation = request.organisation
    form = LoginRulesForm(request.POST or None, instance=type(organisation).objects.get(pk=organisation.pk))
    if request.method == "POST" and form.is_valid():
        changed = services.set_login_rules(organisation, form.cleaned_data, actor=request.actor)
        messages.success(request, SAVED if changed else UNCHANGED)
        return redirect("organisations:login_rules", organisation_slug=organisation.slug)
    mandates = Mandate.objects.filter(organisation=organisation).in_force(clock.today())
    context = {
        "tabs": _tabs(request, "login_rules"),
        "form": form,
        "people": mandates.values("account").distinct().count(),
    }
    return render(request, "organisations/login_rules.html", context)
