"""Pages of the archives: transfers and their controls, the archived object, its proof, the register."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.exports.download import download_table
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.journal.queries import entries_about
from parvis.core.journal.services import record
from parvis.core.web.integers import whole_number
from parvis.core.web.keyset import page_of
from parvis.core.web.uploads import accepts_files
from parvis.edemat.archives import queries
from parvis.edemat.archives.enums import Origin, Outcome, State
from parvis.edemat.archives.formats.rules import parse_duration
from parvis.edemat.archives.formats.seda import Category
from parvis.edemat.archives.forms import DepositForm, RefusalForm
from parvis.edemat.archives.models import ArchiveFile, Transfer
from parvis.edemat.archives.services import deposit as depositing
from parvis.edemat.archives.services.storing import TAKEN
from parvis.edemat.archives.services.tools import vault

READ = agent_view("archives.lire", application="edemat")
TRANSFER = agent_view("archives.verser", application="edemat")

COLUMNS = [
    {"label": "Objet"},
    {"label": "État"},
    {"label": "Origine"},
    {"label": "Fichiers", "amount": True},
    {"label": "Volume", "amount": True},
    {"label": "Déposé le"},
]
REGISTER_COLUMNS = [
    {"label": "Entrée"},
    {"label": "Intitulé"},
    {"label": "Service versant"},
    {"label": "Service producteur"},
    {"label": "Unités", "amount": True},
    {"label": "Fichiers", "amount": True},
    {"label": "Volume", "amount": True},
    {"label": "Entré le"},
]
REGISTER_FIELDS = (
    "numero",
    "intitule",
    "service_versant",
    "service_producteur",
    "unites",
    "fichiers",
    "octets",
    "entre_le",
    "identifiant",
)
KINDS = {
    State.ARCHIVE: "ok",
    State.NON_CONFORME: "danger",
    State.REFUSE: "danger",
    State.ERREUR_TECHNIQUE: "danger",
    State.A_VALIDER: "warn",
}
STAGES = {
    State.DEPOSE: "Le paquet attend d’être contrôlé",
    State.EN_CONTROLE: "Contrôle du paquet",
    State.ACCEPTE: "Le paquet attend d’être stocké",
    State.EN_STOCKAGE: "Écriture et relecture des copies",
}
PREMIS_LABELS = {
    "capture": "Dépôt",
    "virus check": "Recherche de virus",
    "validation": "Validation",
    "ingestion start": "Début de la prise en charge",
    "message digest calculation": "Calcul des empreintes",
    "format identification": "Identification des formats",
    "replication": "Copie",
    "fixity check": "Relecture et comparaison des empreintes",
    "accession": "Inscription au registre",
    "ingestion end": "Prise en charge",
}
PREMIS_OUTCOMES = {"success": "réussi", "warning": "avec remarque", "fail": "échoué"}
CATEGORY_LABELS = {
    "StorageRule": "Durée d’utilité courante",
    "AppraisalRule": "Durée d’utilité administrative",
    "AccessRule": "Communicabilité",
    "DisseminationRule": "Diffusion",
    "ReuseRule": "Réutilisation",
    "ClassificationRule": "Classification",
    "HoldRule": "Gel",
}
FINAL_ACTIONS = {"Keep": "Conserver", "Destroy": "Détruire"}


def _address(request: AgentRequest, name: str, *arguments: Any) -> str:
    return reverse(f"archives:{name}", args=[request.organisation.slug, *arguments])


def _crumbs(request: AgentRequest, *more: dict[str, str]) -> list[dict[str, str]]:
    return [{"label": "Archives", "url": _address(request, "list")}, *more]


def _transfer(request: AgentRequest, pk: UUID) -> Transfer:
    found = Transfer.objects.select_related(
        "organisation",
        "accord",
        "depositor",
        "route_step__route",
        "archive_object__register_line",
        *(f"{document}__organisation" for document in ("package", "message", "acknowledgement", "reply")),
    )
    return get_object_or_404(found, pk=pk, organisation=request.organisation)


@READ
@require_safe
def transfers(request: AgentRequest) -> HttpResponse:
    """Transfers, newest first, by state."""
    organisation = request.organisation
    state = request.GET.get("etat", "")
    page = page_of(queries.transfers(organisation, state), "deposited_at", request.GET)
    base = f"?etat={state}&" if state in queries.FILTERS else "?"
    tabs = [{"label": "Tous", "url": "?", "active": state not in queries.FILTERS}]
    tabs += [
        {"label": label, "url": f"?etat={code}", "active": code == state}
        for code, (label, _) in queries.FILTERS.items()
    ]
    context = {
        "rows": [(one, KINDS.get(State(one.state), "info")) for one in page.rows],
        "columns": COLUMNS,
        "tabs": tabs,
        "previous": f"{base}avant={page.previous}" if page.previous else "",
        "following": f"{base}apres={page.next}" if page.next else "",
        "may_deposit": "archives.verser" in request.permissions,
    }
    return render(request, "archives/transfers.html", context)


@READ
@require_safe
def transfer(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One transfer: where it stands, its controls, its messages and the archived object."""
    found = _transfer(request, pk)
    archive = getattr(found, "archive_object", None)
    entries = list(entries_about("versement", found.pk))
    context = {
        "transfer": found,
        "kind": KINDS.get(State(found.state), "info"),
        "progress": _progress(request, found),
        "checks": _checks(found),
        "archive": archive,
        "entries": entries,
        "proof": next((e for e in entries if e.action == TAKEN), None),
        "may_decide": "archives.verser" in request.permissions,
        "may_prove": "journal.lire" in request.permissions,
        "crumbs": _crumbs(request),
        "origin": Origin(found.origin).label,
    }
    if archive:
        units, more = queries.tree(archive)
        context |= {
            "units": [(unit, _rules(unit.rules)) for unit in units],
            "more_units": more,
            "events": [
                (e, PREMIS_LABELS.get(e.kind, e.kind), PREMIS_OUTCOMES[e.outcome]) for e in archive.events.all()
            ],
            "writings": archive.writings.all(),
            "final_action": FINAL_ACTIONS.get(archive.final_action, archive.final_action),
        }
    return render(request, "archives/transfer.html", context)


