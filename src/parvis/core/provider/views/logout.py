"""Logout asked by a site (OpenID Connect RP-Initiated Logout 1.0), and what became of it on the other sites."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from allauth.account.internal.flows.logout import logout as end_login
from allauth.idp.oidc.models import Client
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from parvis.core.authentication import departures
from parvis.core.authentication.departures import Departure
from parvis.core.identity.access import open_view
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider import grants
from parvis.core.provider.authorization import MAX_PARAMETER, hinted
from parvis.core.provider.framing import decided_here
from parvis.core.provider.logout import Ended
from parvis.core.provider.models import Grant
from parvis.core.provider.sites import Site, client_named


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@open_view
def logout(request: HttpRequest) -> HttpResponse:
    """Section 2. Without a hint that proves that the site speaks of this person, the person is asked.

    Sites may call it by GET or POST; only the person's own « oui », which carries our CSRF token, ends a session
    that the hint does not prove.
    """
    given = {k: str(v) for k, v in (request.POST if request.method == "POST" else request.GET).items() if v}
    if any(len(v) > MAX_PARAMETER for v in given.values()):
        given = {}
    hint, client = _hint(given)
    address = _return_address(client, given)
    if "post_logout_redirect_uri" in given and address is None:
        sentence = "L’adresse à laquelle ce site veut vous renvoyer n’est pas l’une des siennes."
        return render(request, "provider/unanswerable.html", {"sentence": sentence}, status=400)
    if not request.user.is_authenticated:
        return _done(request, client, address, None, [])
    if not _is_about(request, hint, client):
        if request.method != "POST" or "decision" not in given:
            return _ask(request, client, given, address)
        refusal = CsrfViewMiddleware(lambda r: HttpResponse()).process_view(request, _ask, (), {})
        if refusal is not None:
            return refusal
        if given["decision"] != "partir":
            return _away(address) if address else render(request, "provider/logged_out.html", {"stayed": True})
    # The receiver of the signal of logout ends the grants and prepares the notices.
    end_login(request, show_message=False)
    ended = request.__dict__.pop("parvis_ended", None)
    return _done(request, client, address, ended, departures.kept(request))


def _hint(given: dict[str, str]) -> tuple[dict[str, Any] | None, Client | None]:
    """The proof that the site gives, even expired, and the site; a hint for another site proves nothing."""
    hint = hinted(given["id_token_hint"]) if "id_token_hint" in given else None
    audience = hint.get("aud") if hint else None
    identifier = given.get("client_id") or audience
    if hint is not None and audience != identifier:
        hint = None
    client = client_named(identifier)
    return (hint if client else None), client


def _return_address(client: Client | None, given: dict[str, str]) -> str | None:
    wanted = given.get("post_logout_redirect_uri")
    if client is None or wanted is None or wanted not in client.get_post_logout_redirect_uris():
        return None
    parts = urlsplit(wanted)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if "state" in given:
        query.append(("state", given["state"]))
    return urlunsplit(parts._replace(query=urlencode(query)))


def _is_about(request: HttpRequest, hint: dict[str, Any] | None, client: Client | None) -> bool:
    """True when the ID token was issued to the site for this person in this very session."""
    if hint is None or client is None:
        return False
    with identity_of(request.user.pk):  # type: ignore[arg-type]
        mine = Grant.objects.filter(account=request.user.pk, client=client, sub=hint.get("sub"), sid=hint.get("sid"))
        return mine.filter(session=grants.session_digest(request.session)).exists()


def _ask(
    request: HttpRequest, client: Client | None = None, given: dict[str, str] | None = None, address: str | None = None
) -> HttpResponse:
    kept = {k: v for k, v in (given or {}).items() if k not in ("decision", "csrfmiddlewaretoken")}
    if client is not None:
        _brand(request, client)
    response = render(request, "provider/logout.html", {"client": client, "kept": kept})
    return decided_here(response, address)


def _brand(request: HttpRequest, client: Client) -> None:
    request.organisation = Organisation.objects.prefetch_related("subscriptions").get(  # type: ignore[attr-defined]
        pk=Site.of(client).organisation
    )


def _away(address: str) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": address, "Cache-Control": "no-store"})


def _done(
    request: HttpRequest, client: Client | None, address: str | None, ended: Ended | None, steps: list[Departure]
) -> HttpResponse:
    """Back to the site when every other one confirmed; otherwise the person first reads where they may still be in.

    A provider that answered for the person (FranceConnect, ProConnect) is left before: ``steps`` says which, and
    their page shows the sites too.
    """
    told, silent = ended.tell() if ended else ([], [])
    open_still = [c for c in silent if client is None or c.pk != client.pk]
    if steps:
        sites = [Departure(c.pk, c.name, "done") for c in told] + [
            Departure(c.pk, c.name, "failed") for c in open_still
        ]
        departures.keep(request, steps + sites)
        if client is not None and address:
            departures.lead_back(request, client.name, address)
        return redirect(departures.PAGE)
    if address and not open_still:
        return _away(address)
    if client is not None:
        _brand(request, client)
    context = {
        "client": client,
        "address": address,
        "told": told,
        "open_still": [(c.name, Site.of(c).home, bool(Site.of(c).backchannel)) for c in open_still],
    }
    response = render(request, "provider/logged_out.html", context)
    response["Cache-Control"] = "no-store"
    return response
