"""The error basket: messages of the State that could not be attached, raw, to read and to replay."""

from email import message_from_bytes
from email.policy import default as modern
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from parvis.core.documents.services import open_document
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.web.keyset import page_of
from parvis.edemat.actes.enums import InboundState
from parvis.edemat.actes.models import InboundMessage
from parvis.edemat.actes.services.reception import SenderNotProven, verify_sender
from parvis.edemat.actes.services.reception import replay as replay_message

SHOWN_BYTES = 256 * 1024
SHOWN_CHARACTERS = 60_000


@agent_view("actes.banette", application="edemat")
@require_safe
def basket(request: AgentRequest) -> HttpResponse:
    """Messages waiting for somebody, then those already processed."""
    wanted = InboundState.TRAITE if request.GET.get("vue") == "traites" else InboundState.BANETTE
    received = InboundMessage.objects.filter(organisation=request.organisation, state=wanted)
    page = page_of(received.select_related("transaction__acte"), "received_at", request.GET)
    return render(request, "actes/basket.html", {"page": page, "processed": wanted == InboundState.TRAITE})


@agent_view("actes.banette", application="edemat")
@require_safe
def message(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One message: why it waits, its raw text, its attachments by name."""
    found = _message(request, pk)
    with open_document(found.raw) as stream:
        raw = stream.read(SHOWN_BYTES)
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
            "unproven": _unproven(raw),
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


def _unproven(raw: bytes) -> bool:
    try:
        verify_sender(raw)
    except SenderNotProven:
        return True
    return False


def _message(request: AgentRequest, pk: UUID) -> InboundMessage:
    messages_ = InboundMessage.objects.select_related("raw__organisation", "transaction__acte")
    return get_object_or_404(messages_, pk=pk, organisation=request.organisation)
