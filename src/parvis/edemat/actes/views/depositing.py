"""Depositing an act made elsewhere: one page, each refusal next to its field, then the page of the act."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.referentials.legality import MAX_ARCHIVE
from parvis.core.web.templatetags.parvis import pluriel
from parvis.core.web.uploads import accepts_files
from parvis.edemat.actes.formats.checks import Finding, refusals
from parvis.edemat.actes.formats.numbers import ActeNumber, InvalidActeNumber
from parvis.edemat.actes.forms import DepositForm
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services.correction import is_correctable
from parvis.edemat.actes.services.deposit import FileRefused, deposit_acte
from parvis.edemat.actes.services.preparation import NumberTaken, current_classification, holder_of_number


@agent_view("actes.preparer", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
@accepts_files(DepositForm, together=MAX_ARCHIVE, form_always_read=True)
def deposit(request: AgentRequest) -> HttpResponse:
    """The form of an act made elsewhere; once deposited, its page says what comes next."""
    organisation = request.organisation
    form = DepositForm(
        current_classification(organisation),
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        number_url=reverse("actes:number", args=[organisation.slug]),
    )
    if request.method == "POST" and form.is_valid() and (made := _carry_out(request, form)):
        acte, findings = made
        _say(request, acte, findings)
        return redirect("actes:detail", organisation_slug=organisation.slug, pk=acte.pk)
    crumbs = [{"label": "Actes", "url": reverse("actes:list", args=[organisation.slug])}]
    correctable = form.holder is not None and is_correctable(form.holder)
    number = _transmitted(request, form["numero"].value() or "")
    return render(
        request,
        "actes/deposit.html",
        {"form": form, "crumbs": crumbs, "number": number, "holder_correctable": correctable},
        status=422 if form.errors else 200,
    )


def _carry_out(request: AgentRequest, form: DepositForm) -> tuple[Acte, list[Finding]] | None:
    """Deposit what the form says; None, with the refusal next to its field, when nothing was kept."""
    entered = form.cleaned_data
    try:
        return deposit_acte(
            request.organisation,
            form.facts,
            entered["fichier"],
            entered["annexes"],
            actor=request.actor,
            annexes_type=entered["annexes_type"],
        )
    except FileRefused as refusal:
        form.add_error(refusal.field, refusal.sentence)
    except NumberTaken as refusal:
        form.add_error("numero", refusal.sentence)
        form.holder = refusal.holder
    except InvalidActeNumber as refusal:
        form.add_error("numero", refusal.sentence)
    except DomainError as refusal:
        form.add_error(None, refusal.sentence)
    return None


def _say(request: AgentRequest, acte: Acte, findings: list[Finding]) -> None:
    done = f"L’acte est déposé, sous le numéro transmis {acte.numero_actes}"
    if remaining := len(refusals(findings)):
        points = pluriel(remaining, "point reste,points restent")
        messages.warning(request, f"{done} ; {points} à corriger avant l’envoi.")
    else:
        messages.success(request, f"{done}. Tous ses contrôles passent.")


@agent_view("actes.preparer", application="edemat")
@require_safe
def number(request: AgentRequest) -> HttpResponse:
    """The number that the State will receive for the one being typed: a part of the page of deposit."""
    transmitted = _transmitted(request, request.GET.get("numero", "").replace("\x00", "")[:60])
    return render(request, "actes/_number.html", {"number": transmitted})


def _transmitted(request: AgentRequest, typed: str) -> dict[str, object]:
    """What becomes of a number: ``value`` or ``refusal``, and the act that has it already."""
    if not typed.strip():
        return {}
    try:
        value = str(ActeNumber.from_displayed(typed))
    except InvalidActeNumber as error:
        return {"refusal": error.sentence}
    return {"value": value, "holder": holder_of_number(request.organisation, value)}
