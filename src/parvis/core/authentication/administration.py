"""« Second facteur »: who of an organisation has one, asking that a lost one be reset; on the platform, approving."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.authentication import factors, resets
from parvis.core.authentication.forms import AdministratorResetForm, FactorResetForm, OperatorResetForm
from parvis.core.authentication.models import FactorReset, OperatorReset, Reset
from parvis.core.identity.access import AccountRequest, AgentRequest, agent_view, platform_view
from parvis.core.identity.by_name import named, page_by_name, words_of
from parvis.core.identity.models import Mandate
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web.confirming import carry_out, fill_in
from parvis.core.web.navigation import administration_tabs, platform_tabs

PERMISSION = "administration.organisation"
COLUMNS = [
    {"label": "Personne"},
    {"label": "Second facteur"},
    {"label": "Demande"},
    {"label": "Action", "hidden": True},
]
PLATFORM_COLUMNS = [
    {"label": "Personne"},
    {"label": "Organisation"},
    {"label": "Motif"},
    {"label": "Possible dès le"},
    {"label": "Action", "hidden": True},
]


@agent_view(PERMISSION)
@require_safe
def people(request: AgentRequest) -> HttpResponse:
    """Everybody who acts for the organisation, with the state of their second factor, by name and by page."""
    words = words_of(request.GET)
    page = page_by_name(named(resets.agents_of(request.organisation), words), request.GET)
    asked = FactorReset.objects.filter(organisation=request.organisation, state=FactorReset.State.ASKED)
    here = asked.filter(account__in=page.rows).select_related("asked_by")
    waiting = {reset.account_id: reset for reset in here}
    held = factors.held_by_each(page.rows)
    rows = [(account, held[account.pk], waiting.get(account.pk)) for account in page.rows]
    context = {
        "page": page,
        "words": words,
        "tabs": administration_tabs(request.organisation, request.permissions, "second-facteur"),
        "rows": rows,
        "columns": COLUMNS,
    }
    return render(request, "authentication/people.html", context)


@agent_view(PERMISSION, recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: AgentRequest, pk: int) -> HttpResponse:
    """Ask that somebody's second factor be reset."""
    here = Mandate.objects.filter(organisation=request.organisation, account=pk).in_force(clock.today())
    account = get_object_or_404(here.select_related("account")[:1]).account
    form = FactorResetForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            resets.ask(request.organisation, account, **form.cleaned_data, by=request.user, request=request)
        except resets.ResetRefused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, "La demande est transmise à la plateforme, et la personne est prévenue.")
            return redirect("authentication_administration:people", organisation_slug=request.organisation.slug)
    context = {"form": form, "account": account, "held": factors.held_by(account)}
    return render(request, "authentication/ask_reset.html", context, status=400 if form.errors else 200)


