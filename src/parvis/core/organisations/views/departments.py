"""Services of an organisation: the tree, one service, its head."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations import departments
from parvis.core.organisations.forms import DepartmentForm
from parvis.core.organisations.models import Department
from parvis.core.organisations.views.people import FORM, authority, go, tabs

PERMISSION = "administration.organisation"


@require_safe
@agent_view(PERMISSION)
def listing(request: AgentRequest) -> HttpResponse:
    context = {
        "tabs": tabs(request, "departments"),
        "branches": departments.tree(request.organisation),
        "columns": [{"label": "Service"}, {"label": "Responsable"}, {"label": "Personnes", "amount": True}],
    }
    return render(request, "organisations/departments.html", context)


def _form(request: AgentRequest, department: Department | None) -> DepartmentForm:
    in_force = Mandate.objects.filter(organisation=request.organisation).in_force(clock.today())
    people = Account.objects.filter(pk__in=in_force.values("account")).order_by("family_name", "given_name")[:2000]
    others = Department.objects.filter(organisation=request.organisation)
    initial = {}
    if department:
        others = others.exclude(pk=department.pk)
        initial = {"name": department.name, "parent": department.parent_id, "head": department.head_id}
    return DepartmentForm(request.POST or None, departments=list(others), people=list(people), initial=initial)


@require_http_methods(FORM)
@agent_view(PERMISSION, recent=True)
def new(request: AgentRequest) -> HttpResponse:
    return _save(request, None)


@require_http_methods(FORM)
@agent_view(PERMISSION, recent=True)
def edit(request: AgentRequest, pk: UUID) -> HttpResponse:
    return _save(request, get_object_or_404(Department, organisation=request.organisation, pk=pk))


def _save(request: AgentRequest, department: Department | None) -> HttpResponse:
    form = _form(request, department)
    if request.method == "POST" and form.is_valid():
        try:
            saved = departments.save_department(department, **form.cleaned_data, by=authority(request))
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"Le service « {saved.name} » est enregistré.")
            return go(request, "departments")
    return render(request, "organisations/department_form.html", {"form": form, "department": department})


@require_http_methods(FORM)
@agent_view(PERMISSION)
def delete(request: AgentRequest, pk: UUID) -> HttpResponse:
    department = get_object_or_404(Department, organisation=request.organisation, pk=pk)
    if request.method == "POST":
        try:
            departments.delete_department(department, by=authority(request))
        except DomainError as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, f"Le service « {department.name} » est supprimé.")
        return go(request, "departments")
    return render(request, "organisations/department_delete.html", {"department": department})
