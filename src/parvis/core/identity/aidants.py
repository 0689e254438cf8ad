"""Whether a helper of Aidants Connect acts in a session, in the place of the person (claim ``rep_scope``)."""

from typing import Any, Final

from django.http import HttpRequest

HELPER: Final = "federation.rep_scope"
"""Session key where the federation writes the delegations of the helper."""


def helper_scopes(request: HttpRequest | None) -> list[Any]:
    """Delegations of the helper who acts in this session; [] when the person acts alone or there is no session."""
    session = getattr(request, "session", None)
    found = session.get(HELPER, []) if session is not None else []
    return found if isinstance(found, list) else [found]
