"""Screens of the certificate register: an organisation enrols, assigns and revokes what its people sign with."""

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.trust import certificates
from parvis.core.trust.expiry import ExpiryState
from parvis.core.trust.forms import EnrolmentForm, HolderForm, RevocationForm
from parvis.core.trust.models import Certificate
from parvis.core.web.confirming import fill_in
from parvis.core.web.navigation import administration_tabs
from parvis.core.web.uploads import accepts_files

PERMISSION = "administration.organisation"
COLUMNS = [
    {"label": "Titulaire"},
    {"label": "Signe pour"},
    {"label": "Émetteur"},
    {"label": "Validité"},
]
KINDS = {ExpiryState.VALID: "ok", ExpiryState.EXPIRED: "danger", ExpiryState.REVOKED: "danger"}


def _address(request: AgentRequest, name: str, **more: object) -> str:
    return reverse(f"certificates:{name}", kwargs={"organisation_slug": request.organisation.slug, **more})


def _crumbs(request: AgentRequest, certificate: Certificate | None = None) -> list[dict[str, str]]:
    here = [{"label": "Certificats de signature", "url": _address(request, "list")}]
    if certificate:
        here.append({"label": certificate.holder, "url": _address(request, "detail", pk=certificate.pk)})
    return here


def _found(request: AgentRequest, pk: UUID) -> Certificate:
    rows = Certificate.objects.select_related("organisation", "account")
    return get_object_or_404(rows, pk=pk, organisation=request.organisation)


def _rows(found: list[Certificate]) -> list[dict[str, object]]:
    stands = [(one, certificates.expiry_of(one)) for one in found]
    return [{"certificate": one, "expiry": known, "kind": KINDS.get(known.state, "warn")} for one, known in stands]


@require_safe
@agent_view(PERMISSION)
def register(request: AgentRequest) -> HttpResponse:
    """Every certificate of the organisation: those that sign first, by the end of their validity."""
    found = Certificate.objects.filter(organisation=request.organisation).select_related("account")
    ordered = sorted(found, key=lambda one: (one.revoked_at is not None, one.not_after < clock.now(), one.not_after))
    context = {
        "tabs": administration_tabs(request.organisation, request.permissions, "certificats"),
        "rows": _rows(ordered),
        "columns": COLUMNS,
    }
    return render(request, "trust/certificates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent="always")
@accepts_files(EnrolmentForm)
def enrol(request: AgentRequest) -> HttpResponse:
    """Register a PKCS#12 for a person; what is wrong with the file is said next to it."""
    form = EnrolmentForm(request.POST or None, request.FILES or None, organisation=request.organisation)

    def action() -> str:
        given = form.cleaned_data
        made = certificates.enrol(
            request.organisation, given["file"], given["passphrase"], account=given["account"], actor=request.actor
        )
        return _address(request, "detail", pk=made.pk)

    return fill_in(
        request,
        form,
        title="Enregistrer un certificat de signature",
        verb="Enregistrer le certificat",
        back=_address(request, "list"),
        action=action,
        done="Le certificat est enregistré : la personne peut signer avec lui.",
        crumbs=_crumbs(request),
        refused_field="file",
        multipart=True,
    )


@require_safe
@agent_view(PERMISSION)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One certificate: who issued it, to whom, until when, and whether it may sign."""
    found = _found(request, pk)
    (row,) = _rows([found])
    context = {**row, "checks": certificates.checks_of(found), "crumbs": _crumbs(request)}
    return render(request, "trust/certificate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def assign(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Say for whom the certificate signs."""
    found = _found(request, pk)
    form = HolderForm(request.POST or None, organisation=request.organisation, initial={"account": found.account_id})

    def action() -> None:
        certificates.assign(found, form.cleaned_data["account"], actor=request.actor)

    return fill_in(
        request,
        form,
        title=f"Attribuer le certificat de {found.holder}",
        verb="Attribuer",
        back=_address(request, "detail", pk=pk),
        action=action,
        done="Le certificat est attribué.",
        crumbs=_crumbs(request, found),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def revoke(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Stop a certificate for good, with the reason."""
    found = _found(request, pk)
    form = RevocationForm(request.POST or None)
    do = partial(certificates.revoke, found, at=clock.now(), actor=request.actor)
    return fill_in(
        request,
        form,
        title=f"Révoquer le certificat de {found.holder}",
        text="Le certificat ne signera plus et sa clé quitte le serveur : cela ne se défait pas. Ce qu’il a signé "
        "reste valable. Demandez aussi sa révocation à l’autorité qui l’a émis.",
        verb="Révoquer le certificat",
        back=_address(request, "detail", pk=pk),
        action=lambda: do(reason=form.cleaned_data["reason"]),
        done="Le certificat est révoqué.",
        crumbs=_crumbs(request, found),
    )


@require_safe
@agent_view("parapheur.signer")
def mine(request: AgentRequest) -> HttpResponse:
    """The certificates with which the person signs for the organisation."""
    own = Certificate.objects.for_signature().filter(organisation=request.organisation, account=request.user)
    return render(request, "trust/mine.html", {"rows": _rows(list(own.order_by("-not_after")))})
