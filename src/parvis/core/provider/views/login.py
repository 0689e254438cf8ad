"""Logging in on a site: what the person sees between the site's « Se connecter » and their return to it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.idp.oidc.internal.oauthlib.utils import extract_headers
from allauth.idp.oidc.models import Client
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.authentication import jumps, stepup
from parvis.core.authentication.assurance import FRANCECONNECT, TWO_FACTORS, assurance_of, federated_proofs
from parvis.core.authentication.factors import has_second_factor
from parvis.core.branding.serving import picture_response
from parvis.core.entities import acting
from parvis.core.entities import services as entities
from parvis.core.entities.models import EntityRole
from parvis.core.identity.access import open_view, request_mandates
from parvis.core.identity.audit import audit
from parvis.core.identity.middleware import second_factor_asked, second_factor_lacked
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider import authorization, grants, services
from parvis.core.provider.authorization import Asked, Destination, Refusal, Unanswerable
from parvis.core.provider.claims import ENTITY, readable
from parvis.core.provider.framing import decided_here
from parvis.core.provider.models import Subject
from parvis.core.provider.server import Server
from parvis.core.provider.services import Covered
from parvis.core.provider.sites import Site, client_named
from parvis.core.provider.subjects import is_admitted
from parvis.core.provider.validator import know

CONSENT_SALT = "provider.consent"
CONSENT_LASTS = 1800


def _away(address: str) -> HttpResponse:
    """To an address that was checked to be one of the site's."""
    response = HttpResponse(status=302, headers={"Location": address, "Cache-Control": "no-store"})
    response["Referrer-Policy"] = "no-referrer"
    return response


def _unanswerable(request: HttpRequest, error: Unanswerable) -> HttpResponse:
    return render(request, "provider/unanswerable.html", {"sentence": error.sentence}, status=400)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@open_view
def authorize(request: HttpRequest) -> HttpResponse:
    """Core, 3.1.2. A POST becomes a GET, where cookies of this site are sent; nothing is decided by it."""
    if request.method == "POST":
        return HttpResponseRedirect(f"{reverse('provider:authorize')}?{request.POST.urlencode()}", status=303)
    to: Destination | None = None
    try:
        parameters: Any = request.GET
        started, tried = None, False
        if "reprise" in request.GET:
            parameters, started, tried = authorization.resume(request.GET["reprise"])
        to = authorization.destination(parameters)
        return _proceed(request, authorization.read(to, parameters, started=started, tried=tried))
    except Unanswerable as error:
        return _unanswerable(request, error)
    except Refusal as refusal:
        assert to is not None
        return _away(to.refuse(refusal))


def _proceed(request: HttpRequest, asked: Asked, *, agreed: Covered | None = None) -> HttpResponse:
    """The next step of this request: log in, prove more, agree, or go back to the site. Raises Refusal.

    ``agreed`` is what the person read and said yes to; they read again what the registration asks beyond it.
    """
    silent = "none" in asked.prompts
    if not request.user.is_authenticated:
        if silent:
            raise Refusal("login_required", "Nobody is logged in")
        return _detour(reverse("account_login"), asked)
    doubted = jumps.wanted_since(request)
    if doubted and not silent:
        return jumps.prove(request, doubted, _back(asked))
    detour = None if doubted else _detour_to_prove(request, asked)
    if silent and (doubted or detour is not None or second_factor_lacked(request)):
        raise Refusal("login_required", "A fresher or stronger proof is needed")
    if detour is None and not silent:
        detour = second_factor_asked(request, _back(asked))
    if detour is not None:
        return detour
    _check_admission(request, asked)
    if agreed is not None:
        services.allow(_me(request), agreed, request=request)
    if (agreed is None and "consent" in asked.prompts) or not services.allowed(
        _me(request), asked.to.client, asked.scopes
    ):
        if silent:
            raise Refusal("consent_required", "The person was not asked yet")
        return _consent_page(request, asked)
    if _roles(request, asked) and not acting.has_chosen(request):
        if silent:
            raise Refusal("interaction_required", "The person has not said for whom they act")
        return _consent_page(request, asked)
    return _issue(request, asked)


def _roles(request: HttpRequest, asked: Asked) -> list[EntityRole]:
    """The companies and associations among which the person chooses, where the site asks for whom they act."""
    return entities.in_force(_me(request)) if ENTITY in asked.to.site.kept(asked.scopes) else []


