"""Pages about the API: what it offers (for integrators), and the accounts of an organisation (for administrators)."""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.api import services
from parvis.core.api.forms import AccountForm, CertificateForm, RotationForm
from parvis.core.api.models import ApiAccount
from parvis.core.api.problems import KINDS
from parvis.core.api.registry import label_of
from parvis.core.identity.access import AgentRequest, agent_view, open_view
from parvis.core.identity.audit import audit
from parvis.core.journal.queries import entries_about
from parvis.core.web.confirming import confirm
from parvis.core.web.navigation import administration_tabs

PERMISSION = "administration.organisation"


# --- for integrators ---------------------------------------------------------------------------------------
@cache
def _schema() -> dict[str, Any]:
    from parvis.core.api.urls import api

    return dict(api.get_openapi_schema())


@require_safe
@open_view
def description(request: HttpRequest) -> JsonResponse:
    """The OpenAPI 3.1 description of every operation."""
    response = JsonResponse(_schema(), json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_safe
@open_view
def documentation(request: HttpRequest) -> HttpResponse:
    """The same for people, with nothing loaded from elsewhere."""
    schema = _schema()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, details in methods.items():
            groups.setdefault(details["tags"][0], []).append(_told(path, method, details, schema))
    context = {
        "groups": groups.items(),
        "description": schema["info"]["description"],
        "problems": [(status, *words) for status, words in KINDS.items()],
        "base": request.build_absolute_uri("/api/v1/"),
    }
    return render(request, "api/documentation.html", context)


def _told(path: str, method: str, details: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """One operation as the page tells it."""
    scope = details.get("x-scope", "")
    given, made = details.get("requestBody", {}), details["responses"]
    media, body = _content(given)
    _, answer = _content(made.get(200) or made.get(201) or {})
    return {
        "method": method.upper(),
        "path": path,
        "summary": details["summary"],
        "description": details.get("description", "").partition("\n\nDroit")[0],
        "scope": scope,
        "scope_label": label_of(scope),
        "parameters": [
            {"name": p["name"], "required": p["required"], **_shape(p["schema"], schema)} for p in details["parameters"]
        ],
        "media": media,
        "body": _fields(body, schema),
        "answer": _fields(answer, schema),
    }


def _content(described: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Media type and schema of a body, those of its first content."""
    for media, details in described.get("content", {}).items():
        return media, details.get("schema", {})
    return "", {}


def _resolved(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = shape.get("$ref", "").rpartition("/")[2]
    return schema["components"]["schemas"].get(name, shape)


def _fields(shape: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties of an object, those of its elements for a page of a list."""
    found = _resolved(shape, schema)
    elements = found.get("items") or found.get("properties", {}).get("elements", {}).get("items")
    if elements:
        found = _resolved(elements, schema)
    required = found.get("required", [])
    return [
        {"name": name, "required": name in required, **_shape(details, schema)}
        for name, details in found.get("properties", {}).items()
    ]


_TYPES = {"string": "texte", "integer": "entier", "number": "nombre", "boolean": "oui ou non", "array": "liste"}
_FORMATS = {"date": "date", "date-time": "date et heure", "uuid": "identifiant", "binary": "fichier"}


def _shape(details: dict[str, Any], schema: dict[str, Any]) -> dict[str, str]:
    choices = [c for c in details.get("anyOf", [details]) if c.get("type") != "null"] or [details]
    kind = _resolved(choices[0], schema)
    words = _FORMATS.get(kind.get("format", "")) or _TYPES.get(kind.get("type", ""), "objet")
    return {"type": words, "description": details.get("description", "")}


# --- for administrators ------------------------------------------------------------------------------------
def _tabs(request: AgentRequest) -> list[dict[str, object]]:
    return administration_tabs(request.organisation, request.permissions, "api")


def _account(request: AgentRequest, pk: UUID) -> ApiAccount:
    return get_object_or_404(
        ApiAccount.objects.select_related("organisation"), pk=pk, organisation=request.organisation
    )


def _audit(event: str, request: AgentRequest, account: ApiAccount) -> None:
    audit(event, request=request, organisation=request.organisation, client=account.identifier)


def _detail_url(account: ApiAccount) -> str:
    return reverse("api_accounts:detail", kwargs={"organisation_slug": account.organisation.slug, "pk": account.pk})


@require_safe
@agent_view(PERMISSION)
def accounts(request: AgentRequest) -> HttpResponse:
    """The accounts of the organisation, with their last call."""
    columns = ["Logiciel", "Droits", "Preuve", "Dernier appel", "Dernier jour", "État"]
    context = {
        "tabs": _tabs(request),
        "accounts": ApiAccount.objects.filter(organisation=request.organisation).order_by("-revoked_at", "name"),
        "columns": [{"label": label} for label in columns],
    }
    return render(request, "api/accounts.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def create(request: AgentRequest) -> HttpResponse:
    """Make an account and show its secret, this once."""
    form = AccountForm(request.organisation, request.permissions, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account, secret = services.create_account(
                request.organisation, **form.cleaned_data, actor=request.actor, permissions=request.permissions
            )
        except services.ApiAccountRefused as error:
            field = error.data.get("field")
            form.add_error(field if isinstance(field, str) else None, error.sentence)
        else:
            _audit("manager.api.creation", request, account)
            return _show_secret(request, account, secret)
    return render(request, "api/create.html", {"form": form})


def _show_secret(request: AgentRequest, account: ApiAccount, secret: str) -> HttpResponse:
    """Shown in the answer itself: kept nowhere, it cannot be shown again."""
    context = {
        "account": account,
        "secret": secret,
        "bearer": f"{account.identifier}.{secret}",
        "back": _detail_url(account),
        "address": request.build_absolute_uri("/api/v1/moi"),
    }
    return render(request, "api/secret.html", context)


@require_safe
@agent_view(PERMISSION)
def detail(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One account: what it may do, how it proves itself, what became of it."""
    account = _account(request, pk)
    context = {
        "tabs": _tabs(request),
        "account": account,
        "scopes": [(code, label_of(code)) for code in account.scopes],
        "secrets": account.secrets.valid(clock.now()),
        "entries": entries_about("compte_api", account.pk),
        "rotation": RotationForm(),
    }
    return render(request, "api/detail.html", context)


@never_cache
@require_POST
@agent_view(PERMISSION, recent=True)
def rotate(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Give the account another secret and show it, this once."""
    account = _account(request, pk)
    form = RotationForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choisissez dans la liste le délai laissé à l’ancien secret.")
        return redirect(_detail_url(account))
    try:
        overlap = timedelta(days=form.cleaned_data["overlap_days"])
        secret = services.rotate_secret(account, overlap=overlap, actor=request.actor, permissions=request.permissions)
    except services.ApiAccountRefused as error:
        messages.error(request, error.sentence)
        return redirect(_detail_url(account))
    _audit("manager.api.rotation", request, account)
    return _show_secret(request, account, secret)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def rotate_certificate(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Pin the certificate that follows; the former one is accepted for a while."""
    account = _account(request, pk)
    form = CertificateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.rotate_certificate(
                account,
                certificate=given["certificate"],
                overlap=timedelta(days=given["overlap_days"]),
                actor=request.actor,
                permissions=request.permissions,
            )
        except services.ApiAccountRefused as error:
            field = error.data.get("field")
            form.add_error(field if isinstance(field, str) else None, error.sentence)
        else:
            _audit("manager.api.rotation", request, account)
            messages.success(request, "Le nouveau certificat est accepté dès maintenant.")
            return redirect(_detail_url(account))
    return render(request, "api/certificate.html", {"account": account, "form": form, "back": _detail_url(account)})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION, recent=True)
def revoke(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Stop an account for ever: the page says what follows, the button does it."""
    account = _account(request, pk)

    def act() -> None:
        services.revoke_account(account, actor=request.actor)
        _audit("manager.api.revocation", request, account)

    return confirm(
        request,
        title=f"Révoquer le compte d’API « {account.name} »",
        text="Dès maintenant et pour toujours, ce logiciel ne pourra plus appeler l’API. Ce qu’il a déposé reste en "
        "place.",
        verb="Révoquer le compte",
        back=_detail_url(account),
        action=act,
        done=f"« {account.name} » ne peut plus appeler l’API.",
        danger=True,
    )
