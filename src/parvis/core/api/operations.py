"""One way to declare an operation of the API, so that none is without its scope, its limits and its tenant.

``@operation(router, "GET", "/actes", scope="actes.lire", application="edemat", response=…)`` gives the function a
request whose account is proved, inside ``acting_for`` its organisation. The tenant × role test reads the
declaration, and the API does not start with an operation made otherwise.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Router
from ninja.decorators import decorate_view

from parvis.core.api import throttling
from parvis.core.api.credentials import authenticate, presented
from parvis.core.api.models import ApiAccount
from parvis.core.api.problems import Problem, respond, translated
from parvis.core.api.registry import label_of
from parvis.core.identity.access import Access, open_to
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web.uploads import exceeds

Run = Callable[..., HttpResponseBase]
JSON, MULTIPART = "application/json", "multipart/form-data"
REALM = 'Basic realm="Parvis", charset="UTF-8"'
MAX_JSON = 1024 * 1024


class ApiRequest(HttpRequest):
    """What an operation receives: ``scopes`` are those of ``account``, for ``organisation``."""

    account: ApiAccount
    organisation: Organisation
    actor: Actor
    scopes: frozenset[str]


def operation(
    router: Router,
    method: str,
    path: str,
    *,
    scope: str,
    application: str = "",
    body: str = "",
    max_body: int = MAX_JSON,
    files: tuple[str, ...] = (),
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add an operation to ``router``; ``scope`` "" opens it to every account.

    ``body`` is the media type it takes, of at most ``max_body`` bytes; ``files`` the media types of the file that it
    gives, if it gives one. ``application`` is
    the one of the convention that the organisation needs, as for ``agent_view``. ``options`` are those of ninja.
    """
    access = Access("api", scope, application)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function.access = access  # type: ignore[attr-defined]
        guarded = decorate_view(_guard(access, body, max_body))(function)
        needed = [scope] if scope else []
        extra: dict[str, Any] = {"x-scope": scope, "security": [{"basic": needed}, {"bearer": needed}]}
        if files:
            content = {media: {"schema": {"type": "string", "format": "binary"}} for media in files}
            extra["responses"] = {200: {"description": "Le fichier", "content": content}}
        options.setdefault("operation_id", function.__name__)
        return router.api_operation([method], path, openapi_extra=extra, by_alias=True, **options)(guarded)

    return decorate


def _guard(access: Access, body: str, max_body: int) -> Callable[[Run], Run]:
    def decorate(run: Run) -> Run:
        @wraps(run)
        def guarded(request: ApiRequest, **arguments: Any) -> HttpResponseBase:
            try:
                _admit(request, access)
                _measure(request, body, max_body)
                return _conditional(request, _perform(run, request, arguments))
            except _RolledBack as refused:
                return refused.response
            except Exception as error:
                return respond(request, translated(error))

        return guarded

    return decorate


class _RolledBack(Exception):
    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


def _perform(run: Run, request: ApiRequest, arguments: dict[str, Any]) -> HttpResponseBase:
    """Run the operation for the organisation of its account; what it refuses leaves nothing half-written."""
    with acting_for(request.organisation):
        response = run(request, **arguments)
        if response.status_code >= 400:
            raise _RolledBack(response)
        return response


def _admit(request: ApiRequest, access: Access) -> None:
    """Count the call, prove the account, check its scope; raises ``Problem``."""
    where = throttling.neighbourhood(request.META.get("REMOTE_ADDR", ""))
    _spend(f"adresse {where}", settings.PARVIS_API_CALLS_PER_ADDRESS)
    proof = presented(request)
    account = authenticate(proof) if proof else None
    if account is None or proof is None:
        raise Problem(
            401,
            "Identifiant ou secret inexact, ou compte d’API expiré ou révoqué.",
            headers={"WWW-Authenticate": REALM},
        )
    _spend(f"compte {account.pk}", settings.PARVIS_API_CALLS_PER_ACCOUNT)
    if not account.admits(proof.address):
        raise Problem(
            403,
            "Ce compte n’est pas admis depuis votre adresse : l’administration peut l’ajouter à ses réseaux.",
        )
    if access.permission and access.permission not in account.scopes:
        raise Problem(403, f"Il manque à ce compte le droit « {label_of(access.permission)} » ({access.permission}).")
    method = request.method or ""
    if access.application and not open_to(account.organisation, access.application, access.permission, method):
        raise Problem(403, "Votre organisation n’a pas adhéré à cette application de la convention.")
    request.account, request.organisation = account, account.organisation
    request.actor, request.scopes = Actor("api", str(account.pk)), frozenset(account.scopes)


def _spend(key: str, limit: int) -> None:
    allowance = throttling.count(key, limit)
    if allowance.wait:
        raise Problem(
            429,
            f"Plus de {limit} appels en une minute : recommencez dans {allowance.wait} s.",
            headers={"Retry-After": str(allowance.wait)},
        )


def _measure(request: HttpRequest, body: str, max_body: int) -> None:
    """Refuse a body of another type or too large, before a byte of it is read."""
    if not body:
        return
    if request.content_type != body:
        raise Problem(415, f"Cette opération attend un corps « {body} ».", headers={"Accept-Post": body})
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > max_body:
        raise Problem(413, f"Le corps de la requête {exceeds(announced, max_body)}.")


def _conditional(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Give what was read its ETag, and nothing to who has it already (RFC 9110 §13)."""
    if request.method != "GET" or response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    if not response.has_header("ETag"):
        response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers.setdefault("Cache-Control", "private, no-cache")
    if response["ETag"] in (tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")):
        unchanged = HttpResponse(status=304)
        del unchanged["Content-Type"]
        unchanged["ETag"] = response["ETag"]
        return unchanged
    return response