def _me(request: HttpRequest) -> Any:
    return request.user


def _back(asked: Asked, *, tried: bool = False) -> str:
    """Where a page of ours comes back to: a page, not the site, for a browser refuses that the sending of a form
    ends on another site (Content Security Policy, form-action)."""
    return f"{reverse('provider:resume')}?{urlencode({'reprise': asked.resumed(tried=tried)})}"


def _detour(page: str, asked: Asked, *, tried: bool = False) -> HttpResponse:
    """Through a page of ours and back."""
    return HttpResponseRedirect(f"{page}?{urlencode({'next': _back(asked, tried=tried)})}")


def _detour_to_prove(request: HttpRequest, asked: Asked) -> HttpResponse | None:
    """Where to send the person when their proof is too old or too weak. Raises Refusal where none would do."""
    assurance = assurance_of(request)
    if asked.sub is not None and asked.sub != _subject(request, asked):
        raise Refusal("login_required", "Somebody else is logged in")
    stale = not assurance.acr or ("login" in asked.prompts and assurance.auth_time < int(asked.started))
    if asked.max_age is not None:
        # With max_age=0 a proof made since the request arrived is fresh enough, or nobody would ever pass.
        proved_since = assurance.auth_time >= int(asked.started)
        stale = stale or (time.time() - assurance.auth_time > asked.max_age and not proved_since)
    if stale:
        return HttpResponseRedirect(stepup.address(_back(asked), since=asked.started))
    known = asked.known_levels
    if not asked.levels or any(assurance.reaches(level) for level in known):
        return None
    if not asked.tried:
        if TWO_FACTORS in known and has_second_factor(_me(request)):
            return HttpResponseRedirect(stepup.address(_back(asked, tried=not asked.level_is_essential)))
        proofs = [p for p in federated_proofs(_me(request)) if p.code == "franceconnect"]
        if FRANCECONNECT in known and proofs:
            return _detour(reverse(proofs[0].url_name), asked, tried=not asked.level_is_essential)
    if asked.level_is_essential:
        raise Refusal("unmet_authentication_requirements", "This account cannot reach the requested acr")
    return None


def _subject(request: HttpRequest, asked: Asked) -> str | None:
    with identity_of(_me(request).pk):
        found = Subject.objects.filter(account=_me(request), sector=asked.to.site.sector).first()
    return found.sub if found else None


def _check_admission(request: HttpRequest, asked: Asked) -> None:
    """Raises Refusal when the site is not for this person."""
    account = _me(request)
    if is_admitted(account, asked.to.site, request_mandates(request)):
        return
    audit("user.service.sso.denial", account=account, request=request, outcome="failure", client=asked.to.client.pk)
    raise Refusal("access_denied", "This service is not open to this account")


def _branded(request: HttpRequest, asked: Asked) -> Organisation:
    """The organisation whose colours the page takes."""
    organisation = Organisation.objects.prefetch_related("subscriptions").get(pk=asked.to.site.organisation)
    request.organisation = organisation  # type: ignore[attr-defined]
    return organisation


def _consent_page(request: HttpRequest, asked: Asked, *, undecided: bool = False) -> HttpResponse:
    account = _me(request)
    covered = services.covered(account, asked.to.client, asked.scopes)
    kept = {"reprise": asked.resumed(), "account": account.pk, "covered": covered}
    claims = {key for given in covered.values() for key in given["claims"]}
    others = Client.objects.filter(pk__in=[*covered]).exclude(pk=asked.to.client.pk).order_by("name")
    context = {
        "organisation": _branded(request, asked),
        "client": asked.to.client,
        "site": asked.to.site,
        "logo": _logo(asked.to.client),
        "host": urlsplit(asked.to.redirect_uri).hostname,
        "values": readable(account, asked.to.site, claims),
        "others": [other.name for other in others],
        "roles": _roles(request, asked),
        "acting": acting.acting_entity(request),
        "chosen": acting.has_chosen(request),
        "undecided": undecided,
        "offline": "offline_access" in asked.scopes,
        "signed": signing.dumps(kept, salt=CONSENT_SALT, compress=True),
    }
    response = render(request, "provider/consent.html", context, status=422 if undecided else 200)
    return decided_here(response, asked.to.redirect_uri)


