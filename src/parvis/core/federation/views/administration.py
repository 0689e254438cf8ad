"""The queue of agents whom ProConnect knows and the organisation does not yet, and its domains."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from parvis.core.federation import agents
from parvis.core.federation.forms import DecisionForm, DomainForm
from parvis.core.federation.models import ActivationRequest, DeclaredDomain
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.web import navigation

PERMISSION = "administration.organisation"


@agent_view(PERMISSION)
@require_GET
def queue(request: AgentRequest) -> HttpResponse:
    """Requests to decide and domains declared."""
    return _page(request, DomainForm())


def _page(request: AgentRequest, form: DomainForm, status: int = 200) -> HttpResponse:
    found = [one for one in agents.candidates(request.organisation) if one.pk != request.user.pk]
    facts = {
        "tabs": navigation.administration_tabs(request.organisation, request.permissions, "activations"),
        "queue": [(one, DecisionForm(found, one)) for one in agents.queue(request.organisation)],
        "domains": DeclaredDomain.objects.filter(organisation=request.organisation),
        "form": form,
    }
    return render(request, "federation/queue.html", facts, status=status)


@agent_view(PERMISSION, recent=True)
@require_POST
def approve(request: AgentRequest, pk: str) -> HttpResponse:
    """Say whose account it is."""
    activation = get_object_or_404(ActivationRequest, organisation=request.organisation, pk=pk)
    form = DecisionForm(agents.candidates(request.organisation), activation, request.POST)
    if not form.is_valid():
        messages.error(request, "Choisissez l’agent dont c’est le compte.")
        return _back(request)
    account = form.cleaned_data["account"]
    try:
        agents.approve(activation, account, request=request)
    except agents.ActivationRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"{account.full_name} confirmera à sa prochaine connexion par ProConnect.")
    return _back(request)


@agent_view(PERMISSION, recent=True)
@require_POST
def refuse(request: AgentRequest, pk: str) -> HttpResponse:
    """Refuse a request."""
    activation = get_object_or_404(ActivationRequest, organisation=request.organisation, pk=pk)
    try:
        agents.refuse(activation, request=request)
    except agents.ActivationRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "La demande est refusée.")
    return _back(request)


@agent_view(PERMISSION, recent=True)
@require_POST
def declare_domain(request: AgentRequest) -> HttpResponse:
    """Declare a domain of e-mail addresses."""
    form = DomainForm(request.POST)
    if form.is_valid():
        try:
            agents.declare_domain(request.organisation, form.cleaned_data["domain"], request=request)
        except agents.ActivationRefused as refused:
            form.add_error("domain", refused.sentence)
        else:
            messages.success(request, "Le domaine est déclaré.")
            return _back(request)
    return _page(request, form, status=422)


@agent_view(PERMISSION, recent=True)
@require_POST
def withdraw_domain(request: AgentRequest, pk: str) -> HttpResponse:
    """Withdraw a domain."""
    declared = get_object_or_404(DeclaredDomain, organisation=request.organisation, pk=pk)
    agents.withdraw_domain(declared, request=request)
    messages.success(request, "Le domaine n’est plus déclaré.")
    return _back(request)


def _back(request: AgentRequest) -> HttpResponse:
    return redirect("activations:queue", organisation_slug=request.organisation.slug)
