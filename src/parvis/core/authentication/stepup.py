"""Step-up: ask again who somebody is before what cannot be undone, without losing what they were sending.

A POST that came too late is kept in the session (its fields only, within a limit) and shown afterwards as a form
to send again with one click: it goes through its own view, with a fresh CSRF token, like any other request.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from parvis.core.authentication.assurance import TWO_FACTORS, assurance_of
from parvis.core.authentication.factors import has_second_factor

PENDING = "authentication.pending"
AWAITED = "authentication.awaited"
"""Session key of what a person was doing when a second factor was asked that they do not have yet."""
MAX_PENDING = 3
MAX_FIELDS = 500
MAX_LENGTH = 64 * 1024
KEPT_FOR = 1800
SECRET_WORDS = (
    "csrfmiddlewaretoken",
    "password",
    "oldpassword",
    "password1",
    "password2",
    "code",
    "credential",
    "passphrase",
    "secret",
)

SECRETS_OF_FORMS = ("passphrase", "secret")
"""Those that a form of ours records: what was sent with one is typed again."""


@dataclass(frozen=True)
class Pending:
    """A request that waits for a fresh proof. ``lost`` says why its content could not be kept: '', files, secret,
    size."""

    token: str
    path: str
    fields: tuple[tuple[str, str], ...]
    lost: str
    account: int
    back: str
    """The page that it was sent from, where the browser told."""


def is_fresh(request: HttpRequest, since: int = 0, *, two_factors: bool = False) -> bool:
    """True when the proof is recent and not older than ``since``, at the level that this account is able to reach.

    With ``two_factors`` that level is enough only when it is the one of two factors.
    """
    assurance = assurance_of(request)
    return (
        assurance.recent
        and assurance.auth_time >= since
        and (assurance.acr == TWO_FACTORS or not (two_factors or has_second_factor(request.user)))
    )


def address(wanted: str, since: float = 0) -> str:
    """Address of the page that asks for a proof, then goes on to ``wanted``.

    With ``since`` (seconds since 1970) a proof made before that instant is asked again, however recent.
    """
    query = {"next": wanted} | ({"depuis": str(int(since))} if since else {})
    return f"{reverse('authentication:step_up')}?{urlencode(query)}"


def waiting_at(token: str, wanted: str) -> str:
    """Address of the page that asks for a proof, then goes on with what is kept under ``token``, or to ``wanted``."""
    return f"{reverse('authentication:step_up')}?{urlencode({'suite': token})}" if token else address(wanted)


def ask(request: HttpRequest, *, two_factors: bool = False) -> HttpResponse | None:
    """None when the proof is fresh; otherwise the way to the page that asks for it, what was sent being kept.

    With ``two_factors``, whoever has no second factor to prove is led to choose one first.
    """
    if is_fresh(request, two_factors=two_factors):
        return None
    if two_factors and not has_second_factor(request.user) and not assurance_of(request).reaches(TWO_FACTORS):
        return enrol(request)
    return prove(request)


def prove(request: HttpRequest, back: str = "") -> HttpResponse:
    """The way to the page that asks for a proof, then goes on to ``back``, or else to what ``request`` asks, kept."""
    if back:
        return _lead(request, address(back))
    token = "" if _reads(request) else keep(request)
    return _lead(request, waiting_at(token, request.get_full_path()))


def enrol(request: HttpRequest, back: str = "") -> HttpResponse:
    """The way to the page where a second factor is chosen; ``back``, or what ``request`` asked, waits (``awaited``)."""
    back = back or (request.get_full_path() if _reads(request) else _resumption(keep(request)))
    request.session[AWAITED] = {"address": back, "account": request.user.pk, "at": time.time()}
    return _lead(request, reverse("authentication:security"))


def awaited(request: HttpRequest) -> str:
    """Address of what waited for a second factor, for half an hour; empty when nothing does."""
    kept = request.session.get(AWAITED)
    if not kept or kept["account"] != request.user.pk or time.time() - kept["at"] > KEPT_FOR:
        return ""
    return str(kept["address"])


def take_awaited(request: HttpRequest) -> str:
    """The same, which waits no longer."""
    address = awaited(request)
    request.session.pop(AWAITED, None)
    return address


def _reads(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD")


def _resumption(token: str) -> str:
    return f"{reverse('authentication:resume')}?{urlencode({'suite': token})}"


def _lead(request: HttpRequest, address: str) -> HttpResponse:
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address, status=303 if not _reads(request) else 302)


def keep(request: HttpRequest) -> str:
    """Keep in the session what ``request`` sends; returns the name under which it waits."""
    fields = [(k, v) for k, values in request.POST.lists() if k not in SECRET_WORDS for v in values]
    too_much = len(fields) > MAX_FIELDS or sum(len(k) + len(v) for k, v in fields) > MAX_LENGTH
    secret = any(request.POST.get(name) for name in SECRETS_OF_FORMS)  # kept without it, the form would do less
    lost = "files" if request.FILES else "secret" if secret else "size" if too_much else ""
    token = secrets.token_urlsafe(12)
    kept: dict[str, Any] = {
        "path": request.get_full_path(),
        "fields": [] if lost else fields,
        "lost": lost,
        "account": request.user.pk,
        "at": time.time(),
        "back": _page_of(request),
    }
    waiting = list(request.session.get(PENDING, {}).items())
    request.session[PENDING] = dict([*waiting[-(MAX_PENDING - 1) :], (token, kept)])
    return token


def _page_of(request: HttpRequest) -> str:
    """The page of this site that sent ``request``, without its host; empty when unknown."""
    page = urlsplit(local_address(request, request.headers.get("Referer", ""), ""))
    return local_address(request, urlunsplit(("", "", page.path, page.query, "")), "")


def pending(request: HttpRequest, token: str) -> Pending | None:
    """What this session keeps under ``token``, if it is this account's and not older than half an hour."""
    kept = request.session.get(PENDING, {}).get(token)
    if not kept or kept["account"] != request.user.pk or time.time() - kept["at"] > KEPT_FOR:
        return None
    fields = tuple((k, v) for k, v in kept["fields"])
    back = kept.get("back") or kept["path"]
    return Pending(token, kept["path"], fields, kept["lost"], kept["account"], back)


def forget(request: HttpRequest, token: str) -> None:
    """Drop what was kept, once it has been shown again."""
    waiting = request.session.get(PENDING, {})
    if waiting.pop(token, None) is not None:
        request.session[PENDING] = waiting


def local_address(request: HttpRequest, wanted: str, otherwise: str) -> str:
    """``wanted`` when it is an address of this site, else ``otherwise`` (no open redirect)."""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted and safe else otherwise