def _logo(client: Client) -> str:
    digest, _, extension = Site.of(client).logo.partition(".")
    return reverse("provider:logo", args=[client.pk, digest, extension]) if digest else ""


@require_safe
@open_view
def logo(request: HttpRequest, client_id: str, sha256: str, extension: str) -> HttpResponse:
    """The approved logo of a site, which anybody may see."""
    client = client_named(client_id)
    if client is None or Site.of(client).logo != f"{sha256}.{extension}":
        raise Http404
    return picture_response(services.logo_in_force(client), extension, "public")


@require_POST
@open_view
def consent(request: HttpRequest) -> HttpResponse:
    """Yes or no, from our own page and from the person whom it was shown to."""
    to: Destination | None = None
    try:
        try:
            kept = signing.loads(request.POST.get("demande", ""), salt=CONSENT_SALT, max_age=CONSENT_LASTS)
        except signing.BadSignature as error:
            raise Unanswerable("Cette demande d’accord a expiré. Revenez au site et recommencez.") from error
        if not request.user.is_authenticated or kept["account"] != request.user.pk:
            raise Unanswerable("Une autre personne s’est connectée entre-temps. Revenez au site et recommencez.")
        parameters, started, tried = authorization.resume(kept["reprise"])
        to = authorization.destination(parameters)
        asked = authorization.read(to, parameters, started=started, tried=tried)
        if request.POST.get("decision") != "accepter":
            audit("user.service.sso.refusal", account=_me(request), request=request, outcome="failure",
                  client=to.client.pk)  # fmt: skip
            raise Refusal("access_denied", "The person refused")
        with identity_of(_me(request).pk):
            if roles := _roles(request, asked):
                wanted = request.POST.get("pour")
                if wanted != "" and wanted not in {str(role.pk) for role in roles}:
                    return _consent_page(request, asked, undecided=True)
                acting.act_for(request, next((role for role in roles if str(role.pk) == wanted), None))
            return _proceed(request, asked, agreed=kept["covered"])
    except Unanswerable as error:
        return _unanswerable(request, error)
    except Refusal as refusal:
        assert to is not None
        return _away(to.refuse(refusal))


@require_safe
@open_view
def resume(request: HttpRequest) -> HttpResponse:
    """Back from the login or step-up page: goes on by itself, and by a link where refreshing is not honoured."""
    try:
        token = request.GET.get("reprise", "")
        parameters, started, tried = authorization.resume(token)
        to = authorization.destination(parameters)
        asked = authorization.read(to, parameters, started=started, tried=tried)
    except Unanswerable as error:
        return _unanswerable(request, error)
    except Refusal as refusal:
        return _away(to.refuse(refusal))
    _branded(request, asked)
    address = f"{reverse('provider:authorize')}?{urlencode({'reprise': token})}"
    response = render(request, "provider/resume.html", {"client": to.client, "address": address})
    response["Cache-Control"] = "no-store"
    return response


def _issue(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Open the grant and send the code, in one transaction."""
    account, client = _me(request), asked.to.client
    with identity_of(account.pk):
        assurance = assurance_of(request)
        acr = next((level for level in asked.known_levels if assurance.reaches(level)), assurance.acr)
        entity = acting.acting_entity(request) if ENTITY in asked.to.site.kept(asked.scopes) else None
        assured = replace(assurance, acr=acr)
        grant = grants.open_grant(client, account, request.session, asked.scopes, assured, entity)
        query = {
            "response_type": "code",
            "client_id": client.pk,
            "redirect_uri": asked.to.redirect_uri,
            "scope": " ".join(asked.scopes),
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
        }
        know(client)
        headers, _, _ = Server().create_authorization_response(
            f"/?{urlencode(query)}",
            "GET",
            "",
            extract_headers(request),
            scopes=list(asked.scopes),
            credentials={"user": account, "grant": grant, "nonce": asked.nonce},
        )
        audit("user.service.sso", account=account, request=request, method="+".join(grant.amr)[:40], client=client.pk,
              data={"acr": grant.acr})  # fmt: skip
        services.note_use(client)
    return _away(asked.to.answer(code=_code_in(headers["Location"])))


def _code_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]
