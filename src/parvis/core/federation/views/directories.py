"""Screens of the directories: an organisation proposes its own, the platform puts it in service."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.federation import directories
from parvis.core.federation.forms import CLAIMS, DirectoryForm
from parvis.core.federation.models import Directory
from parvis.core.identity.access import AccountRequest, AgentRequest, agent_view, platform_view
from parvis.core.organisations.naming import of_it
from parvis.core.provider.forms import RefusalForm
from parvis.core.web.confirming import confirm, gesture
from parvis.core.web.keyset import page_of
from parvis.core.web.navigation import administration_tabs, platform_tabs

PERMISSION = "administration.organisation"
FORM = ["GET", "HEAD", "POST"]


def _context(request: AgentRequest, **more: object) -> dict[str, object]:
    return {"tabs": administration_tabs(request.organisation, request.permissions, "directory"), **more}


def _shown(directory: Directory) -> dict[str, Any]:
    """What the pages of a proposal show of it, for who makes it and for who approves it."""
    before, after = _spelled(directory.in_force), _spelled(directory.proposed)
    changes = [(label, before[label], after[label]) for label in after if before[label] != after[label]]
    if directory.in_force["secret"] != directory.proposed["secret"]:
        changes.append(("Secret", "celui d’aujourd’hui", "un nouveau"))
    return {"directory": directory, "facts": after, "changes": changes}


def _spelled(values: dict[str, Any]) -> dict[str, str]:
    """The values by the labels of the page; the secret is never among them."""
    factor = f"{values['factor_claim']} = {values['factor_value']}" if values["factor_claim"] else ""
    return {
        "Émetteur": values["issuer"],
        "Identifiant de la plateforme": values["client_id"],
        "Signature": values["algorithm"],
        "Domaines de messagerie": ", ".join(values["domains"]),
        **{label: values["claims"].get(name, "") for name, (label, _, _) in CLAIMS.items()},
        "Second facteur": factor or "celui de la plateforme, toujours demandé",
    }


def _mine(request: AgentRequest) -> Directory:
    found = directories.of_organisation(request.organisation)
    if found is None:
        raise Http404
    return found


def _page(request: AgentRequest) -> str:
    return reverse("directory:detail", kwargs={"organisation_slug": request.organisation.slug})


@require_safe
@agent_view(PERMISSION)
def detail(request: AgentRequest) -> HttpResponse:
    """The directory, where it stands, the addresses that it has to know, and the agents who came by it."""
    found = directories.of_organisation(request.organisation)
    if found is None:
        return render(request, "federation/directory.html", _context(request))
    agents = page_of(directories.agents_of(found), "first_at", request.GET)
    more = {
        **_shown(found),
        "switchable": found.state in (Directory.State.LIVE, Directory.State.SUSPENDED),
        "agents": agents.rows,
        "previous": agents.previous and f"?avant={agents.previous}",
        "next": agents.next and f"?apres={agents.next}",
        "columns": [{"label": name} for name in ("Agent", "Venu le", "Revenu le", "Droits")],
    }
    return render(request, "federation/directory.html", _context(request, **more))


@require_http_methods(FORM)
@sensitive_post_parameters("secret")
@agent_view(PERMISSION, recent=True)
def edit(request: AgentRequest) -> HttpResponse:
    """Propose the directory, or other values of it; what is in force stays until the platform approves them."""
    found = directories.of_organisation(request.organisation)
    before = found.proposed if found is not None else None
    form = DirectoryForm(request.POST or None, directory=found)
    if request.method == "POST" and form.is_valid():
        try:
            proposed = directories.propose(request.organisation, form.values, actor=request.actor)
        except directories.DirectoryRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
        else:
            messages.success(request, _said(proposed, changed=proposed.proposed != before))
            return redirect(_page(request))
    context = _context(request, form=form, directory=found)
    return render(request, "federation/directory_form.html", context, status=422 if form.errors else 200)


def _said(directory: Directory, *, changed: bool) -> str:
    if not changed:
        return "Rien n’a changé."
    if directory.state == Directory.State.SUSPENDED:
        return "La modification sera soumise à la plateforme quand vous remettrez l’annuaire en service."
    if directory.waits:
        return "La proposition est enregistrée : la plateforme doit maintenant l’approuver."
    return "Vous revenez à ce qui est en service : plus rien n’attend la plateforme."


@require_http_methods(FORM)
@agent_view(PERMISSION, recent=True)
def switch(request: AgentRequest) -> HttpResponse:
    """Suspend, or put back: what the page said, even where somebody else did it meanwhile."""
    directory = _mine(request)
    asked = gesture(request)
    restores = asked == "remettre" if asked else directory.state == Directory.State.SUSPENDED
    act = directories.restore if restores else directories.suspend
    if restores:
        verb, done = "Remettre en service", "L’annuaire est remis en service."
        text = "Vos agents pourront de nouveau se connecter par lui, comme la plateforme l’avait approuvé."
    else:
        verb, done = "Suspendre", "L’annuaire est suspendu."
        text = "Dès maintenant, personne ne pourra se connecter par lui, et les agents venus par lui sont déconnectés."
    return confirm(
        request,
        title=f"{verb} l’annuaire",
        text=text,
        verb=verb,
        back=_page(request),
        action=lambda: act(directory, actor=request.actor),
        done=done,
        hidden={"geste": "remettre" if restores else "suspendre"},
        danger=not restores,
    )


@require_http_methods(FORM)
@agent_view(PERMISSION, recent=True)
def remove(request: AgentRequest) -> HttpResponse:
    """Forget the directory."""
    directory = _mine(request)
    return confirm(
        request,
        title="Retirer l’annuaire",
        text="Les agents venus par lui sont déconnectés et ne pourront plus se connecter ainsi. Leurs comptes et leurs"
        " mandats restent : ils y reviennent par un mot de passe, qu’ils choisissent par « Mot de passe oublié ».",
        verb="Retirer l’annuaire",
        back=_page(request),
        action=lambda: directories.remove(directory, actor=request.actor),
        done="L’annuaire est retiré.",
        danger=True,
    )


@require_safe
@platform_view
def proposed(request: AccountRequest) -> HttpResponse:
    """Every directory of the platform; those that wait come first."""
    found = Directory.objects.select_related("organisation").order_by("organisation__name")
    context = {
        "rows": sorted(found, key=lambda directory: not directory.waits),
        "tabs": platform_tabs("directories"),
        "columns": [{"label": "Organisation"}, {"label": "Domaines"}, {"label": "État"}],
    }
    return render(request, "federation/directories.html", context)


@require_http_methods(FORM)
@platform_view(recent=True)
def approval(request: AccountRequest, pk: UUID) -> HttpResponse:
    """One proposal, compared with what is in force."""
    directory = get_object_or_404(Directory.objects.select_related("organisation"), pk=pk)
    decision = request.POST.get("decision", "")
    form = RefusalForm(request.POST if decision == "refuser" else None)
    refused = False
    try:
        if decision == "approuver":
            directories.approve(directory, seen=request.POST.get("vu", ""), by=request.user, actor=request.actor)
            messages.success(request, f"L’{directory.label} est en service.")
            return redirect("directories:list")
        if decision == "refuser" and form.is_valid():
            directories.refuse(directory, form.cleaned_data["reason"], actor=request.actor)
            messages.success(request, f"La proposition {of_it(directory.organisation.short_name)} est refusée.")
            return redirect("directories:list")
    except directories.DirectoryRefused as refusal:
        messages.error(request, refusal.sentence)
        refused = True
        directory = get_object_or_404(Directory.objects.select_related("organisation"), pk=pk)
    context = {"form": form, "seen": directory.fingerprint, **_shown(directory)}
    return render(request, "federation/approval.html", context, status=409 if refused else 422 if form.errors else 200)
