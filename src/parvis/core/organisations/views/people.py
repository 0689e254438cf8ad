"""People of an organisation: the list, one person, their mandates, the invitations that wait."""

from typing import Any
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.exports.download import download_table
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.audit import audit
from parvis.core.identity.events import EVENTS
from parvis.core.identity.models import Mandate
from parvis.core.journal.readings import EVENTS as EVENTS_READ
from parvis.core.journal.readings import note_reading
from parvis.core.organisations import invitations, mandates, people
from parvis.core.organisations.authority import Authority, authority_of, roles_of
from parvis.core.organisations.forms import InvitationForm, MandateForm
from parvis.core.organisations.models import Invitation
from parvis.core.web.navigation import administration_tabs

READ = "habilitations.lire"
ADMINISTER = "administration.personnes"
EXTENSIONS = ("csv", "ods")
FORM = ["GET", "HEAD", "POST"]


def authority(request: AgentRequest) -> Authority:
    """The authority of whoever makes the request."""
    return authority_of(request.organisation, request.user, request.permissions, request)


def tabs(request: AgentRequest, active: str) -> list[dict[str, object]]:
    return administration_tabs(request.organisation, request.permissions, active)


def go(request: AgentRequest, name: str, **arguments: Any) -> HttpResponse:
    return redirect(f"organisations:{name}", organisation_slug=request.organisation.slug, **arguments)


@require_safe
@agent_view(READ)
def listing(request: AgentRequest) -> HttpResponse:
    by, today = authority(request), clock.today()
    choice = people.Choice.read(request.GET)
    page = people.page_of(by, choice, request.GET)
    context = {
        "tabs": tabs(request, "people"),
        "page": page,
        "lines": [(person, [(m, people.mandate_state(m, today)) for m in person.mandates]) for person in page.people],
        "choice": choice,
        "states": [("tous", "Tous"), *people.STATES.items()],
        "chosen_state": choice.state or "tous",
        "labels": people.STATES,
        "roles": [(role.code, role.label) for role in roles_of(request.organisation)],
        "departments": [("aucun", "Sans service"), *((str(d.pk), d.name) for d in by.open_departments())],
        "columns": [{"label": name} for name in ("Personne", "Rôle", "Service", "Dates", "État")],
        "administers": by.administers,
        "whole": by.whole,
        "waiting": _invitations(by).count(),
    }
    return render(request, "organisations/people.html", context)


@require_safe
@agent_view(READ, recent="always")
def export(request: AgentRequest, extension: str) -> HttpResponseBase:
    """The list as filtered, as CSV or ODS; the audit log says who took it."""
    if extension not in EXTENSIONS:
        raise Http404
    by = authority(request)
    rows = list(people.export_rows(by, people.Choice.read(request.GET)))
    details = {"kind": "people", "rows": len(rows), "format": extension}
    audit("manager.export", request=request, organisation=request.organisation, data=details)
    return download_table(
        people.EXPORT_HEADER,
        rows,
        name=f"personnes-{request.organisation.slug}",
        extension=extension,
        sheet="Personnes",
    )


@require_safe
@agent_view(READ)
def person(request: AgentRequest, pk: int) -> HttpResponse:
    by, today = authority(request), clock.today()
    found = _person_or_404(by, pk)
    used = [m.last_used_at for m in found.mandates if m.last_used_at]
    events = [
        {
            "at": event.at,
            "what": EVENTS.get(event.event, event.event),
            "who": event.actor.full_name if event.actor else "",
        }
        for event in people.events_about(by, found.account)
    ]
    open_ones = [m for m in found.mandates if people.mandate_state(m, today) != "termines"]
    context = {
        "tabs": tabs(request, "people"),
        "person": found.account,
        "lines": [(m, people.mandate_state(m, today), by.may_manage(m)) for m in found.mandates],
        "labels": people.STATES,
        "columns": [{"label": name} for name in ("Rôle", "Qualité", "Service", "Dates", "État")]
        + [{"label": "Action", "hidden": True}],
        "last_used": max(used, default=None),
        "second_factor": is_mfa_enabled(found.account),
        "events": events,
        "myself": found.account.pk == request.user.pk,
        "may_suspend": any(m.suspended_at is None for m in open_ones) and all(map(by.may_manage, open_ones)),
        "may_restore": any(m.suspended_at for m in open_ones) and all(map(by.may_manage, open_ones)),
        "may_invite": by.administers and found.account.pk != request.user.pk,
    }
    if events and found.account.pk != request.user.pk:
        note_reading(request.organisation, EVENTS_READ, request.actor)
    return render(request, "organisations/person.html", context)


def _person_or_404(by: Authority, pk: int) -> people.Person:
    found = people.one(by, pk) if pk < 2**63 else None
    if found is None:
        raise Http404
    return found


def _mandate_or_404(by: Authority, pk: UUID) -> Mandate:
    rows = Mandate.objects.select_related("account", "organisation", "own_role", "department")
    mandate = get_object_or_404(rows, pk=pk, organisation=by.organisation)
    if not by.covers(mandate.department_id):
        raise Http404
    return mandate


