"""Administration of the services that trust an organisation's accounts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.branding.images import too_large
from parvis.core.branding.services import kept_picture, picture_url, receive
from parvis.core.errors import DomainError
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.organisations.authority import roles_of
from parvis.core.provider import services
from parvis.core.provider.adapter import issuer
from parvis.core.provider.claims import OFFLINE, choices, example, labels
from parvis.core.provider.forms import ServiceForm
from parvis.core.provider.models import LogoutNotice, Service
from parvis.core.provider.services import RegistrationRefused
from parvis.core.provider.sites import Site
from parvis.core.web.confirming import confirm, gesture
from parvis.core.web.navigation import administration_tabs
from parvis.core.web.uploads import TooHeavy, accepts_files

PERMISSION = "administration.organisation"


def _found(request: AgentRequest, pk: UUID) -> Service:
    found = services.service_for(request.organisation.pk, pk)
    if found is None:
        raise Http404
    return found


def _page(request: AgentRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    tabs = administration_tabs(request.organisation, request.permissions, "services")
    response = render(request, f"provider/{template}.html", {"tabs": tabs, **context}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _to(name: str, request: AgentRequest, **kwargs: Any) -> HttpResponse:
    return redirect(f"clients:{name}", organisation_slug=request.organisation.slug, **kwargs)


@require_safe
@agent_view(PERMISSION)
def services_list(request: AgentRequest) -> HttpResponse:
    found = Service.objects.filter(organisation=request.organisation)
    columns = [{"label": "Service"}, {"label": "Nature"}, {"label": "État"}, {"label": "Dernière utilisation"}]
    return _page(request, "services", services=list(found), columns=columns)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
@accepts_files(ServiceForm, form_always_read=True)
def new(request: AgentRequest) -> HttpResponse:
    form = _form(request, {"populations": ["usager"], "claims": ["profile.given_name", "profile.family_name"]})
    if request.method == "POST" and form.is_valid():
        try:
            service = services.propose(request.organisation, form.cleaned_data, actor=request.actor, request=request)
        except RegistrationRefused as error:
            form.refuse(error)
        else:
            messages.success(request, f"{service.name} est proposé : la plateforme doit maintenant l’approuver.")
            return _to("detail", request, pk=service.pk)
    return _form_page(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
@accepts_files(ServiceForm, form_always_read=True)
def edit(request: AgentRequest, pk: UUID) -> HttpResponse:
    service = _found(request, pk)
    form = _form(request, {name: getattr(service, name) for name in services.FIELDS})
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.change(service, form.cleaned_data, actor=request.actor, request=request)
        except RegistrationRefused as error:
            form.refuse(error)
        else:
            messages.success(
                request,
                "Rien n’a changé."
                if not changed
                else "La modification sera soumise à la plateforme quand vous remettrez le service en service."
                if service.state == Service.State.SUSPENDED
                else "La modification prendra effet quand la plateforme l’aura approuvée.",
            )
            return _to("detail", request, pk=pk)
    return _form_page(request, form, service)


def _form(request: AgentRequest, initial: Mapping[str, Any]) -> ServiceForm:
    """The form as it is sent, its logo kept already: it has not to be sent again whatever else is wrong."""
    if request.method != "POST":
        return ServiceForm(organisation=request.organisation, initial=initial)
    data = request.POST.copy()
    sent = request.FILES.get("logo")
    refused: DomainError | None = too_large("logo") if isinstance(sent, TooHeavy) else None
    if refused is None and sent is not None and sent.file is not None:
        try:
            received = receive(request.organisation, "logo", cast(BinaryIO, sent.file))
            data["logo_kept"] = str(received.document.pk)
            data.pop("logo_removed", None)
        except DomainError as error:  # of the picture, or of the storage (antivirus)
            refused = error
    form = ServiceForm(data, organisation=request.organisation, initial=initial)
    if refused is not None:
        form.add_error("logo", refused.sentence)
    return form


def _form_page(request: AgentRequest, form: ServiceForm, service: Service | None) -> HttpResponse:
    kept = kept_picture(request.organisation, "logo", str(form["logo_kept"].value() or ""))
    logo = picture_url(kept, public=False) if kept else ""
    return _page(request, "service_form", form=form, service=service, logo=logo, status=422 if form.errors else 200)


def _secrets(service: Service) -> list[dict[str, Any]]:
    from datetime import UTC, datetime

    now = time.time()
    return [
        {
            "since": datetime.fromtimestamp(s["since"], UTC),
            "until": datetime.fromtimestamp(s["until"], UTC) if s["until"] else None,
        }
        for s in Site.of(service.client).secrets
        if s["until"] is None or s["until"] > now
    ]


@require_safe
@agent_view(PERMISSION)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    service = _found(request, pk)
    return _page(
        request,
        "service",
        service=service,
        secrets=_secrets(service),
        logo=picture_url(service.logo, public=False) if service.logo else "",
        by_key=Site.of(service.client).by_key if service.approved_at else service.authentication == "cle",
        discovery=issuer() + reverse("provider:configuration"),
        **described(service),
        notices=LogoutNotice.objects.filter(client=service.client)[:10],
        switchable=service.state != Service.State.REFUSED,
        columns=[{"label": "Fin de session"}, {"label": "État"}, {"label": "Essais"}, {"label": "Dernière réponse"}],
    )


def described(service: Service) -> dict[str, Any]:
    """What the pages of a proposal show of it, for who makes it and for who approves it."""
    roles = {role.code: role.label for role in roles_of(service.organisation)}
    chosen = choices(service.scopes)
    return {
        "invented": [(chosen[key].label, chosen[key].example) for key in service.claims if key in chosen],
        "preview": json.dumps(example(service.scopes, service.claims), ensure_ascii=False, indent=2),
        "offline": OFFLINE in service.scopes,
        "key_names": _key_names(service.jwks),
        "roles": [roles.get(code, code) for code in service.roles],
        "changes": pending_changes(service),
    }


def _key_names(jwks: dict[str, Any] | None) -> list[str]:
    return [f"{key['kid']} ({key['kty']})" for key in (jwks or {}).get("keys", [])]


def pending_changes(service: Service) -> list[tuple[str, str, str]]:
    """Label, value in force, value proposed of what an approval would change."""
    if service.approved_at is None:
        return []
    live = services.in_force(service)
    return [
        (_label(name), _words(name, live[name]), _words(name, getattr(service, name)))
        if name != "logo"
        else (
            "Logo",
            "celui d’avant" if live[name] else "aucun",
            "celui que montre cette page" if service.logo else "aucun",
        )
        for name in services.differing(service)
    ]


def _label(name: str) -> str:
    field = ServiceForm.base_fields.get(name)
    return str(field.label if field else Service._meta.get_field(name).verbose_name).capitalize()  # type: ignore[union-attr]


def _words(name: str, value: Any) -> str:
    named: dict[Any, Any] = dict(getattr(Service._meta.get_field(name), "choices", None) or [])
    if name == "claims":
        return ", ".join(labels(value)) or "–"
    if name == "jwks":
        return ", ".join(_key_names(value)) or "–"
    if isinstance(value, bool):
        return "oui" if value else "non"
    values = value if isinstance(value, list) else [value]
    return ", ".join(str(named.get(v, v)) for v in values) or "–"


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def secret(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Make a secret, in the answer to the form and nowhere else."""
    service = _found(request, pk)
    made = ""
    if request.method == "POST":
        try:
            if request.POST.get("action") == "retirer":
                dropped = services.drop_old_secrets(service, actor=request.actor, request=request)
                messages.success(request, "Les anciens secrets sont retirés." if dropped else "Rien n’a changé.")
                return _to("detail", request, pk=pk)
            made = services.rotate_secret(service, actor=request.actor, request=request)
        except RegistrationRefused as error:
            messages.error(request, error.sentence)
            return _to("detail", request, pk=pk)
    return _page(request, "secret", service=service, made=made, overlap=services.OVERLAP_DAYS)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def switch(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Suspend, or put back: what the page said, even where somebody else did it meanwhile."""
    service = _found(request, pk)
    asked = gesture(request)
    restores = asked == "remettre" if asked else service.state == Service.State.SUSPENDED
    act = services.reactivate if restores else services.suspend
    if restores:
        verb, done = "Remettre en service", f"{service.name} est remis en service."
        text = "On pourra de nouveau s’y connecter, dans les conditions que la plateforme avait approuvées."
    else:
        verb, done = "Suspendre", f"{service.name} est suspendu."
        text = "Dès maintenant, personne ne pourra s’y connecter, et ce qui lui a été délivré ne sera plus honoré."
    return confirm(
        request,
        title=f"{verb}\u00a0: {service.name}",
        text=text,
        verb=verb,
        back=reverse("clients:detail", kwargs={"organisation_slug": request.organisation.slug, "pk": pk}),
        action=lambda: act(service, actor=request.actor, request=request),
        done=done,
        hidden={"geste": "remettre" if restores else "suspendre"},
        danger=not restores,
    )
