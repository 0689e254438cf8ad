"""Downloads and page images of documents, for agents and, once published, for everybody."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from parvis.core.documents import holders, infections, previews
from parvis.core.documents.delivery import deliver
from parvis.core.documents.errors import DocumentMissing
from parvis.core.documents.models import Document
from parvis.core.identity.access import AgentRequest, agent_view, public_view
from parvis.core.web.confirming import carry_out
from parvis.core.web.integers import whole_number


def _public(pk: UUID) -> Document:
    """A document that row security shows to everybody, that is a published one."""
    return get_object_or_404(Document.objects.select_related("organisation"), pk=pk)


def _held(request: AgentRequest, pk: UUID) -> Document:
    """A document whose holder the person may read; any other answers like a missing one."""
    document = get_object_or_404(
        Document.objects.select_related("organisation", "source"), pk=pk, organisation=request.organisation
    )
    if not holders.may_open(document, request.permissions):
        raise Http404
    return document


def _download(request: HttpRequest, document: Document) -> HttpResponseBase:
    try:
        return deliver(request, document, inline="voir" in request.GET)
    except DocumentMissing as error:
        raise Http404 from error


def _page(request: HttpRequest, document: Document, page: int) -> HttpResponse:
    asked = whole_number(request.GET.get("largeur")) or 800
    try:
        image = previews.page_image(document, page, asked)
    except previews.NoPreview as error:
        raise Http404 from error
    response = HttpResponse(image, content_type="image/png")
    response["Cache-Control"] = f"{'public' if document.public_since else 'private'}, max-age=86400, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@agent_view("documents.lire")
@require_safe
def download(request: AgentRequest, pk: UUID) -> HttpResponseBase:
    """The file itself; ``?voir`` shows it in the browser when its type allows."""
    return _download(request, _held(request, pk))


@agent_view("documents.lire")
@require_safe
def page(request: AgentRequest, pk: UUID, page: int) -> HttpResponse:
    """PNG of one page; ``?largeur=`` in pixels."""
    return _page(request, _held(request, pk), page)


@agent_view("documents.lire")
@require_safe
def digest(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The SHA-256 of the document, shown on demand."""
    return HttpResponse(_held(request, pk).sha256, content_type="text/plain; charset=utf-8")


@public_view
@require_safe
def public_download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The published file."""
    return _download(request, _public(pk))


@public_view
@require_safe
def public_page(request: HttpRequest, pk: UUID, page: int) -> HttpResponse:
    """PNG of one page of a published file."""
    return _page(request, _public(pk), page)


# --- what the antivirus refused ---------------------------------------------------------------------------------
ALERTS_SHOWN = 50


@require_safe
@agent_view(infections.PERMISSION)
def infected(request: AgentRequest) -> HttpResponse:
    """The files that the antivirus recognised, and what to do of them."""
    context = {"alerts": infections.alerts(request.organisation)[:ALERTS_SHOWN]}
    return render(request, "documents/infections.html", context)


@require_POST
@agent_view(infections.PERMISSION)
def examined(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Close one alert."""
    return carry_out(
        request,
        lambda: infections.close(request.organisation, pk, actor=request.actor),
        done="L’alerte est classée.",
        back=reverse("documents:infections", args=[request.organisation.slug]),
    )