@require_http_methods(FORM)
@agent_view(ADMINISTER, recent=True)
def access(request: AgentRequest, pk: int) -> HttpResponse:
    """Suspend or give back every mandate of a person, after a page that says what will happen."""
    by = authority(request)
    found = _person_or_404(by, pk)
    suspend = request.GET.get("sens", request.POST.get("sens")) != "retablir"
    if request.method == "POST":
        try:
            if suspend:
                mandates.suspend_access(request.organisation, found.account, by=by)
            else:
                mandates.reactivate_access(request.organisation, found.account, by=by)
        except DomainError as error:
            messages.error(request, error.sentence)
        else:
            verb = "suspendu" if suspend else "rétabli"
            messages.success(request, f"L’accès de {found.account.full_name} est {verb}.")
        return go(request, "person", pk=pk)
    context = {"person": found.account, "suspend": suspend, "sense": {"sens": "suspendre" if suspend else "retablir"}}
    return render(request, "organisations/access.html", context)


@require_http_methods(FORM)
@agent_view(ADMINISTER, recent=True)
def edit_mandate(request: AgentRequest, pk: UUID) -> HttpResponse:
    by = authority(request)
    mandate = _mandate_or_404(by, pk)
    initial = {
        "title": mandate.title,
        "department": str(mandate.department_id or ""),
        "staff_number": mandate.staff_number,
        "start": mandate.start,
        "end": mandate.end,
    }
    form = MandateForm(request.POST or None, initial=initial, by=by)
    if request.method == "POST" and form.is_valid():
        try:
            changed = mandates.change_mandate(mandate, form.cleaned_data, by=by)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "Le mandat est modifié." if changed else "Rien n’a changé.")
            return go(request, "person", pk=mandate.account_id)
    return render(request, "organisations/mandate_form.html", {"form": form, "mandate": mandate})


@require_http_methods(FORM)
@agent_view(ADMINISTER, recent=True)
def end_mandate(request: AgentRequest, pk: UUID) -> HttpResponse:
    by = authority(request)
    mandate = _mandate_or_404(by, pk)
    if request.method == "POST":
        try:
            mandates.close_mandate(mandate, actor=request.actor, by=by)
        except DomainError as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, f"Le mandat de {mandate.account.full_name} est terminé.")
        return go(request, "people")
    return render(request, "organisations/mandate_end.html", {"mandate": mandate})


# --- invitations ------------------------------------------------------------------------------------------

INVITATION_STATES = {
    "proposed": ("À approuver par la plateforme", ""),
    "waiting": ("Message en cours d’envoi", ""),
    "sent": ("En attente de réponse", "info"),
    "expired": ("Lien expiré", "warn"),
    "undelivered": ("Adresse refusée", "danger"),
}


def _invitations(by: Authority):
    rows = invitations.pending(by.organisation)
    return rows if by.departments is None else rows.filter(department__in=by.departments)


@require_safe
@agent_view(ADMINISTER)
def invitation_list(request: AgentRequest) -> HttpResponse:
    by, now = authority(request), clock.now()
    rows = list(_invitations(by)[:500])
    context = {
        "tabs": tabs(request, "people"),
        "lines": [(row, *INVITATION_STATES[row.state(now)]) for row in rows],
        "columns": [{"label": name} for name in ("Personne", "Rôle", "Envoyée le", "État")]
        + [{"label": "Actions", "hidden": True}],
    }
    return render(request, "organisations/invitations.html", context)


@require_http_methods(FORM)
@agent_view(ADMINISTER, recent=True)
def invite(request: AgentRequest) -> HttpResponse:
    by = authority(request)
    initial = {name: request.GET.get(name, "")[:254] for name in ("given_name", "family_name", "email")}
    form = InvitationForm(request.POST or None, by=by, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            invitations.invite(
                request.organisation,
                email=values["email"],
                given_name=values["given_name"],
                family_name=values["family_name"],
                role=values["role"],
                values=values,
                by=by,
            )
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"Une invitation part à l’adresse {values['email']}.")
            return go(request, "invitations")
    return render(request, "organisations/invitation_form.html", {"form": form})


@require_POST
@agent_view(ADMINISTER, recent=True)
def resend(request: AgentRequest, pk: UUID) -> HttpResponse:
    by = authority(request)
    invitation = get_object_or_404(_invitations(by), pk=pk)
    return _answer(request, invitation, lambda: invitations.resend(invitation, by=by), "Un nouveau lien part.")


@require_http_methods(FORM)
@agent_view(ADMINISTER)
def revoke(request: AgentRequest, pk: UUID) -> HttpResponse:
    by = authority(request)
    invitation = get_object_or_404(_invitations(by), pk=pk)
    if request.method != "POST":
        return render(request, "organisations/invitation_revoke.html", {"invitation": invitation})
    return _answer(request, invitation, lambda: invitations.revoke(invitation, by=by), "L’invitation est retirée.")


def _answer(request: AgentRequest, invitation: Invitation, act, done: str) -> HttpResponse:
    try:
        act()
    except DomainError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, done)
    return go(request, "invitations")
