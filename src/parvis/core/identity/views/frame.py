"""What the pages of an account share: where to go next, in whose colours."""

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from parvis.core.authentication.throttle import network
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation

MAX_NEXT = 2000


def local_path(wanted: object) -> str:
    """``wanted`` when it is an address of this site without a host, else "" (no open redirect)."""
    if not isinstance(wanted, str) or len(wanted) > MAX_NEXT or not wanted.startswith("/"):
        return ""
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


def commune_called(slug: object) -> Organisation | None:
    """The organisation whose pages the person came from; an unknown one changes nothing."""
    return Organisation.objects.filter(slug=slug).first() if isinstance(slug, str) and slug.isascii() else None


def dress(request: HttpRequest, organisation: Organisation | None) -> None:
    """Show the page in the colours of ``organisation``: a look, which gives no right."""
    if organisation is not None:
        request.organisation = organisation  # type: ignore[attr-defined]


def dress_for(request: HttpRequest) -> Account:
    """The logged-in account, its page being in the colours of its preferred commune."""
    assert isinstance(request.user, Account)
    dress(request, request.user.commune)
    return request.user


def too_many(request: HttpRequest, what: str, most: int, seconds: int = 3600) -> bool:
    """Count one call of ``what`` from this network address; True beyond ``most`` in ``seconds``."""
    key = f"identity.{what}.{network(request.META.get('REMOTE_ADDR') or '')}"
    if cache.add(key, 1, seconds):
        return False
    try:
        count = cache.incr(key)
        cache.touch(key, seconds)  # adding to a count gives it the cache's own delay, of five minutes
    except ValueError:  # it expired in between
        return False
    return count > most
