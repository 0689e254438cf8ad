"""Accounts as administrators see them: suspension by their only organisation, namesakes."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.errors import DomainError
from parvis.core.identity import duplicates, suspension
from parvis.core.identity.access import AccountRequest, AgentRequest, agent_view, platform_view
from parvis.core.identity.addresses import masked
from parvis.core.identity.by_name import named, page_by_name, words_of
from parvis.core.web.navigation import administration_tabs, platform_tabs

PERMISSION = "administration.organisation"
MOST_PAIRS = 200


@require_safe
@agent_view(PERMISSION)
def accounts(request: AgentRequest) -> HttpResponse:
    """The accounts of the people of the organisation by page, and those that may be one person's."""
    people, words = suspension.people_of(request.organisation), words_of(request.GET)
    context = {
        "tabs": administration_tabs(request.organisation, request.permissions, "accounts"),
        "page": page_by_name(named(people, words), request.GET),
        "words": words,
        "pairs": [(pair, pair.first.email, pair.second.email) for pair in duplicates.pending(people)[:MOST_PAIRS]],
        "columns": [{"label": "Personne"}, {"label": "Compte"}, {"label": "Action", "hidden": True}],
    }
    return render(request, "identity/accounts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def suspend(request: AgentRequest, pk: int) -> HttpResponse:
    return _change(request, pk, "suspendre")


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def reactivate(request: AgentRequest, pk: int) -> HttpResponse:
    return _change(request, pk, "rouvrir")


def _change(request: AgentRequest, pk: int, verb: str) -> HttpResponse:
    """Ask, then do: somebody without a mandate here answers like a missing address."""
    organisation = request.organisation
    account = get_object_or_404(suspension.people_of(organisation), pk=pk)
    act = suspension.suspend if verb == "suspendre" else suspension.reactivate
    try:
        if request.method != "POST":
            suspension.check(account, organisation, by=request.user)
            context = {"account": account, "suspends": verb == "suspendre"}
            return render(request, "identity/account_change.html", context)
        act(account, organisation, by=request.user, request=request)
    except DomainError as refused:
        messages.error(request, refused.sentence)
    else:
        done = "suspendu" if verb == "suspendre" else "de nouveau ouvert"
        messages.success(request, f"Le compte de {account.full_name} est {done}.")
    return redirect("identity_administration:accounts", organisation_slug=organisation.slug)


@require_POST
@agent_view(PERMISSION)
def dismiss(request: AgentRequest, pk: UUID) -> HttpResponse:
    try:
        duplicates.dismiss(pk, by=request.user, people=suspension.people_of(request.organisation))
    except duplicates.NamesakeUnknown as refused:
        messages.info(request, refused.sentence)
    return redirect("identity_administration:accounts", organisation_slug=request.organisation.slug)


@require_safe
@platform_view
def namesakes(request: AccountRequest) -> HttpResponse:
    """All the pairs to look at, for those who run the platform, who need not read whole addresses."""
    pairs = [(p, masked(p.first.email), masked(p.second.email)) for p in duplicates.pending()[:MOST_PAIRS]]
    context = {"tabs": platform_tabs("doublons"), "pairs": pairs}
    return render(request, "identity/namesakes.html", context)


@require_POST
@platform_view
def dismiss_anywhere(request: AccountRequest, pk: UUID) -> HttpResponse:
    try:
        duplicates.dismiss(pk, by=request.user)
    except duplicates.NamesakeUnknown as refused:
        messages.info(request, refused.sentence)
    return redirect("identity_platform:namesakes")
