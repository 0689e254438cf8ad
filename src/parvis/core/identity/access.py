"""Who may reach a view: one decorator on every view, read by the test that walks all the URLs.

Another organisation's address answers exactly like a missing one (404); a mandate of the organisation that
lacks the permission gets 403, since its holder already knows that the organisation is there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, Protocol

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for, identity_of, public_view_of

View = Callable[..., HttpResponseBase]
Recent = Literal[False, True, "always"]
"""Whether a fresh proof of identity is asked: never, before anything is changed, or before anything is shown too."""


class OrganisationRequest(HttpRequest):
    """What ``public_view`` and ``agent_view`` hand over: the organisation named in the address is known."""

    organisation: Organisation
    actor: Actor


class AccountRequest(HttpRequest):
    """What ``account_view`` hands over: somebody is logged in."""

    actor: Actor
    user: Account


class AgentRequest(OrganisationRequest, AccountRequest):
    """What ``agent_view`` hands over: ``permissions`` are those held in ``organisation`` today."""

    permissions: frozenset[str]


@dataclass(frozen=True)
class Access:
    """Declared reach of a view: ``agent``, ``account``, ``platform``, ``public`` or ``open``."""

    kind: str
    permission: str = ""
    application: str = ""
    recent: Recent = False
    also: tuple[str, ...] = ()

    def lets_in(self, held: frozenset[str]) -> bool:
        """Whether ``held`` has the permission that this view asks for, or one of those that do as well."""
        return not held.isdisjoint((self.permission, *self.also))


class StepUp(Protocol):
    """Asks for a fresh proof of identity: answers None when it is there already."""

    def __call__(self, request: HttpRequest, *, two_factors: bool) -> HttpResponseBase | None: ...


_step_up: StepUp = lambda request, *, two_factors: None  # noqa: E731


def step_up_with(ask: StepUp) -> None:
    """Tell who asks for a fresh proof (core/authentication)."""
    global _step_up
    _step_up = ask


def _asked_again(request: HttpRequest, recent: Recent, *, two_factors: bool) -> HttpResponseBase | None:
    """The answer that asks for a fresh proof, where this request needs one and lacks it.

    Whoever acts for an organisation or for the platform proves ``two_factors``, even in the days that an agent has
    to choose a second one; for one's own account what the account is able to prove is enough.
    """
    if recent == "always" or (recent and request.method not in ("GET", "HEAD", "OPTIONS")):
        return _step_up(request, two_factors=two_factors)
    return None


def _to_login(request: HttpRequest) -> HttpResponse:
    """To the login page, then back here; a part of a page asked by itself leads its whole page there."""
    if not getattr(request, "htmx", False):
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or request.get_full_path()  # type: ignore[attr-defined]
    return HttpResponse(headers={"HX-Redirect": redirect_to_login(page)["Location"]})


def mandates_of(account: Account) -> list[Mandate]:
    """Mandates in force today of ``account``, in every organisation, with their organisation."""
    with identity_of(account.pk):
        return list(
            Mandate.objects.filter(account=account)
            .in_force(clock.today())
            .select_related("organisation", "own_role")
            .order_by("organisation__name", "start")
        )


def request_mandates(request: HttpRequest) -> list[Mandate]:
    """Mandates of the logged-in account, read once per request."""
    if not request.user.is_authenticated:
        return []
    if not hasattr(request, "_mandates"):
        request._mandates = mandates_of(request.user)  # type: ignore[attr-defined]
    return request._mandates  # type: ignore[attr-defined]


def permissions_in(mandates: Iterable[Mandate], organisation: Organisation) -> frozenset[str]:
    """Union of what these mandates allow in ``organisation``."""
    held = (m.permissions for m in mandates if m.organisation_id == organisation.pk)
    return frozenset().union(*held)


def _organisation_or_404(slug: str) -> Organisation:
    try:
        return Organisation.objects.prefetch_related("subscriptions").get(slug=slug)
    except Organisation.DoesNotExist:
        raise Http404 from None


# Permissions that let read what was produced, besides those called « .lire ».
READING_TOO = frozenset({"actes.banette", "seances.sieger"})


def open_to(organisation: Organisation, application: str, permission: str, method: str) -> bool:
    """Whether the subscriptions of the organisation let a view of ``application`` answer today."""
    today = clock.today()
    if organisation.subscribes_to(application, today):
        return True
    reading = method in ("GET", "HEAD") and (permission.endswith(".lire") or permission in READING_TOO)
    return reading and organisation.has_subscribed_to(application, today)


def own_organisations(request: HttpRequest) -> list[Organisation]:
    """Those that the person acts for and the commune they prefer, by name."""
    own = {m.organisation_id: m.organisation for m in request_mandates(request)}
    if isinstance(request.user, Account) and request.user.commune:
        own[request.user.commune.pk] = request.user.commune
    return sorted(own.values(), key=lambda organisation: organisation.short_name)


def readable_organisations(request: HttpRequest, application: str, permission: str) -> list[Organisation]:
    """Where the person's mandates and the subscriptions let them read ``application`` today, by name."""
    mandates = request_mandates(request)
    acted_for = {m.organisation_id: m.organisation for m in mandates}.values()
    held = [o for o in acted_for if permission in permissions_in(mandates, o)]
    prefetch_related_objects(held, "subscriptions")
    return [o for o in held if open_to(o, application, permission, "GET")]


