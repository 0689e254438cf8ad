"""Announcements: their administration by each organisation, and hiding one for the session."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.identity.access import AgentRequest, agent_view, open_view
from parvis.core.portal import announcements
from parvis.core.portal.forms import AnnouncementForm
from parvis.core.portal.models import Announcement
from parvis.core.web.confirming import confirm, fill_in
from parvis.core.web.keyset import page_of
from parvis.core.web.navigation import administration_tabs

PERMISSION = "administration.organisation"
CHIPS = {"en ligne": "ok", "à venir": "info", "terminée": "", "retirée": ""}


def _list_url(request: AgentRequest) -> str:
    return reverse("announcements:list", kwargs={"organisation_slug": request.organisation.slug})


@require_safe
@agent_view(PERMISSION)
def announcement_list(request: AgentRequest) -> HttpResponse:
    mine = Announcement.objects.filter(organisation=request.organisation)
    page, today = page_of(mine, "created_at", request.GET), clock.today()
    context = {
        "tabs": administration_tabs(request.organisation, request.permissions, "announcements"),
        "page": page,
        "rows": [(row, state := row.standing(today), CHIPS[state]) for row in page.rows],
        "columns": [
            {"label": "Annonce"},
            {"label": "Pour"},
            {"label": "Du"},
            {"label": "Au"},
            {"label": "État"},
            {"label": "Actions", "hidden": True},
        ],
    }
    return render(request, "portal/announcements.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
def new(request: AgentRequest) -> HttpResponse:
    return _edit(request, Announcement(organisation=request.organisation))


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
def edit(request: AgentRequest, pk: UUID) -> HttpResponse:
    return _edit(request, get_object_or_404(Announcement, pk=pk, organisation=request.organisation))


def _edit(request: AgentRequest, announcement: Announcement) -> HttpResponse:
    fresh = announcement._state.adding
    form = AnnouncementForm(request.POST or None, instance=announcement, organisation=request.organisation)

    def keep() -> None:
        values = {"everywhere": False, **form.cleaned_data}
        if fresh:
            announcements.announce(request.organisation, values, actor=request.actor)
        else:
            announcements.change(announcement, values, actor=request.actor)

    return fill_in(
        request,
        form,
        title="Nouvelle annonce" if fresh else "Modifier l’annonce",
        verb="Publier l’annonce" if fresh else "Enregistrer l’annonce",
        back=_list_url(request),
        crumbs=[{"label": "Annonces", "url": _list_url(request)}, {"label": "Annonce"}],
        action=keep,
        done="L’annonce est enregistrée.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
def withdraw(request: AgentRequest, pk: UUID) -> HttpResponse:
    announcement = get_object_or_404(Announcement, pk=pk, organisation=request.organisation)
    return confirm(
        request,
        title=f"Retirer « {announcement.title} »",
        text="L’annonce disparaît aussitôt de toutes les pages. Elle reste dans la liste, et au journal.",
        verb="Retirer l’annonce",
        back=_list_url(request),
        crumbs=[{"label": "Annonces", "url": _list_url(request)}, {"label": "Retirer"}],
        action=lambda: announcements.withdraw(announcement, actor=request.actor),
        done="L’annonce est retirée.",
    )


@require_POST
@open_view
def dismiss(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hide an announcement for this session and go back to the page where it was read."""
    announcements.dismiss(request, pk)
    wanted = request.POST.get("retour", "")
    local = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if local else "/")
