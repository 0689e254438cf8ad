"""Pages of the journal: what happened to an object, and the proof of each event."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST, require_safe

from parvis.core import clock
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.jobs.queries import latest_state
from parvis.core.journal import actions, checking, queries, sealing
from parvis.core.journal.models import Entry, Seal
from parvis.core.journal.readings import JOURNAL, note_reading
from parvis.core.journal.tasks import seal_journal
from parvis.core.web.integers import whole_number

PAGE = 50
SEALS = 12


def _crumbs(request: AgentRequest, *more: dict[str, str]) -> list[dict[str, str]]:
    url = reverse("journal:index", kwargs={"organisation_slug": request.organisation.slug})
    return [{"label": "Journal", "url": url}, *more]


def _entry(request: AgentRequest, seq: int) -> Entry:
    organisation = request.organisation
    entries = Entry.objects.filter(organisation=organisation).select_related("organisation")
    return get_object_or_404(entries, seq=seq)


@agent_view("journal.lire")
@require_safe
def index(request: AgentRequest) -> HttpResponse:
    """Newest events and seals of the organisation; ``?avant=`` goes back in time."""
    organisation = request.organisation
    before = whole_number(request.GET.get("avant"))
    rows = list(queries.newest_entries(organisation, before=before)[: PAGE + 1])
    entries, older = rows[:PAGE], len(rows) > PAGE
    context = {
        "entries": entries,
        "older": entries[-1].seq if older else None,
        "seals": Seal.objects.filter(organisation=organisation).order_by("-number")[:SEALS],
        "overdue": queries.seal_overdue(organisation, clock.now()),
        "may_seal": "administration.organisation" in request.permissions,
        "sealing": latest_state(organisation.pk, seal_journal.task.name),
    }
    note_reading(organisation, JOURNAL, request.actor)
    return render(request, "journal/index.html", context)


@agent_view("journal.lire")
@require_safe
def about(request: AgentRequest, kind: str, identifier: str) -> HttpResponse:
    """Everything the journal holds about one object."""
    entries = list(queries.entries_about(kind, identifier))
    if not entries:
        raise Http404
    subject = actions.subject(kind)
    context = {
        "entries": entries,
        "subject": subject,
        "identifier": identifier,
        "object_url": _object_url(request, subject, identifier),
        "crumbs": _crumbs(request),
    }
    note_reading(request.organisation, JOURNAL, request.actor)
    return render(request, "journal/about.html", context)


def _object_url(request: AgentRequest, subject: actions.Subject, identifier: str) -> str:
    if not subject.url_name:
        return ""
    slug = request.organisation.slug
    try:
        return reverse(subject.url_name, kwargs={"organisation_slug": slug, "pk": identifier})
    except NoReverseMatch:
        return ""


def _proof_context(request: AgentRequest, entry: Entry) -> dict[str, Any]:
    seal = sealing.seal_of(entry)
    return {
        "entry": entry,
        "one": [entry],
        "subject": actions.subject(entry.subject_kind),
        "leaf": bytes(entry.leaf).hex(),
        "details": sorted(entry.details.items()),
        "seal": seal,
        "path": sealing.inclusion_proof(entry)["path"] if seal else [],
        "crumbs": _crumbs(request),
    }


@agent_view("journal.lire")
@require_safe
def proof(request: AgentRequest, seq: int) -> HttpResponse:
    """One event with its inclusion proof, its seal and the token's date."""
    context = _proof_context(request, _entry(request, seq))
    note_reading(request.organisation, JOURNAL, request.actor)
    return render(request, "journal/proof.html", context)


@agent_view("journal.lire")
@require_POST
def verify(request: AgentRequest, seq: int) -> HttpResponse:
    """The same page after every control was made again, on line."""
    entry = _entry(request, seq)
    verdicts = checking.verify_entry(entry)
    context = _proof_context(request, entry) | {"verdicts": verdicts, "proven": all(v.ok for v in verdicts)}
    note_reading(request.organisation, JOURNAL, request.actor)
    return render(request, "journal/proof.html", context)


@agent_view("journal.lire")
@require_safe
def proof_file(request: AgentRequest, seq: int) -> HttpResponse:
    """The proof as a JSON file that the stand-alone verifier reads."""
    try:
        content = sealing.inclusion_proof(_entry(request, seq))
    except sealing.NotSealedYet as error:
        raise Http404 from error
    note_reading(request.organisation, JOURNAL, request.actor)
    response = HttpResponse(json.dumps(content, ensure_ascii=False, indent=1), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="preuve-{seq:08d}.json"'
    return response


@agent_view("administration.organisation")
@require_POST
def seal_now(request: AgentRequest) -> HttpResponse:
    """Have a job seal without waiting for the night, before a proof is asked for."""
    organisation = request.organisation
    last = sealing.latest_seal(organisation)
    seal_journal.enqueue(organisation, asked_by=str(request.user.pk), after=last.number if last else 0)
    messages.success(request, "Le scellement est demandé : il figure ici dès que l’autorité d’horodatage répond.")
    return redirect("journal:index", organisation_slug=organisation.slug)