def _progress(request: AgentRequest, found: Transfer) -> dict[str, Any] | None:
    if not found.working:
        return None
    counted = found.state == State.EN_CONTROLE
    return {
        "label": STAGES[State(found.state)],
        "done": found.done_bytes if counted else 0,
        "total": found.todo_bytes if counted else 0,
        "url": _address(request, "progress", found.pk),
    }


def _checks(found: Transfer) -> list[dict[str, Any]]:
    """The last series of controls, as the checks component draws them."""
    return [
        {
            "ok": line.outcome == Outcome.OK,
            "severity": "bloquant" if line.outcome == Outcome.KO else "avertissement",
            "label": line.label,
            "outcome": Outcome(line.outcome).label,
            "sentence": line.sentence,
            "where": line.where,
            "code": line.code,
        }
        for line in found.last_controls()
    ]


def _rules(stated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        rule
        | {
            "label": CATEGORY_LABELS.get(rule["category"], rule["category"]),
            "action": FINAL_ACTIONS.get(rule["final_action"], ""),
            "delay": str(parse_duration(rule["rule"]) or ""),
            "opens": rule["category"] == Category.ACCESS,
        }
        for rule in stated
    ]


@READ
@require_GET
def progress(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The progress box alone, asked for again every two seconds until the work ends."""
    found = _transfer(request, pk)
    box = _progress(request, found)
    if box is None:
        return HttpResponseClientRefresh()
    return render(request, "archives/progress.html", {"progress": box})


@TRANSFER
@require_http_methods(["GET", "POST"])
@accepts_files(DepositForm)
def deposit(request: AgentRequest) -> HttpResponseBase:
    """Deposit a package made elsewhere."""
    form = DepositForm(request.POST or None, request.FILES or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["paquet"]
        try:
            made = depositing.deposit_package(
                request.organisation,
                upload,
                upload.name,
                depositor=request.user,
                actor=request.actor,
            )
        except DomainError as error:
            refusal = error.sentence
        else:
            return redirect(_address(request, "transfer", made.pk))
    status = 422 if refusal or form.errors else 200
    context = {"form": form, "refusal": refusal, "crumbs": _crumbs(request)}
    return render(request, "archives/deposit.html", context, status=status)


@TRANSFER
@require_http_methods(["GET", "POST"])
def accept(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Accept a conformant transfer, said twice because it cannot be undone."""
    found = _transfer(request, pk)
    page = _address(request, "transfer", pk)
    if request.method == "GET":
        context = {
            "transfer": found,
            "crumbs": _crumbs(request, {"label": str(found), "url": page}),
            "page_url": page,
        }
        return render(request, "archives/accept.html", context)
    return _act(request, found, depositing.accept_transfer, "Le versement est accepté : il part au stockage.")


@TRANSFER
@require_http_methods(["GET", "POST"])
def refuse(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Refuse a conformant transfer, with a reason."""
    found = _transfer(request, pk)
    page = _address(request, "transfer", pk)
    form = RefusalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _act(
            request,
            found,
            lambda one, actor: depositing.refuse_transfer(one, form.cleaned_data["motif"], actor=actor),
            "Le versement est refusé ; la réponse le dit au service versant.",
        )
    context = {"transfer": found, "form": form, "page_url": page}
    context["crumbs"] = _crumbs(request, {"label": str(found), "url": page})
    return render(request, "archives/refuse.html", context)


@TRANSFER
@require_POST
def restart(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Put back to work a transfer that met an incident."""
    found = _transfer(request, pk)
    return _act(request, found, depositing.restart_transfer, "Le versement est relancé.")


def _act(request: AgentRequest, found: Transfer, service: Callable[..., None], done: str) -> HttpResponse:
    try:
        service(found, actor=request.actor)
    except DomainError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, done)
    return redirect(_address(request, "transfer", found.pk))


@READ
@require_GET
def file(request: AgentRequest, pk: UUID, file: UUID) -> FileResponse:
    """An archived file, read from the storage; the communication is written in the journal."""
    found = get_object_or_404(
        ArchiveFile.objects.select_related("archive__organisation"),
        pk=file,
        archive__transfer_id=pk,
        organisation=request.organisation,
    )
    opens = found.archive.access_end
    if (opens is None or opens > clock.today()) and "archives.verser" not in request.permissions:
        raise PermissionDenied("Ce fichier n’est pas communicable ; adressez-vous au service des archives.")
    stream = vault().open(found.archive.ocfl_id, found.path)
    record(
        found.archive.organisation,
        "archives.communique",
        subject=("versement", pk),
        actor=request.actor,
        sha256=found.sha256,
        details={"file": str(found.pk)},
    )
    response = FileResponse(stream, as_attachment=True, filename=found.filename.rsplit("/", 1)[-1])
    response["Content-Type"] = "application/octet-stream"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@READ
@require_safe
def register(request: AgentRequest) -> HttpResponseBase:
    """Registre des entrées, on screen or as CSV (``?format=csv``)."""
    organisation = request.organisation
    if request.GET.get("format") == "csv":
        return _register_csv(request)
    lines = queries.register_lines(organisation, before=whole_number(request.GET.get("avant")))
    rows = list(lines[: queries.PAGE_SIZE + 1])
    shown = rows[: queries.PAGE_SIZE]
    context = {
        "lines": shown,
        "columns": REGISTER_COLUMNS,
        "following": f"?avant={shown[-1].number}" if len(rows) > queries.PAGE_SIZE else "",
        "crumbs": _crumbs(request),
    }
    return render(request, "archives/register.html", context)


def _register_csv(request: AgentRequest) -> HttpResponseBase:
    lines = queries.register_lines(request.organisation).iterator(chunk_size=1000)
    rows = (
        [
            line.number,
            line.archive.title,
            line.transferring_agency,
            line.originating_agency,
            line.units,
            line.files,
            line.size,
            line.entered_at.isoformat(),
            line.archive.ocfl_id,
        ]
        for line in lines
    )
    name = "registre-des-entrees"
    return download_table(REGISTER_FIELDS, rows, name=name, extension="csv", sheet="Registre")