@agent_view(PERMISSION)
@require_POST
def cancel(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Take a request back."""
    reset = get_object_or_404(FactorReset, pk=pk, organisation=request.organisation)
    try:
        resets.cancel(reset, by=request.user, request=request)
    except resets.ResetRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "La demande est annulée.")
    return redirect("authentication_administration:people", organisation_slug=request.organisation.slug)


def _everywhere() -> list[int]:
    return list(Organisation.objects.values_list("pk", flat=True))


@platform_view
@require_safe
def requests(request: AccountRequest) -> HttpResponse:
    """The requests that wait for a second pair of eyes, oldest first; nothing else of the organisations is read."""
    with acting_for(*_everywhere(), account=request.user.pk):
        waiting = FactorReset.objects.filter(state=FactorReset.State.ASKED).order_by("asked_at")
        rows = [_line(reset, request) for reset in waiting.select_related("account", "organisation", "asked_by")]
    asked = OperatorReset.objects.filter(state=OperatorReset.State.ASKED).select_related("account", "asked_by")
    asked_for = {reset.account_id for reset in asked}
    operators = list(resets.operators())
    held = factors.held_by_each(operators)
    context = {
        "tabs": platform_tabs("second-facteur"),
        "rows": rows,
        "columns": PLATFORM_COLUMNS,
        "operator_rows": [(*_line(reset, request), resets.approvers(reset)) for reset in asked.order_by("asked_at")],
        "operators": [(one, held[one.pk], one.pk in asked_for) for one in operators],
    }
    return render(request, "authentication/reset_requests.html", context)


def _line(reset: Reset, request: AccountRequest) -> tuple[Reset, bool, bool]:
    """A request, whether the wait is over, and whether it is another's than this operator's."""
    other = request.user.pk not in (reset.asked_by_id, reset.account_id)
    return reset, clock.now() >= reset.possible_from, other


@platform_view(recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_operator(request: AccountRequest, pk: int) -> HttpResponse:
    """Ask that the factors of another operator be reset."""
    account = get_object_or_404(resets.operators(), pk=min(pk, 2**63 - 1))
    form = OperatorResetForm(request.POST if request.method == "POST" else None)

    def act() -> None:
        resets.ask_for_operator(account, **form.cleaned_data, by=request.user, request=request)

    return fill_in(
        request,
        form,
        title=f"Facteurs perdus\u00a0: {account.full_name}",
        verb="Demander la remise à zéro",
        back=reverse("authentication_platform:requests"),
        action=act,
        done="La demande est faite. Tous les exploitants sont prévenus ; elle peut être approuvée dans 24 heures.",
    )


@platform_view(recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_administrator(request: AccountRequest, slug: str) -> HttpResponse:
    """Ask that the factors of who administers an organisation alone be reset; nothing of it is shown."""
    organisation = get_object_or_404(Organisation, slug=slug)
    form = AdministratorResetForm(request.POST if request.method == "POST" else None)

    def act() -> None:
        with acting_for(organisation, account=request.user.pk):
            resets.ask_for_administrator(organisation, **form.cleaned_data, by=request.user, request=request)

    return fill_in(
        request,
        form,
        title=f"Administration sans facteur\u00a0: {organisation.short_name}",
        text="La seule personne qui administre cette organisation a perdu tous ses moyens de connexion, codes de"
        " secours compris. Elle est prévenue, ainsi que le maire et la direction générale des services ; un second"
        " exploitant approuve vingt-quatre heures plus tard. La demande s’inscrit au journal de l’organisation.",
        verb="Demander la remise à zéro",
        back=reverse("authentication_platform:requests"),
        action=act,
        done="La demande est faite. La personne et son organisation sont prévenues ; un autre exploitant peut "
        "l’approuver dans 24 heures.",
    )


@platform_view(recent=True)
@require_POST
def decide_for_operator(request: AccountRequest, pk: UUID) -> HttpResponse:
    """Approve what another operator asked for an operator, or turn it down."""
    reset = get_object_or_404(OperatorReset, pk=pk)
    approves = request.POST.get("decision") == "approuver"
    act = resets.approve_for_operator if approves else resets.cancel_for_operator
    return carry_out(
        request,
        lambda: act(reset, by=request.user, request=request),
        done="Les facteurs sont remis à zéro ; tous les exploitants sont prévenus."
        if approves
        else "La demande est écartée.",
        back=reverse("authentication_platform:requests"),
    )


@platform_view(recent=True)
@require_POST
def decide(request: AccountRequest, pk: UUID) -> HttpResponse:
    """Approve a request (the factors go, the sessions end) or turn it down."""
    with acting_for(*_everywhere(), account=request.user.pk):
        reset = get_object_or_404(FactorReset, pk=pk)
        try:
            if request.POST.get("decision") == "approuver":
                resets.approve(reset, by=request.user, request=request)
                messages.success(request, "Le second facteur est remis à zéro ; la personne est prévenue.")
            else:
                resets.cancel(reset, by=request.user, request=request)
                messages.success(request, "La demande est écartée.")
        except resets.ResetRefused as refused:
            messages.error(request, refused.sentence)
    return redirect("authentication_platform:requests")
