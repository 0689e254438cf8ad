"""The API as ninja serves it: every package's operations under /api/v1/, described by OpenAPI 3.1."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from parvis.core.api.problems import KINDS, MEDIA_TYPE, respond, translated
from parvis.core.api.registry import label_of, routers
from parvis.core.identity.access import Access

BASE = "/api/v1"
DESCRIPTION = (
    "Les logiciels d’une organisation lisent et déposent ce que leur compte d’API permet. Chaque appel porte "
    "l’identifiant et le secret du compte (HTTP Basic, ou clé Bearer « identifiant.secret »)."
)
SECURITY = {
    "basic": {"type": "http", "scheme": "basic", "description": "Identifiant et secret du compte d’API."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "« identifiant.secret » du compte d’API."},
}
PROBLEM = {
    "type": "object",
    "title": "Problème (RFC 9457)",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["champ", "regle", "solution"],
                "properties": {name: {"type": "string"} for name in ("champ", "regle", "solution")},
            },
        },
        "existant": {
            "type": "object",
            "description": "L’objet qui existe déjà, sur un conflit.",
            "required": ["id", "adresse"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "adresse": {"type": "string", "format": "uri-reference"},
            },
        },
    },
}


class ParvisAPI(NinjaAPI):
    """Problem details for every error, and their description beside each operation's own answers."""

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        return respond(request, translated(exc))

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=f"{BASE.strip('/')}/")
        schema["components"]["securitySchemes"] = SECURITY
        schema["components"]["schemas"]["Probleme"] = PROBLEM
        for path, methods in schema["paths"].items():
            for details in methods.values():
                _describe_refusals(path, details)
        return schema


def _describe_refusals(path: str, details: dict[str, Any]) -> None:
    statuses = [401, 403, 422, 429, 500]
    if "{" in path:
        statuses.append(404)
    if "requestBody" in details:
        statuses += [400, 411, 413, 415]
    else:
        details["responses"][304] = {"description": "Inchangé depuis l’ETag donné dans If-None-Match"}
    for status in sorted(statuses):
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Probleme"}}}
        details["responses"].setdefault(status, {"description": KINDS[status][1], "content": content})
    if scope := details.get("x-scope"):
        details["description"] = f"{details.get('description', '')}\n\nDroit : {label_of(scope)} ({scope}).".strip()


def build() -> ParvisAPI:
    """The API with the routers of every package. Raises ImproperlyConfigured for an operation without declaration."""
    api = ParvisAPI(
        title="Parvis",
        version=f"1 ({settings.VERSION})",
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        urls_namespace="parvis-api",
    )
    for router in routers():
        api.add_router("", router)
    for _, _, found in operations(api):
        if not isinstance(getattr(found.view_func, "access", None), Access):
            raise ImproperlyConfigured(f"{found.path}: declare it with parvis.core.api.operations.operation")
    return api


def operations(api: NinjaAPI) -> list[tuple[str, str, Operation]]:
    """Method, address and operation, for every operation of ``api``."""
    return [
        (method, BASE + path, operation)
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    ]
