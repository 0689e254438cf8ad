"""The error basket: messages of the State that could not be attached, raw, to read and to replay."""

from email import message_from_bytes
from email.policy import default as modern
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.documents.services import open_document
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.web.confirming import fill_in
from parvis.core.web.keyset import page_of
from parvis.edemat.actes.enums import InboundState
from parvis.edemat.actes.forms import AttachForm, SetAsideForm
from parvis.edemat.actes.models import InboundMessage
from parvis.edemat.actes.services.basket import attach_by_hand, find_acte
from parvis.edemat.actes.services.basket import set_aside as put_aside
from parvis.edemat.actes.services.reception import replay as replay_message
from parvis.edemat.actes.services.reception import sender_is_proven

SHOWN_BYTES = 256 * 1024
SHOWN_CHARACTERS = 60_000
VIEWS = {"traites": InboundState.TRAITE, "ecartes": InboundState.ECARTE}
"""What the basket shows besides the messages that wait."""


@agent_view("actes.banette", application="edemat")
@require_safe
def basket(request: AgentRequest) -> HttpResponse:
    """Messages waiting for somebody, then those already processed."""
    wanted = VIEWS.get(request.GET.get("vue", ""), InboundState.BANETTE)
    received = InboundMessage.objects.filter(organisation=request.organisation, state=wanted)
    page = page_of(received.select_related("transaction__acte"), "received_at", request.GET)
    view = next((code for code, state in VIEWS.items() if state == wanted), "")
    return render(request, "actes/basket.html", {"page": page, "view": view, "processed": bool(view)})


@agent_view("actes.banette", application="edemat")
@require_safe
def message(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One message: why it waits, its raw text, its attachments by name."""
    found = _message(request, pk)
    raw = _beginning(found)
    mail = message_from_bytes(raw, policy=modern)
    return render(
        request,
        "actes/message.html",
        {
            "message": found,
            "subject": str(mail.get("Subject", ""))[:300],
            "sender": str(mail.get("From", ""))[:300],
            "attachments": [name for part in mail.walk() if (name := part.get_filename())],
            "raw": raw.decode("utf-8", "replace")[:SHOWN_CHARACTERS],
            "unproven": not sender_is_proven(raw),
            "cut": found.raw.size > SHOWN_CHARACTERS,
        },
    )


@agent_view("actes.banette", application="edemat")
@require_POST
def replay(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Read the message again, after what prevented it has been put right."""
    found = _message(request, pk)
    try:
        replay_message(found, actor=request.actor, despite_sender=request.POST.get("accepter") == "oui")
    except DomainError as refusal:
        messages.error(request, refusal.sentence)
        return redirect("actes:message", organisation_slug=request.organisation.slug, pk=pk)
    found.refresh_from_db()
    if found.state == InboundState.BANETTE:
        messages.warning(request, f"Le message reste dans la banette : {found.error}")
        return redirect("actes:message", organisation_slug=request.organisation.slug, pk=pk)
    messages.success(request, "Le message a été lu et rattaché.")
    return redirect("actes:basket", organisation_slug=request.organisation.slug)


@agent_view("actes.banette", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
def set_aside(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The message needs nothing: it is put aside, with the reason."""
    found = _message(request, pk)
    form = SetAsideForm(request.POST or None)

    def carry_out() -> str:
        put_aside(found, form.cleaned_data["reason"], actor=request.actor)
        return reverse("actes:basket", args=[request.organisation.slug])

    return fill_in(
        request,
        form,
        title="Écarter le message",
        verb="Écarter le message",
        back=reverse("actes:message", args=[request.organisation.slug, pk]),
        action=carry_out,
        done="Le message est écarté. Il reste consultable avec son motif.",
        crumbs=_crumbs(request),
        refused_field="reason",
    )


@agent_view("actes.banette", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
def attach(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The message is about an act that it does not name rightly: it is kept with it, as a letter."""
    found = _message(request, pk)
    form = AttachForm(request.POST or None, proven=sender_is_proven(_beginning(found)))

    def carry_out() -> str:
        acte = find_acte(request.organisation, form.cleaned_data["acte"])
        accepted = form.cleaned_data.get("accepter", False)
        attach_by_hand(found, acte, actor=request.actor, despite_sender=accepted)
        return reverse("actes:detail", args=[request.organisation.slug, acte.pk]) + "#courriers"

    return fill_in(
        request,
        form,
        title="Rattacher le message à un acte",
        verb="Rattacher à l’acte",
        back=reverse("actes:message", args=[request.organisation.slug, pk]),
        action=carry_out,
        done="Le message est rattaché à l’acte, avec ses courriers. L’état de l’acte n’a pas changé.",
        crumbs=_crumbs(request),
        refused_field="acte",
    )


def _crumbs(request: AgentRequest) -> list[dict[str, str]]:
    slug = request.organisation.slug
    return [
        {"label": "Actes", "url": reverse("actes:list", args=[slug])},
        {"label": "Banette d’erreur", "url": reverse("actes:basket", args=[slug])},
    ]


def _beginning(message: InboundMessage) -> bytes:
    with open_document(message.raw) as stream:
        return stream.read(SHOWN_BYTES)


def _message(request: AgentRequest, pk: UUID) -> InboundMessage:
    messages_ = InboundMessage.objects.select_related("raw__organisation", "transaction__acte")
    return get_object_or_404(messages_, pk=pk, organisation=request.organisation)
