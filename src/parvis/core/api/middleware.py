"""What every call of the API meets first: no session, a bounded body, and errors as problem details."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from parvis.core.api.problems import MEDIA_TYPE, Problem, respond
from parvis.core.web.uploads import exceeds

PREFIX = "/api/v1/"
MAX_BODY = 160 * 1024 * 1024


class ApiMiddleware:
    """Stands before sessions: a browser's cookie never proves anything to the API, so none can be forged into it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        request.COOKIES = {}
        problem = _body_problem(request)
        response = respond(request, problem) if problem else self.get_response(request)
        if response.status_code >= 400 and response.headers.get("Content-Type") != MEDIA_TYPE:
            kept = {"Allow": response["Allow"]} if response.has_header("Allow") else {}
            response = respond(request, Problem(response.status_code, headers=kept))
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _body_problem(request: HttpRequest) -> Problem | None:
    """A body whose size is not told, or is beyond what any operation takes."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and request.headers.get("Transfer-Encoding"):
        return Problem(411)
    if length and not (length.isascii() and length.isdigit() and len(length) < 20):
        return Problem(400)
    if length and int(length) > MAX_BODY:
        return Problem(413, f"Le corps de la requête {exceeds(int(length), MAX_BODY)}.")
    return None
