"""The identity provider's addresses: its description, login, the end of a login, logout."""

import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.contrib import messages as django_messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from saml2 import BINDING_HTTP_REDIRECT, samlp

from parvis.core import clock
from parvis.core.authentication import departures, jumps, stepup
from parvis.core.authentication.assurance import TWO_FACTORS, assurance_of
from parvis.core.errors import DomainError
from parvis.core.identity.access import AccountRequest, account_view, open_view
from parvis.core.identity.audit import audit
from parvis.core.identity.middleware import second_factor_asked, second_factor_lacked
from parvis.core.identity.models import Account
from parvis.core.organisations.tenancy import acting_for
from parvis.core.provider.subjects import subject_of
from parvis.core.saml import leaving, messages, services
from parvis.core.saml.attributes import spelled, values_for
from parvis.core.saml.models import SamlSite

PENDING = "saml.pending"
PENDING_SECONDS = 1800
PENDING_MOST = 5


def _refused(request: HttpRequest, sentence: str, status: int = 400) -> HttpResponse:
    return render(request, "saml/refused.html", {"sentence": sentence}, status=status)


def _needs_xmlsec(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Say so, instead of failing, where the program that signs is not installed."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not messages.available():
            return _refused(request, "Ce portail ne répond pas en SAML : il y manque le programme xmlsec1.", 503)
        return view(request, *args, **kwargs)

    return guarded


def _live_site(entity_id: str) -> SamlSite:
    site = SamlSite.objects.select_related("organisation").filter(
        entity_id=entity_id, state=SamlSite.State.LIVE
    ).first()  # fmt: skip
    if site is None:
        raise messages.MessageRefused("Ce site n’est pas connu du portail, ou n’y est plus en service.")
    return site


@require_safe
@open_view
@_needs_xmlsec
def description(request: HttpRequest) -> HttpResponse:
    """Metadata of the identity provider, signed."""
    response = HttpResponse(messages.own_metadata(), content_type="application/samlmetadata+xml")
    response["Content-Disposition"] = 'inline; filename="metadata.xml"'
    return response


@never_cache
@csrf_exempt  # a site posts here; nothing changes but what this browser waits for
@require_http_methods(["GET", "POST"])
@open_view
@_needs_xmlsec
def login(request: HttpRequest) -> HttpResponse:
    """Receive a request of authentication, check it, keep it in the session and go on where one may log in."""
    fields = (request.GET if request.method == "GET" else request.POST).dict()
    binding = messages.BINDINGS[request.method or "GET"]
    try:
        xml = messages.decoded(fields.get("SAMLRequest", ""), binding)
        site = _live_site(messages.issuer_of(xml))
        asked = messages.read_request(site, fields, binding)
    except DomainError as refusal:
        return _refused(request, refusal.sentence)
    if asked.passive and not request.user.is_authenticated:
        return _send(request, site, asked.acs, asked.relay_state,
                     messages.refusal(site, asked.request_id, asked.acs, samlp.STATUS_NO_PASSIVE))  # fmt: skip
    token = secrets.token_urlsafe(16)
    kept: dict[str, Any] = request.session.get(PENDING, {})
    recent = {k: v for k, v in kept.items() if time.time() - v["at"] < PENDING_SECONDS}
    recent = dict(list(recent.items())[-(PENDING_MOST - 1) :])
    recent[token] = {
        "site": str(site.pk), "organisation": site.organisation_id, "id": asked.request_id, "acs": asked.acs,
        "relay": asked.relay_state, "force": asked.force, "passive": asked.passive,
        "classes": list(asked.classes), "at": time.time(),
    }  # fmt: skip
    request.session[PENDING] = recent
    return redirect("saml:go_on", token=token)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_view
@_needs_xmlsec
def go_on(request: AccountRequest, token: str) -> HttpResponse:
    """Answer a request kept in this session, once: agreement, then the signed answer."""
    pending = request.session.get(PENDING, {}).get(token)
    if pending is None or time.time() - pending["at"] > PENDING_SECONDS:
        raise Http404
    with acting_for(pending["organisation"]):
        site = SamlSite.objects.select_related("organisation").filter(
            pk=pending["site"], state=SamlSite.State.LIVE
        ).first()  # fmt: skip
    if site is None:
        return _refused(request, "Ce site n’est plus en service.")
    if not messages.takes(site, pending["acs"]):
        return _refused(request, "Ce site vient de changer d’adresse : retournez-y, puis connectez-vous de nouveau.")
    proof = assurance_of(request)
    older = pending["force"] and proof.auth_time < int(pending["at"])
    doubted = jumps.wanted_since(request)
    # A page would be needed.
    if pending["passive"] and (
        doubted or second_factor_lacked(request) or older or not services.agreed(site, request.user)
    ):
        return _answer(request, token, site, pending, status=samlp.STATUS_NO_PASSIVE)
    if doubted:
        return jumps.prove(request, doubted)
    if (detour := second_factor_asked(request)) is not None:
        return detour
    if older:
        return redirect(stepup.address(request.path, since=pending["at"]))
    if not services.admits(site, request.user):
        audit("user.service.sso.denial", account=request.user, request=request, organisation=site.organisation,
              client=site.entity_id, outcome="failure")  # fmt: skip
        return _answer(request, token, site, pending, status=samlp.STATUS_REQUEST_DENIED)
    if site.name_id == SamlSite.NameId.EMAIL and not request.user.proved_address:
        if pending["passive"]:
            return _answer(request, token, site, pending, status=samlp.STATUS_NO_PASSIVE)
        return _refused(
            request,
            f"{site.name} reconnaît chacun à son adresse électronique, et la vôtre n’est pas prouvée. Ouvrez"
            " « Mon compte » pour la prouver, puis revenez sur le site.",
            403,
        )
    if messages.TWO_FACTORS in pending["classes"] and not proof.reaches(TWO_FACTORS):
        return _answer(request, token, site, pending, status=samlp.STATUS_NO_AUTHN_CONTEXT)
    if request.method == "POST":
        if request.POST.get("accord") != "oui":
            audit("user.service.sso.refusal", account=request.user, request=request, client=site.entity_id)
            return _answer(request, token, site, pending, status=samlp.STATUS_REQUEST_DENIED)
        services.agree(site, request.user)
        audit("user.service.sso.authorization", account=request.user, request=request, client=site.entity_id)
    elif not services.agreed(site, request.user):
        request.organisation = site.organisation  # type: ignore[attr-defined]
        context = {"site": site, "values": spelled(request.user, site), "organisation": site.organisation}
        return render(request, "saml/agreement.html", context)
    return _answer(request, token, site, pending)


def _answer(
    request: AccountRequest, token: str, site: SamlSite, pending: dict[str, Any], status: str = ""
) -> HttpResponse:
    """The signed answer or refusal; the request that it answers is forgotten."""
    request.session[PENDING] = {k: v for k, v in request.session[PENDING].items() if k != token}
    if status:
        return _send(request, site, pending["acs"], pending["relay"],
                     messages.refusal(site, pending["id"], pending["acs"], status))  # fmt: skip
    proof, subject = assurance_of(request), _subject(request, site)
    response = messages.answer(
        site, pending["id"], pending["acs"],
        subject=subject, attributes=values_for(request.user, site),
        two_factors=proof.reaches(TWO_FACTORS), at=proof.auth_time,
    )  # fmt: skip
    with acting_for(site.organisation_id):
        SamlSite.objects.filter(pk=site.pk).update(last_used_at=clock.now())
    leaving.note_visit(request, site, subject)
    audit("user.service.sso", account=request.user, request=request, client=site.entity_id, method=proof.acr)
    return _send(request, site, pending["acs"], pending["relay"], response)


def _subject(request: AccountRequest, site: SamlSite) -> str:
    if site.name_id == SamlSite.NameId.EMAIL:
        return request.user.proved_address
    if site.name_id == SamlSite.NameId.TRANSIENT:
        return "_" + secrets.token_hex(16)
    return subject_of(request.user, site.organisation_id, site.sector)


def _is_named(account: Account, site: SamlSite, named: str) -> bool:
    """True when ``named`` is how ``site`` knows ``account``; a name that changes at each login proves nothing."""
    if site.name_id == SamlSite.NameId.PERSISTENT:
        return named == subject_of(account, site.organisation_id, site.sector)
    return site.name_id == SamlSite.NameId.TRANSIENT or named == account.email


def _send(request: HttpRequest, site: SamlSite, acs: str, relay_state: str, response: str) -> HttpResponse:
    """A page whose form posts the answer to the site; a script sends it at once, a button without script."""
    context = {"site": site, "acs": acs, "relay_state": relay_state, "response": response}
    page = render(request, "saml/answer.html", context)
    parts = urlsplit(acs)
    page._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
    return page


@never_cache
@require_safe
@open_view
@_needs_xmlsec
def end(request: HttpRequest) -> HttpResponse:
    """Log out at the request of a site, by redirect (SAML 2.0 Profiles, 4.4), then go back to it; or take the answer
    of a site that this logout asked."""
    fields = request.GET.dict()
    if "SAMLResponse" in fields:
        return _left(request, fields["SAMLResponse"])
    try:
        xml = messages.decoded(fields.get("SAMLRequest", ""), BINDING_HTTP_REDIRECT)
        site = _live_site(messages.issuer_of(xml))
        request_id, named = messages.read_logout(site, fields)
        back = messages.logout_answer(site, request_id, fields.get("RelayState", "")[:1024])
    except DomainError as refusal:
        return _refused(request, refusal.sentence)
    if request.user.is_authenticated:
        if not _is_named(request.user, site, named):  # type: ignore[arg-type]
            return _refused(request, "Le site demande la fin de la session d’une autre personne.")
        leaving.forget_visit(request, site)
        get_adapter(request).logout(request)  # leaves FranceConnect and the other sites too
    if departures.kept(request):  # the other sites, FranceConnect and ProConnect are left first
        if back:
            departures.lead_back(request, site.name, back)
        return redirect(departures.PAGE)
    return HttpResponseRedirect(back) if back else redirect("web:home")


def _left(request: HttpRequest, sent: str) -> HttpResponse:
    """A site says whether the session that it was asked to end is over; the next step follows."""
    try:
        issuer, answered, done = messages.read_logout_answer(messages.decoded(sent, BINDING_HTTP_REDIRECT))
    except DomainError as refusal:
        return _refused(request, refusal.sentence)
    code = leaving.code_of(issuer, answered)
    if any(step.code == code for step in departures.kept(request)):
        departures.mark(request, code, "done" if done else "failed")
    return redirect(departures.PAGE)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@account_view
def withdraw(request: AccountRequest, site_id: UUID) -> HttpResponse:
    """Take back one's agreement to a site, after a confirmation."""
    found = next((one for one in leaving.linked_to(request.user) if one.client_id == str(site_id)), None)
    if found is None:
        raise Http404
    if request.method == "POST":
        leaving.withdraw(request.user, site_id)
        audit("user.service.sso.unauthorized", account=request.user, request=request, client=found.client_id)
        django_messages.success(request, f"{found.name} devra vous redemander votre accord.")
        return redirect("provider:my_services")
    return render(request, "provider/withdraw.html", {"service": found})