def _note_use(request: HttpRequest, organisation: Organisation) -> None:
    """Keep when the person last acted for the organisation: once a day, and when they come from another one.

    In a transaction of its own, so that no page holds the mandate's lock.
    """
    now = clock.now()
    here = [m for m in request_mandates(request) if m.organisation_id == organisation.pk]
    used = max((m.last_used_at for m in here if m.last_used_at), default=None)
    came_back = request.session.get("organisation") != organisation.slug
    if used is None or came_back or clock.paris(used).date() < clock.paris(now).date():
        with acting_for(organisation):
            Mandate.objects.filter(pk__in=[m.pk for m in here]).update(last_used_at=now)


def _declare(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


def agent_view(permission: str, *also: str, application: str = "", recent: Recent = False) -> Callable[[View], View]:
    """For agents and élus of the organisation named in the address, holding ``permission`` or one of ``also``.

    With ``application``, the view is closed to an organisation that never subscribed to it, and once the
    subscription is over only what was produced stays readable (convention, article 1): a page made for doing
    something is closed even to look at. With ``recent``, whoever proved
    who they are more than five minutes ago proves it again first, and finds what they were sending afterwards.
    """

    access = Access("agent", permission, application, recent, also)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, organisation_slug: str, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request)
            organisation = _organisation_or_404(organisation_slug)
            held = permissions_in(request_mandates(request), organisation)
            if not held:
                raise Http404
            if not access.lets_in(held):
                raise PermissionDenied("Votre rôle dans cette organisation ne permet pas cette action.")
            if application and not open_to(organisation, application, permission, request.method or ""):
                raise PermissionDenied("Votre organisation n’a pas adhéré à cette application de la convention.")
            if (asked := _asked_again(request, recent, two_factors=True)) is not None:
                return asked
            request.organisation = organisation  # type: ignore[attr-defined]
            request.permissions = held  # type: ignore[attr-defined]
            _note_use(request, organisation)
            with acting_for(organisation, account=request.user.pk):
                return view(request, *args, **kwargs)

        return _declare(guarded, access)

    return decorate


def account_view(view: View | None = None, *, recent: Recent = False) -> Any:
    """For any logged-in account, acting for all the organisations where it holds a mandate.

    Written ``@account_view`` or ``@account_view(recent=True)``; ``recent`` as for ``agent_view``.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request)
            if (asked := _asked_again(request, recent, two_factors=False)) is not None:
                return asked
            organisations = {m.organisation_id for m in request_mandates(request)}
            with acting_for(*organisations, account=request.user.pk):
                return view(request, *args, **kwargs)

        return _declare(guarded, Access("account", recent=recent))

    return decorate if view is None else decorate(view)


def platform_view(view: View | None = None, *, recent: Recent = False) -> Any:
    """For those who run the platform: anybody else gets the answer of a missing address. No tenant's row is seen.

    Written ``@platform_view`` or ``@platform_view(recent=True)``; ``recent`` as for ``agent_view``.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request)
            if not request.user.is_platform_administrator:
                raise Http404
            if (asked := _asked_again(request, recent, two_factors=True)) is not None:
                return asked
            with identity_of(request.user.pk):
                return view(request, *args, **kwargs)

        return _declare(guarded, Access("platform", recent=recent))

    return decorate if view is None else decorate(view)


def public_view(view: View | None = None, *, application: str = "") -> Any:
    """For everybody: what the organisation named in the address has made public.

    Written ``@public_view`` or ``@public_view(application=…)``: the pages of an application that the organisation
    never took are missing, those of one that it has left stay.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, organisation_slug: str, **kwargs: Any) -> HttpResponseBase:
            organisation = _organisation_or_404(organisation_slug)
            if application and not organisation.has_subscribed_to(application, clock.today()):
                raise Http404
            request.organisation = organisation  # type: ignore[attr-defined]
            with public_view_of(organisation):
                return view(request, *args, **kwargs)

        return _declare(guarded, Access("public", application=application))

    return decorate if view is None else decorate(view)


def open_view(view: View) -> View:
    """For everybody, touching no organisation's rows (health, home, gallery)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return _declare(guarded, Access("open"))
