"""Pages of the parapheur: the list, one page per dossier, and each decision confirmed in words."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.journal.queries import entries_about
from parvis.core.routing.registry import correction_of
from parvis.core.web.confirming import confirm, intends
from parvis.edemat.parapheur import queries, services
from parvis.edemat.parapheur.forms import DecisionForm, RefusalForm
from parvis.edemat.parapheur.models import Action, Dossier

READ = agent_view("parapheur.lire", application="edemat")
ENDORSE = agent_view("parapheur.viser", application="edemat")
SIGN = agent_view("parapheur.signer", application="edemat", recent=True)
REFUSE = agent_view("parapheur.viser", "parapheur.signer", application="edemat")
PREPARE = agent_view("parapheur.preparer", application="edemat")

COLUMNS = [
    {"label": "Numéro"},
    {"label": "Objet"},
    {"label": "État"},
    {"label": "Échéance"},
    {"label": "Ouvert le"},
]
KINDS = {
    Dossier.State.VISA: "info",
    Dossier.State.SIGNATURE: "warn",
    Dossier.State.SIGNING: "info",
    Dossier.State.SIGNED: "ok",
    Dossier.State.REFUSED: "danger",
}


def _address(request: AgentRequest, name: str, pk: UUID | None = None) -> str:
    slug = request.organisation.slug
    return reverse(f"parapheur:{name}", args=[slug] if pk is None else [slug, pk])


def _dossier(pk: UUID) -> Dossier:
    found = Dossier.objects.select_related(
        "organisation", "circuit", "route_step__route", "signer",
        "document__organisation", "signed_document__organisation", "report__organisation",
    )  # fmt: skip
    return get_object_or_404(found, pk=pk)


def _crumbs(request: AgentRequest, dossier: Dossier) -> list[dict[str, str]]:
    return [
        {"label": "Parapheur", "url": _address(request, "dossiers")},
        {"label": dossier.reference or dossier.title, "url": _address(request, "dossier", dossier.pk)},
    ]


@READ
@require_GET
def dossiers(request: AgentRequest) -> HttpResponse:
    state = request.GET.get("etat", "attente")
    state = state if state in queries.FILTERS else "tous"
    page = Paginator(queries.dossiers(state), queries.PAGE_SIZE).get_page(request.GET.get("page"))
    counts = queries.counts()
    tabs = [
        {"label": label, "url": f"?etat={code}", "active": code == state, "count": counts[code]}
        for code, (label, _) in queries.FILTERS.items()
    ]
    rows = [(one, KINDS[Dossier.State(one.state)]) for one in page]
    context = {"page": page, "rows": rows, "columns": COLUMNS}
    context["previous"] = f"?etat={state}&page={page.previous_page_number()}" if page.has_previous() else ""
    context["following"] = f"?etat={state}&page={page.next_page_number()}" if page.has_next() else ""
    context["tabs"] = [*tabs, {"label": "Tous", "url": "?etat=tous", "active": state not in queries.FILTERS}]
    return render(request, "parapheur/dossiers.html", context)


@READ
@require_GET
def dossier(request: AgentRequest, pk: UUID) -> HttpResponse:
    found = _dossier(pk)
    shown = found.signed_document or found.document
    route = found.route_step.route
    held: frozenset[str] = request.permissions
    awaited = {Dossier.State.VISA: Action.VISA, Dossier.State.SIGNATURE: Action.SIGNATURE}.get(found.state)
    barred = services.barred_from(found, awaited) if awaited else None
    context = {
        "dossier": found,
        "etapes": found.etapes.select_related("account"),
        "shown": shown,
        "pages": range(1, (shown.pages or 0) + 1),
        "texts": queries.text_of(shown),
        "entries": entries_about("dossier", found.pk),
        "annexes": route.documents.filter(role="annexe").select_related("document__organisation"),
        "essentials": route.facts.get("acte", {}),
        "checks": route.facts.get("controles", []),
        "crumbs": _crumbs(request, found)[:1],
        "may_endorse": "parapheur.viser" in held and barred != request.user,
        "may_sign": "parapheur.signer" in held and barred != request.user,
        "barred": barred == request.user,
        "may_prepare": "parapheur.preparer" in held,
        "correction": correction_of(route) if found.state == Dossier.State.REFUSED else "",
        "renewed": services.renewal_of(found),
        "progress": _progress(request, found),
        "kind": KINDS[Dossier.State(found.state)],
    }
    return render(request, "parapheur/dossier.html", context)


def _progress(request: AgentRequest, dossier: Dossier) -> dict[str, Any]:
    return {
        "url": _address(request, "avancement", dossier.pk),
        "label": dossier.get_stage_display(),
        "done": dossier.stage_number,
        "total": len(Dossier.Stage),
    }


@READ
@require_GET
def progress(request: AgentRequest, pk: UUID) -> HttpResponse:
    found = _dossier(pk)
    if found.state != Dossier.State.SIGNING:
        return HttpResponseClientRefresh()
    return render(request, "parapheur/avancement.html", {"progress": _progress(request, found)})


@ENDORSE
@require_http_methods(["GET", "POST"])
def endorse(request: AgentRequest, pk: UUID) -> HttpResponse:
    return _decide(
        request,
        pk,
        state=Dossier.State.VISA,
        service=services.endorse,
        done="Votre visa est donné : le document part à la signature.",
        title="Viser ce document",
        text=(
            "Par votre visa, vous attestez l’avoir relu et l’estimer prêt à être signé. "
            "Il part à la signature ; votre nom et la date sont inscrits au dossier."
        ),
        verb="Donner mon visa",
    )


@SIGN
@require_http_methods(["GET", "POST"])
def sign(request: AgentRequest, pk: UUID) -> HttpResponse:
    return _decide(
        request,
        pk,
        state=Dossier.State.SIGNATURE,
        service=services.ask_signature,
        done="",
        title="Signer ce document",
        text=(
            "Vous signez électroniquement ce document, tel qu’il vous a été montré, "
            "au nom de votre organisation. La signature est horodatée et vérifiée, puis le document poursuit "
            "son cheminement. "
            "Une signature ne se retire pas."
        ),
        verb="Signer maintenant",
    )


def _decide(
    request: AgentRequest,
    pk: UUID,
    *,
    state: str,
    service: Any,
    done: str,
    title: str,
    text: str,
    verb: str,
) -> HttpResponse:
    """Second of the two clicks: say what will happen, then do it on the document that was shown."""
    found = _dossier(pk)
    page = _address(request, "dossier", pk)
    if request.method == "GET" and found.state != state:
        return redirect(page)
    form = DecisionForm(request.POST)
    if request.method == "POST" and not form.is_valid():
        messages.error(request, "La demande est incomplète. Affichez à nouveau le document avant de vous prononcer.")
        return redirect(page)
    shown = request.GET.get("empreinte") or found.document.sha256
    about = " — ".join(part for part in (found.reference, found.title) if part)
    if intends(request, title=f"{title} : {about}", text=text, verb=verb, back=page, crumbs=_crumbs(request, found)):
        return HttpResponse()

    def decide() -> None:
        try:
            service(pk, account=request.user, sha256=form.cleaned_data["empreinte"], actor=request.actor)
        except services.NotEntitled as error:
            raise PermissionDenied(error.sentence) from error

    return confirm(
        request,
        title=title,
        text=text,
        verb=verb,
        back=page,
        action=decide,
        done=done,
        crumbs=_crumbs(request, found),
        hidden={"empreinte": shown},
        template="parapheur/decision.html",
        context={"dossier": found, "shown": shown},
    )


@REFUSE
@require_http_methods(["GET", "POST"])
def refuse(request: AgentRequest, pk: UUID) -> HttpResponse:
    found = _dossier(pk)
    page = _address(request, "dossier", pk)
    needed = {Dossier.State.VISA: "parapheur.viser", Dossier.State.SIGNATURE: "parapheur.signer"}.get(found.state)
    if needed is None:
        messages.error(request, "Ce dossier n’attend plus de décision.")
        return redirect(page)
    if needed not in request.permissions:
        raise PermissionDenied("Seule la personne dont le dossier attend la décision peut le refuser.")
    shown = request.GET.get("empreinte") or found.document.sha256
    form = RefusalForm(request.POST if request.method == "POST" else None, initial={"empreinte": shown})
    if form.is_valid():
        try:
            services.refuse(
                pk,
                account=request.user,
                motive=form.cleaned_data["motif"],
                sha256=form.cleaned_data["empreinte"],
                actor=request.actor,
            )
        except services.NotEntitled as error:
            raise PermissionDenied(error.sentence) from error
        except services.MotiveRequired as error:
            form.add_error("motif", error.sentence)
        except DomainError as error:
            messages.error(request, error.sentence)
            return redirect(page)
        else:
            messages.success(request, "Le document est refusé. La personne qui l’a préparé est prévenue du motif.")
            return redirect(page)
    context = {"dossier": found, "form": form, "page_url": page, "crumbs": _crumbs(request, found)}
    return render(request, "parapheur/refus.html", context, status=422 if form.errors else 200)


@PREPARE
@require_http_methods(["POST"])
def put_back(request: AgentRequest, pk: UUID) -> HttpResponse:
    get_object_or_404(Dossier, pk=pk)
    try:
        renewed = services.put_back(pk, actor=request.actor)
    except DomainError as error:
        messages.error(request, error.sentence)
        return redirect(_address(request, "dossier", pk))
    messages.success(request, "Le document est de nouveau au parapheur.")
    return redirect(_address(request, "dossier", renewed.pk))
