"""Reviews of the mandates: the list, one review with what is left to decide, decisions, closing."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.organisations import reviews
from parvis.core.organisations.forms import DecisionForm, ReviewForm
from parvis.core.organisations.models import Review, ReviewLine
from parvis.core.organisations.views.people import ADMINISTER, FORM, authority, go, tabs

READ = "habilitations.lire"
OPEN = "administration.organisation"
KINDS = {"confirmed": "ok", "changed": "info", "revoked": "danger", "moot": ""}


@require_safe
@agent_view(READ)
def listing(request: AgentRequest) -> HttpResponse:
    today = clock.today()
    rows = Review.objects.filter(organisation=request.organisation)[:50]
    context = {
        "tabs": tabs(request, "reviews"),
        "lines": [(review, reviews.progress(review), review.overdue(today)) for review in rows],
        "scopes": {code: label for code, (label, _) in reviews.SCOPES.items()},
        "columns": [{"label": "Revue"}, {"label": "Ouverte le"}, {"label": "À terminer le"}, {"label": "Avancement"}],
        "may_open": OPEN in request.permissions,
    }
    return render(request, "organisations/reviews.html", context)


@require_http_methods(FORM)
@agent_view(OPEN)
def new(request: AgentRequest) -> HttpResponse:
    today = clock.today()
    initial = {"name": f"Revue du {'1er' if today.month < 7 else '2e'} semestre {today.year}"}
    form = ReviewForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            review = reviews.open_review(
                values["name"], values["application"], values["deadline"], by=authority(request)
            )
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "La revue est ouverte ; chacun trouve sa part sur son bureau.")
            return go(request, "review", pk=review.pk)
    return render(request, "organisations/review_form.html", {"form": form})


def _review(request: AgentRequest, pk: UUID) -> Review:
    return get_object_or_404(
        Review.objects.select_related("organisation", "document__organisation"),
        organisation=request.organisation,
        pk=pk,
    )


@require_safe
@agent_view(READ)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    by, today = authority(request), clock.today()
    review = _review(request, pk)
    role, mine = request.GET.get("role", "")[:60], request.GET.get("part") == "mienne"
    everything = list(reviews.lines_for(review, by, mine=mine)[:2000])
    shown = [line for line in everything if not role or line.role_code == role]
    roles = {line.role_code: line.role_label for line in everything}
    context = {
        "tabs": tabs(request, "reviews"),
        "review": review,
        "scope": reviews.SCOPES[review.application][0],
        "progress": reviews.progress(review),
        "overdue": review.overdue(today),
        "undecided": [(line, by.may_manage(line.mandate)) for line in shown if not line.decision],
        "decided": [(line, KINDS[line.decision]) for line in shown if line.decision],
        "roles": sorted(roles.items(), key=lambda pair: pair[1]),
        "role": role,
        "mine": mine,
        "may_decide": by.administers and review.closed_at is None,
        "may_close": by.whole and by.administers and review.closed_at is None,
        "columns": [{"label": name} for name in ("Personne", "Rôle", "Fin", "Dernier accès", "Revu par")]
        + [{"label": "Décision"}],
    }
    return render(request, "organisations/review.html", context)


@require_http_methods(FORM)
@agent_view(ADMINISTER, recent=True)
def decide(request: AgentRequest, pk: UUID, line_pk: UUID) -> HttpResponse:
    """One mandate under review: confirm it, give it an end, or take it back."""
    by = authority(request)
    review = _review(request, pk)
    line = get_object_or_404(reviews.lines_for(review, by), pk=line_pk)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            written = reviews.decide(line, form.cleaned_data["decision"], new_end=form.cleaned_data["new_end"], by=by)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            label = ReviewLine.Decision(written).label.lower()
            messages.success(request, f"{line.mandate.account.full_name}, {line.role_label} : {label}.")
            return go(request, "review", pk=pk)
    return render(request, "organisations/review_line.html", {"form": form, "review": review, "line": line})


@require_POST
@agent_view(ADMINISTER, recent=True)
def confirm_many(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Confirm the mandates ticked in the list of one role."""
    chosen = []
    for text in request.POST.getlist("ligne"):
        try:
            chosen.append(str(UUID(text)))
        except ValueError:
            continue
    try:
        number = reviews.confirm_many(
            _review(request, pk), request.POST.get("role", "")[:60], chosen, by=authority(request)
        )
    except DomainError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, f"Mandats confirmés : {number}.")
    return go(request, "review", pk=pk)


@require_http_methods(FORM)
@agent_view(OPEN, recent=True)
def close(request: AgentRequest, pk: UUID) -> HttpResponse:
    review = _review(request, pk)
    if request.method == "POST":
        try:
            reviews.close_review(review, by=authority(request))
        except DomainError as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, "La revue est close ; son compte rendu est conservé.")
        return go(request, "review", pk=pk)
    context = {"review": review, "progress": reviews.progress(review)}
    return render(request, "organisations/review_close.html", context)
