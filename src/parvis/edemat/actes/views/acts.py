"""Agents' pages of acts: the tracking board, one page per act, publication and its end."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.web.confirming import fill_in
from parvis.core.web.keyset import page_of
from parvis.edemat.actes import board, notification, publication
from parvis.edemat.actes.dossier import Dossier
from parvis.edemat.actes.enums import InboundState, Nature
from parvis.edemat.actes.exports import export_acts
from parvis.edemat.actes.forms import NotifyForm, PublishForm, WithdrawForm
from parvis.edemat.actes.legal_dates import executoire_on, last_appeal_day, online_until
from parvis.edemat.actes.models import Acte, InboundMessage, Publication, Transaction

COLUMNS = [
    {"label": "Date"},
    {"label": "Numéro"},
    {"label": "Objet"},
    {"label": "Nature"},
    {"label": "Matière"},
    {"label": "État"},
    {"label": "Exécutoire"},
]


@agent_view("actes.lire", application="edemat")
@require_safe
def list_acts(request: AgentRequest) -> HttpResponse:
    """The tracking board: filters, one page of acts, what must be looked at."""
    filters = board.Filters.read(request.GET)
    rows = board.acts(request.organisation, filters).defer("checks")
    page = page_of(rows, "decision_date", request.GET)
    basket = "actes.banette" in request.permissions
    sent = Transaction.objects.filter(organisation=request.organisation)
    return render(
        request,
        "actes/list.html",
        {
            "filters": filters,
            "may_deposit": "actes.preparer" in request.permissions,
            "page": page,
            "columns": COLUMNS,
            "situations": board.SITUATIONS.items(),
            "natures": Nature.choices,
            "matieres": [(code, f"{code} {label}") for code, label in board.MATIERES.items()],
            "previous": _page_address(filters, "avant", page.previous),
            "next": _page_address(filters, "apres", page.next),
            "uncertain": sent.uncertain().count(),
            "held_back": sent.waiting_for_the_state().count(),
            "basket": InboundMessage.objects.filter(
                organisation=request.organisation, state=InboundState.BANETTE
            ).count()
            if basket
            else 0,
        },
    )


def _page_address(filters: board.Filters, direction: str, key: str) -> str:
    return "?" + "&".join(filter(None, [filters.query, f"{direction}={key}"])) if key else ""


@agent_view("actes.lire", application="edemat")
@require_safe
def export(request: AgentRequest, extension: str) -> HttpResponseBase:
    """The board as CSV or ODS, for the present filters."""
    if extension not in ("csv", "ods"):
        raise Http404
    rows = board.acts(request.organisation, board.Filters.read(request.GET))
    return export_acts(rows, extension, f"actes-{request.organisation.slug}-{clock.today():%Y%m%d}")


def get_acte(request: AgentRequest, pk: UUID) -> Acte:
    """The act of the present organisation, or 404 like a missing one."""
    acts = Acte.objects.select_related("organisation", "route", "document__organisation")
    return get_object_or_404(acts, pk=pk, organisation=request.organisation)


@agent_view("actes.lire", application="edemat")
@require_safe
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One screen for one act: route, next action, documents, essentials, checks, journal.

    While something comes by itself the page asks for itself again, and is given nothing while nothing has changed.
    """
    dossier = Dossier(get_acte(request, pk), request.permissions)
    asks_again = "HX-Request" in request.headers
    if asks_again and request.GET.get("vu") == dossier.fingerprint:
        return HttpResponse(status=204)
    return render(request, "actes/detail.html", {"dossier": dossier, "announced": asks_again})


@agent_view("actes.publier", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Put the act online: the page says what follows, the button does it."""
    acte = get_acte(request, pk)
    form = PublishForm(acte, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _publish(request, acte, form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "L’acte est en ligne. Le tampon et le certificat sont en préparation.")
            return redirect("actes:detail", organisation_slug=request.organisation.slug, pk=acte.pk)
    today, individual = clock.today(), acte.nature == Nature.INDIVIDUEL
    return render(
        request,
        "actes/publish.html",
        {
            "acte": acte,
            "form": form,
            "remarks": publication.remarks_before_publication(acte, today),
            "today": today,
            "executoire_on": executoire_on(
                publication.legally_received_on(acte), acte.notified_on if individual else today
            ),
            "individual": individual,
            "trial": acte.trial,
            "appeal_until": last_appeal_day(today),
            "online_until": online_until(today),
            "already": acte.publications.online().exists(),
        },
        status=400 if form.errors else 200,
    )


def _publish(request: AgentRequest, acte: Acte, entered: dict[str, Any]) -> Publication:
    annexes = entered.get("annexes")
    return publication.publish(
        acte,
        author=publication.Author(entered["author_name"].strip(), entered["author_quality"].strip()),
        actor=request.actor,
        personal_data_reviewed=entered.get("personal_data_reviewed", False),
        annexes=None if annexes is None else [piece.pk for piece in annexes],
    )


@agent_view("actes.publier", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
def notify(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Note that the people whom the act names have received it."""
    acte = get_acte(request, pk)
    form = NotifyForm(acte, request.POST or None)
    back = reverse("actes:detail", args=[request.organisation.slug, acte.pk])

    def note() -> None:
        entered = dict(form.cleaned_data)
        author = publication.Author(entered.pop("author_name").strip(), entered.pop("author_quality").strip())
        notification.notify(acte, on=entered.pop("notified_on"), author=author, actor=request.actor, **entered)

    return fill_in(
        request,
        form,
        title="Noter la notification",
        verb="Noter la notification",
        back=back,
        action=note,
        done="La notification est notée. La date à laquelle l’acte s’impose est à jour.",
        crumbs=[
            {"label": "Actes", "url": reverse("actes:list", args=[request.organisation.slug])},
            {"label": acte.numero, "url": back},
        ],
    )


@agent_view("actes.publier", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Take the act off the public site, with its reason."""
    acte = get_acte(request, pk)
    online = get_object_or_404(Publication.objects.online().defer("text", "search"), acte=acte)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            publication.withdraw(online, actor=request.actor, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "L’acte n’est plus en ligne. Sa date de publication reste acquise.")
            return redirect("actes:detail", organisation_slug=request.organisation.slug, pk=acte.pk)
    return render(
        request,
        "actes/withdraw.html",
        {
            "acte": acte,
            "publication": online,
            "form": form,
            "online_until": online_until(online.published_on),
            "cancel": reverse("actes:detail", args=[request.organisation.slug, acte.pk]),
        },
        status=400 if form.errors else 200,
    )
