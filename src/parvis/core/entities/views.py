"""« Mes entreprises et associations », and the choice of whom one acts for."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.entities import acting, services
from parvis.core.entities.forms import RoleForm
from parvis.core.entities.models import EntityRole
from parvis.core.identity.access import AccountRequest, account_view
from parvis.core.identity.models import Account
from parvis.core.identity.views.frame import dress_for, local_path
from parvis.core.web.confirming import confirm
from parvis.core.web.navigation import account_tabs


def _usager(request: AccountRequest) -> Account:
    """The person, in the colours of their commune. Agents have mandates instead: to them these pages are missing."""
    if request.user.population != Account.Population.USAGER:
        raise Http404
    return dress_for(request)


def _mine(request: AccountRequest, pk: UUID) -> EntityRole:
    role = services.role_of(_usager(request), pk)
    if role is None:
        raise Http404
    return role


@require_safe
@account_view
def roles(request: AccountRequest) -> HttpResponse:
    today = clock.today()
    found = services.roles_of(_usager(request))
    context = {
        "tabs": account_tabs("entites", request.user),
        "present": [role for role in found if not role.is_over(today)],
        "over": [role for role in found if role.is_over(today)],
    }
    return render(request, "entities/roles.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def add(request: AccountRequest) -> HttpResponse:
    account = _usager(request)
    form = RoleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = services.declare(account, given.pop("number"), **given, request=request)
        except services.RoleRefused as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, f"{made.title} est ajouté à votre compte.")
            return redirect("entities:list")
    context = {"tabs": account_tabs("entites", account), "form": form, "role": None}
    return render(request, "entities/role_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def edit(request: AccountRequest, pk: UUID) -> HttpResponse:
    role = _mine(request, pk)
    form = RoleForm(request.POST if request.method == "POST" else None, of=role)
    if form.is_valid():
        try:
            changed = services.change(role, form.cleaned_data, request=request)
        except services.RoleRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
        else:
            messages.success(request, "Vos changements sont enregistrés." if changed else "Rien n’a changé.")
            return redirect("entities:list")
    context = {"tabs": account_tabs("entites", request.user), "form": form, "role": role}
    return render(request, "entities/role_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def end(request: AccountRequest, pk: UUID) -> HttpResponse:
    role = _mine(request, pk)
    return confirm(
        request,
        title=f"Ne plus agir pour {role.title}",
        text=(
            "Dès aujourd’hui vous n’agirez plus pour cet organisme sur la plateforme. Vos demandes déjà faites restent,"
            " et vous pourrez le déclarer de nouveau."
        ),
        verb="Terminer ce rôle",
        back=reverse("entities:list"),
        action=lambda: services.end(role, request=request),
        done=f"Vous n’agissez plus pour {role.title}.",
        template="entities/end.html",
        danger=True,
    )


@require_POST
@account_view
def act(request: AccountRequest) -> HttpResponse:
    """Choose for whom one acts, from the switch of the space."""
    _usager(request)
    chosen = request.POST.get("role", "")
    role = next((one for one in services.in_force(request.user) if str(one.pk) == chosen), None)
    if chosen and role is None:
        messages.error(request, "Ce rôle n’est pas ou plus en cours : rien n’a changé.")
    else:
        acting.act_for(request, role)
        messages.success(request, f"Vous agissez pour {role.title}." if role else "Vous agissez pour vous-même.")
    return redirect(local_path(request.POST.get("next")) or "portal:space")
