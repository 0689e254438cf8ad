"""« Mon compte »: the identities linked to it, linking another, unlinking; and the last steps of a logout."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parvis.core.authentication import departures
from parvis.core.federation import agents, arrivals, links, logout, pivot, sessions
from parvis.core.federation.configuration import LABELS, PROCONNECT, registrations
from parvis.core.federation.login import note
from parvis.core.identity.access import AccountRequest, account_view, open_view
from parvis.core.web import navigation


@account_view
@require_GET
def identities(request: AccountRequest) -> HttpResponse:
    """Which providers open this account, and what they changed in it."""
    mine = links.identities_of(request.user)
    offered = [one for one in registrations() if one.code not in {row.provider for row in mine}]
    facts = {
        "tabs": navigation.account_tabs("federation", request.user),
        "mine": mine,
        "directories": arrivals.directories_of(request.user),
        "offered": offered,
        "another_way": links.has_another_way(request.user),
        "changes": [
            (change, [(links.attribute_label(n), _words(n, b), _words(n, a)) for n, (b, a) in change.changes.items()])
            for change in links.changes_of(request.user)
        ],
    }
    return render(request, "federation/identities.html", facts)


def _words(name: str, value: object) -> str:
    return pivot.shown(name, value) if value else "absent"


@account_view(recent=True)
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: AccountRequest) -> HttpResponse:
    """Confirm that the identity just verified belongs to this account."""
    pending = sessions.pending(request)
    if pending is None:
        messages.info(request, "Aucune identité n’attend d’être reliée : recommencez depuis cette page.")
        return redirect("federation:identities")
    identity, label = pending.identity, LABELS[pending.identity.provider]
    try:
        if sentence := links.refusal_for(request.user, identity):
            raise links.LinkRefused(sentence)
        if identity.provider == PROCONNECT:
            agents.check_own_link(request.user, identity)
        if request.method == "POST":
            links.link(request.user, identity, request=request)
    except links.LinkRefused as refused:
        sessions.forget_pending(request)
        facts = {"sentence": refused.sentence, "label": label, "provider": identity.provider}
        return render(request, "federation/refused.html", facts, status=409)
    if request.method == "POST":
        sessions.forget_pending(request)
        sessions.keep_token(request, identity, pending.id_token)
        note(request, identity)
        messages.success(request, f"{label} est relié à votre compte.")
        return HttpResponseRedirect(pending.next or reverse("federation:identities"))
    name = " ".join(pivot.names(identity.claims))
    return render(request, "federation/link.html", {"label": label, "name": name, "account": request.user})


@account_view
@require_POST
def forget(request: AccountRequest) -> HttpResponse:
    """Link nothing: the identity that waited is forgotten."""
    sessions.forget_pending(request)
    messages.info(request, "Rien n’a été relié.")
    return redirect("federation:identities")


@account_view(recent=True)
@never_cache
@require_http_methods(["GET", "POST"])
def unlink(request: AccountRequest, provider: str) -> HttpResponse:
    """Separate a provider from this account, then leave it."""
    mine = next((row for row in links.identities_of(request.user) if row.provider == provider), None)
    if mine is None:
        return redirect("federation:identities")
    facts = {"label": LABELS[provider], "possible": links.has_another_way(request.user)}
    if request.method != "POST":
        return render(request, "federation/unlink.html", facts)
    token = sessions.tokens(request).get(provider, "")
    try:
        links.unlink(request.user, provider, request=request)
    except links.LinkRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("federation:identities")
    sessions.drop_token(request, provider)
    messages.success(request, f"{LABELS[provider]} est délié de votre compte.")
    if token:
        departures.keep(request, [logout.departure(provider, token)])
        return redirect("federation:departures")
    return redirect("federation:identities")


@open_view
@never_cache
@require_GET
def leaving(request: HttpRequest) -> HttpResponse:
    """The steps of a logout: the browser goes to the next provider to be left, then each result is shown.

    Whoever comes back to this page by themselves goes on with the next step.
    """
    steps = departures.kept(request)
    if not steps:
        return redirect("web:home")
    following = next((one for one in steps if one.state == "browser"), None)
    failed = [one for one in steps if one.state == "failed"]
    back = departures.back(request)
    facts = {"steps": steps, "following": following, "failed": failed, "back": back}
    answer = render(request, "federation/departures.html", facts)
    # Not a redirection: the form that logs out may only lead to this site (form-action of the content policy).
    if following is not None:
        answer["Refresh"] = f"0; url={following.address}"
        departures.leave_for(request, following.code)
    elif back is not None and not failed:
        answer["Refresh"] = f"0; url={back['address']}"
    return answer


@open_view
@never_cache
@require_GET
def logged_out(request: HttpRequest, provider: str) -> HttpResponse:
    """Where a provider sends the browser back after its own logout."""
    if logout.came_back(departures.kept(request), provider, request.GET.get("state", "")):
        departures.mark(request, provider, "done")
    return redirect("federation:departures")
