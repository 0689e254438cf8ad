"""Pages where a person decides something that a site asked for: shown in no frame, kept by nobody."""

from urllib.parse import urlsplit

from csp.constants import NONE
from django.http import HttpResponse

from parvis.core.web.csp import POLICY


def decided_here(response: HttpResponse, address: str | None) -> HttpResponse:
    """Let the form of the page, and no other, end on the site of ``address``, and no page hold this one in a frame.

    A browser refuses otherwise the redirection that answers the form (Content Security Policy, form-action).
    """
    actions = list(POLICY["DIRECTIVES"]["form-action"])
    if address:
        parts = urlsplit(address)
        actions.append(f"{parts.scheme}://{parts.netloc}")
    response._csp_replace = {"form-action": actions, "frame-ancestors": [NONE]}  # type: ignore[attr-defined]
    response["X-Frame-Options"] = "DENY"
    response["Cache-Control"] = "no-store"
    return response
