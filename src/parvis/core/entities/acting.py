"""For whom the person of a request acts: themselves, or one of the entities where they hold a role.

The choice lives in the session and is shown on every page. Packages call ``acting_entity(request)``; they read the
mark of what it returns before they believe it, for a declared role proves nothing.
"""

from typing import Final

from django.http import HttpRequest

from parvis.core import clock
from parvis.core.entities import services
from parvis.core.entities.models import EntityRole
from parvis.core.identity.models import Account

SESSION_KEY: Final = "entities.acting"
_CACHE: Final = "_acting_entity"


def acting_entity(request: HttpRequest) -> EntityRole | None:
    """The role in which the person acts, in force today; None when they act for themselves or are not logged in."""
    if not hasattr(request, _CACHE):
        setattr(request, _CACHE, _chosen(request))
    found: EntityRole | None = getattr(request, _CACHE)
    return found


def _chosen(request: HttpRequest) -> EntityRole | None:
    key = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
    if not key or not isinstance(request.user, Account):
        return None
    role = services.role_of(request.user, key)
    return role if role is not None and role.is_in_force(clock.today()) else None


def has_chosen(request: HttpRequest) -> bool:
    """True when the person said in this session for whom they act, were it for themselves."""
    return SESSION_KEY in request.session and (not request.session[SESSION_KEY] or acting_entity(request) is not None)


def act_for(request: HttpRequest, role: EntityRole | None) -> None:
    """From now on in this session the person acts in ``role``, or for themselves; the caller checked that it is
    theirs and in force."""
    request.session[SESSION_KEY] = str(role.pk) if role else ""
    setattr(request, _CACHE, role)
