"""Administration of the platform by the métropole: organisations, subscriptions, operators; no content."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import AccountRequest, platform_view
from parvis.core.identity.models import Account
from parvis.core.organisations import invitations, platform
from parvis.core.organisations.forms import (
    AdministrationForm,
    EndForm,
    OrganisationForm,
    PersonForm,
    SubscriptionForm,
)
from parvis.core.organisations.models import Invitation, OperatorGrant, Organisation, Subscription
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web.confirming import carry_out
from parvis.core.web.navigation import platform_tabs

FORM = ["GET", "HEAD", "POST"]


@require_safe
@platform_view
def listing(request: AccountRequest) -> HttpResponse:
    today = clock.today()
    rows = list(
        Organisation.objects.select_related("parent").prefetch_related("subscriptions").order_by("kind", "name")
    )
    with acting_for(*rows, account=request.user.pk):
        waiting = list(invitations.proposals(*rows))
    applications = Subscription.Application.choices
    context = {
        "tabs": platform_tabs("organisations"),
        "proposals": waiting,
        "lines": [(o, [(label, o.subscribes_to(code, today)) for code, label in applications]) for o in rows],
        "columns": [{"label": "Organisation"}, {"label": "Nature"}, *({"label": label} for _, label in applications)],
    }
    return render(request, "platform/organisations.html", context)


def _one(slug: str) -> Organisation:
    return get_object_or_404(Organisation.objects.prefetch_related("subscriptions"), slug=slug)


@require_safe
@platform_view
def detail(request: AccountRequest, slug: str) -> HttpResponse:
    organisation, today = _one(slug), clock.today()
    with acting_for(organisation, account=request.user.pk):
        waiting = list(invitations.proposals(organisation))
    context = {
        "tabs": platform_tabs("organisations"),
        "organisation": organisation,
        "proposals": [(invitation, invitation.invited_by_id == request.user.pk) for invitation in waiting],
        "subscriptions": [
            (s, s.since <= today and (s.until is None or today <= s.until)) for s in organisation.subscriptions.all()
        ],
    }
    return render(request, "platform/organisation.html", context)


@require_http_methods(FORM)
@platform_view(recent=True)
def new(request: AccountRequest) -> HttpResponse:
    return _save(request, Organisation())


@require_http_methods(FORM)
@platform_view(recent=True)
def edit(request: AccountRequest, slug: str) -> HttpResponse:
    return _save(request, _one(slug))


def _save(request: AccountRequest, organisation: Organisation) -> HttpResponse:
    form = OrganisationForm(request.POST or None, instance=organisation)
    if request.method == "POST" and form.is_valid():
        platform.save_organisation(form.instance, form.changed_data, by=request.user, request=request)
        messages.success(request, f"« {organisation.name} » est enregistrée.")
        return redirect("platform:organisation", slug=organisation.slug)
    return render(request, "platform/organisation_form.html", {"form": form, "organisation": organisation})


@require_http_methods(FORM)
@platform_view(recent=True)
def subscribe(request: AccountRequest, slug: str) -> HttpResponse:
    organisation = _one(slug)
    form = SubscriptionForm(request.POST or None, initial={"since": clock.today()})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            platform.subscribe(
                organisation, values["application"], values["since"], values["until"], by=request.user, request=request
            )
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "L’adhésion est enregistrée.")
            return redirect("platform:organisation", slug=slug)
    context = {"form": form, "organisation": organisation, "title": "Ouvrir une application", "verb": "Ouvrir"}
    return render(request, "platform/form.html", context)


@require_http_methods(FORM)
@platform_view(recent=True)
def end_subscription(request: AccountRequest, slug: str, pk: int) -> HttpResponse:
    organisation = _one(slug)
    subscription = get_object_or_404(Subscription, organisation=organisation, pk=min(pk, 2**63 - 1))
    form = EndForm(request.POST or None, initial={"until": subscription.until})
    if request.method == "POST" and form.is_valid():
        try:
            platform.end_subscription(subscription, form.cleaned_data["until"], by=request.user, request=request)
        except DomainError as error:
            form.add_error("until", error.sentence)
        else:
            messages.success(request, "L’adhésion est modifiée. Ce qui a été produit reste lisible.")
            return redirect("platform:organisation", slug=slug)
    title = f"Fin de l’adhésion : {subscription.get_application_display()}"
    context = {"form": form, "organisation": organisation, "title": title, "verb": "Enregistrer la fin"}
    return render(request, "platform/form.html", context)


@require_http_methods(FORM)
@platform_view(recent=True)
def first_administrator(request: AccountRequest, slug: str) -> HttpResponse:
    """Invite the first administration; where there was one before, propose it to a second operator."""
    organisation = _one(slug)
    with acting_for(organisation, account=request.user.pk):
        again = invitations.lost_its_administration(organisation)
    form = (AdministrationForm if again else PersonForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitations.invite_first_administrator(organisation, **form.cleaned_data, by=request.user, request=request)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            sent = f"Une invitation part à l’adresse {form.cleaned_data['email']}."
            messages.success(request, "La proposition attend l’accord d’un second exploitant." if again else sent)
            return redirect("platform:organisation", slug=organisation.slug)
    context = {
        "form": form,
        "organisation": organisation,
        "title": "Rétablir l’administration"
        if again
        else "Inviter la première personne qui administrera l’organisation",
        "verb": "Proposer à un second exploitant" if again else "Envoyer l’invitation",
    }
    return render(request, "platform/form.html", context)


@require_POST
@platform_view(recent=True)
def answer_administrator(request: AccountRequest, slug: str, pk: UUID) -> HttpResponse:
    """Approve or set aside the administration that another operator proposed."""
    organisation = _one(slug)
    with acting_for(organisation, account=request.user.pk):
        invitation = get_object_or_404(Invitation, pk=pk, organisation=organisation, needs_approval=True)
    agrees = request.POST.get("reponse") == "accord"
    act = invitations.approve_administrator if agrees else invitations.refuse_administrator
    return carry_out(
        request,
        lambda: act(invitation, by=request.user, request=request),
        done="L’accord est donné : la personne reçoit une invitation." if agrees else "La proposition est écartée.",
        back=reverse("platform:organisation", kwargs={"slug": slug}),
    )


# --- operators --------------------------------------------------------------------------------------------


@require_safe
@platform_view
def operators(request: AccountRequest) -> HttpResponse:
    grants = OperatorGrant.objects.filter(accepted_at__isnull=True, refused_at__isnull=True)
    context = {
        "tabs": platform_tabs("operators"),
        "operators": platform.operators(),
        "grants": [
            (g, g.proposed_by_id == request.user.pk, platform.is_open(g))
            for g in grants.select_related("proposed_by", "approved_by")
        ],
    }
    return render(request, "platform/operators.html", context)


@require_http_methods(FORM)
@platform_view(recent=True)
def propose(request: AccountRequest) -> HttpResponse:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            platform.propose_operator(form.cleaned_data, by=request.user, request=request)
        except DomainError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "La proposition attend l’accord d’une seconde personne.")
            return redirect("platform:operators")
    return render(request, "platform/form.html", {"form": form, "title": "Proposer un exploitant", "verb": "Proposer"})


ANSWERS = {
    "accord": (platform.approve_operator, "L’accord est donné : la personne reçoit un lien."),
    "refus": (platform.refuse_operator, "La proposition est écartée."),
    "renvoi": (platform.resend_operator, "Un nouveau lien part."),
}


@require_POST
@platform_view(recent=True)
def answer(request: AccountRequest, pk: UUID) -> HttpResponse:
    """Approve or set aside a proposal, or send its link again."""
    grant = get_object_or_404(OperatorGrant, pk=pk)
    act, done = ANSWERS.get(request.POST.get("reponse", ""), (None, ""))
    if act is None:
        messages.error(request, "Cette réponse n’existe pas.")
        return redirect("platform:operators")
    try:
        act(grant, by=request.user, request=request)
    except DomainError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, done)
    return redirect("platform:operators")


@require_http_methods(FORM)
@platform_view(recent=True)
def remove(request: AccountRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=min(pk, 2**63 - 1), is_platform_administrator=True)
    if request.method == "POST":
        try:
            platform.remove_operator(account, by=request.user, request=request)
        except DomainError as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, f"{account.full_name} n’exploite plus la plateforme.")
        return redirect("platform:operators")
    return render(request, "platform/operator_remove.html", {"account": account})
