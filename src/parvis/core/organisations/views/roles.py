"""Roles of an organisation: what each lets its holders do, who holds it, and the organisation's own."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.models import Mandate
from parvis.core.identity.roles import PERMISSIONS, reserved
from parvis.core.organisations import own_roles
from parvis.core.organisations.authority import role_named, roles_of
from parvis.core.organisations.forms import RoleFileForm, RoleForm
from parvis.core.organisations.models import Role
from parvis.core.organisations.people import Choice, mandates_for
from parvis.core.organisations.views.people import FORM, authority, go, tabs
from parvis.core.web.uploads import accepts_files

READ = "habilitations.lire"
COMPOSE = "administration.organisation"


@require_safe
@agent_view(READ)
def listing(request: AgentRequest) -> HttpResponse:
    by = authority(request)
    holders: dict[str, set[int]] = {}
    for mandate in mandates_for(by, Choice()).select_related("own_role"):
        holders.setdefault(mandate.role_code, set()).add(mandate.account_id)
    context = {
        "tabs": tabs(request, "roles"),
        "lines": [(role, len(holders.get(role.code, ()))) for role in roles_of(request.organisation)],
        "columns": [{"label": "Rôle"}, {"label": "Titulaires", "amount": True}, {"label": "Droits", "amount": True}],
        "may_compose": COMPOSE in request.permissions,
    }
    return render(request, "organisations/roles.html", context)


@require_safe
@agent_view(READ)
def detail(request: AgentRequest, code: str) -> HttpResponse:
    by = authority(request)
    role = role_named(request.organisation, code)
    if role is None:
        raise Http404
    mandates = mandates_for(by, Choice(role=code)).select_related("account", "department")
    named = frozenset(p for names in PERMISSIONS.values() for p in names)
    groups = [
        (group, [name for permission, name in names.items() if permission in role.permissions])
        for group, names in PERMISSIONS.items()
    ]
    if rest := sorted(role.permissions - named):
        groups.append(("Autres", rest))
    context = {
        "tabs": tabs(request, "roles"),
        "role": role,
        "groups": [(group, names) for group, names in groups if names],
        "mandates": mandates.order_by("account__family_name", "account__given_name")[:500],
        "may_edit": bool(role.own) and COMPOSE in request.permissions and reserved(role.permissions) <= by.permissions,
        "columns": [{"label": name} for name in ("Personne", "Qualité", "Service", "Dates")],
    }
    return render(request, "organisations/role.html", context)


def _own_or_404(request: AgentRequest, code: str) -> Role:
    return get_object_or_404(Role, organisation=request.organisation, slug=code)


@require_http_methods(FORM)
@agent_view(COMPOSE, recent=True)
def new(request: AgentRequest) -> HttpResponse:
    by = authority(request)
    form = RoleForm(request.POST or None, by=by)
    if request.method == "POST" and form.is_valid():
        try:
            role = own_roles.compose(**form.cleaned_data, by=by)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"Le rôle « {role.label} » est créé.")
            return go(request, "role", code=role.slug)
    return render(request, "organisations/role_form.html", {"form": form, "role": None})


@require_http_methods(FORM)
@agent_view(COMPOSE, recent=True)
def edit(request: AgentRequest, code: str) -> HttpResponse:
    by = authority(request)
    role = _own_or_404(request, code)
    initial = {name: getattr(role, name) for name in ("label", "description", "permissions", "heads_may_give")}
    form = RoleForm(request.POST or None, by=by, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            changed = own_roles.edit(role, **form.cleaned_data, by=by)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "Le rôle est modifié." if changed else "Rien n’a changé.")
            return go(request, "role", code=role.slug)
    held = Mandate.objects.filter(own_role=role).in_force(clock.today()).values("account").distinct().count()
    return render(request, "organisations/role_form.html", {"form": form, "role": role, "held": held})


@require_http_methods(FORM)
@agent_view(COMPOSE)
def delete(request: AgentRequest, code: str) -> HttpResponse:
    role = _own_or_404(request, code)
    if request.method == "POST":
        try:
            own_roles.delete(role, by=authority(request))
        except DomainError as error:
            messages.error(request, error.sentence)
            return go(request, "role", code=code)
        messages.success(request, f"Le rôle « {role.label} » est supprimé.")
        return go(request, "roles")
    return render(request, "organisations/role_delete.html", {"role": role})


@require_http_methods(FORM)
@agent_view(COMPOSE)
@accepts_files(RoleFileForm)
def import_file(request: AgentRequest) -> HttpResponse:
    form = RoleFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            labels = own_roles.read_publik(file.read())
            created, known = own_roles.import_labels(labels, by=authority(request))
        except DomainError as error:
            form.add_error("file", error.sentence)
        else:
            messages.success(
                request,
                f"{created} rôles créés, sans aucun droit : composez-les un par un. {known} existaient déjà.",
            )
            return redirect("organisations:roles", organisation_slug=request.organisation.slug)
    return render(request, "organisations/role_import.html", {"form": form})
