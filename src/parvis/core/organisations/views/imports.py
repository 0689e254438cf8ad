"""Import of agents from a file: deposit, report of the examination, confirmation, progress, report."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.exports.download import download_table
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.audit import audit
from parvis.core.organisations import imports, people_csv
from parvis.core.organisations.forms import ImportForm
from parvis.core.organisations.models import ImportLine, PeopleImport
from parvis.core.organisations.views.people import EXTENSIONS, FORM, authority, go, tabs
from parvis.core.web.uploads import accepts_files

PERMISSION = "administration.organisation"
PAGE_SIZE = 100
MOVING = (PeopleImport.State.EXAMINING, PeopleImport.State.APPLYING)
KINDS = {"created": "ok", "updated": "info", "unchanged": "", "refused": "danger"}


@require_http_methods(FORM)
@agent_view(PERMISSION)
@accepts_files(ImportForm)
def listing(request: AgentRequest) -> HttpResponse:
    """The imports already made, and the form of another."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            content = file.read()
            batch = imports.deposit(file.name, content, form.cleaned_data["key"], by=authority(request))
        except DomainError as error:
            form.add_error("file", error.sentence)
        else:
            return go(request, "import", pk=batch.pk)
    context = {
        "tabs": tabs(request, "people"),
        "form": form,
        "batches": PeopleImport.objects.filter(organisation=request.organisation).order_by("-created_at")[:20],
        "columns": [
            {"label": "Fichier"},
            {"label": "Déposé le"},
            {"label": "Lignes", "amount": True},
            {"label": "État"},
        ],
        "fields": list(people_csv.COLUMNS),
    }
    return render(request, "organisations/imports.html", context)


@require_safe
@agent_view(PERMISSION)
def template(request: AgentRequest) -> HttpResponseBase:
    """A file with the right first line and one invented person."""
    return download_table(
        imports.TEMPLATE_HEADER, imports.TEMPLATE_ROWS, name="modele-personnes", extension="csv", sheet="Personnes"
    )


def _batch(request: AgentRequest, pk: UUID) -> PeopleImport:
    return get_object_or_404(PeopleImport, organisation=request.organisation, pk=pk)


def _rate(batch: PeopleImport) -> str:
    seconds = (clock.now() - batch.started_at).total_seconds() if batch.started_at else 0
    return f"{round(batch.done / seconds)} par seconde" if seconds >= 1 and batch.done else ""


@require_safe
@agent_view(PERMISSION)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    batch = _batch(request, pk)
    chosen = request.GET.get("resultat", "")
    rows = batch.lines.exclude(outcome="")
    if chosen in ImportLine.Outcome.values:
        rows = rows.filter(outcome=chosen)
    after = request.GET.get("apres", "")
    if after.isascii() and after.isdigit() and len(after) < 9:
        rows = rows.filter(number__gt=int(after))
    found = list(rows.order_by("number")[: PAGE_SIZE + 1])
    numbers = imports.counts(batch)
    context = {
        "tabs": tabs(request, "people"),
        "batch": batch,
        "moving": batch.state in MOVING,
        "rate": _rate(batch),
        "lines": [(line, KINDS[line.outcome]) for line in found[:PAGE_SIZE]],
        "next": found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else "",
        "outcomes": [
            {"label": "Toutes", "url": "?", "active": not chosen, "count": sum(numbers.values())},
            *(
                {"label": f"{label}s", "url": f"?resultat={code}", "active": chosen == code, "count": numbers[code]}
                for code, label in ImportLine.Outcome.choices
            ),
        ],
        "to_do": numbers["created"] + numbers["updated"],
        "refused": numbers["refused"],
        "columns": [
            {"label": "Ligne", "amount": True}, {"label": "Personne"}, {"label": "Rôle"}, {"label": "Résultat"},
            {"label": "Explication"},
        ],
    }  # fmt: skip
    return render(request, "organisations/import.html", context)


@require_safe
@agent_view(PERMISSION)
def progress(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The progress alone, asked every two seconds; once it is over the browser is told to draw the page anew."""
    batch = _batch(request, pk)
    context = {"batch": batch, "moving": batch.state in MOVING, "rate": _rate(batch)}
    response = render(request, "organisations/_import_progress.html", context)
    if batch.state not in MOVING:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@agent_view(PERMISSION, recent=True)
def confirm(request: AgentRequest, pk: UUID) -> HttpResponse:
    try:
        imports.confirm(_batch(request, pk), by=authority(request))
    except DomainError as error:
        messages.error(request, error.sentence)
    return go(request, "import", pk=pk)


@require_POST
@agent_view(PERMISSION)
def abandon(request: AgentRequest, pk: UUID) -> HttpResponse:
    try:
        imports.abandon(_batch(request, pk), by=authority(request))
    except DomainError as error:
        messages.error(request, error.sentence)
        return go(request, "import", pk=pk)
    messages.success(request, "L’import est abandonné ; rien n’a été changé.")
    return go(request, "imports")


@require_safe
@agent_view(PERMISSION, recent="always")
def report(request: AgentRequest, pk: UUID, extension: str) -> HttpResponseBase:
    """The report, line by line, as CSV or ODS."""
    if extension not in EXTENSIONS:
        raise Http404
    batch = _batch(request, pk)
    data = {"kind": "import", "rows": batch.total, "format": extension}
    audit("manager.export", request=request, organisation=request.organisation, data=data)
    rows = list(imports.report_rows(batch))
    return download_table(imports.REPORT_HEADER, rows, name="rapport-import", extension=extension, sheet="Rapport")
