"""To a provider and back, and the first login: whose account is this?"""

import logging

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from parvis.core.authentication.assurance import TWO_FACTORS, assurance_of
from parvis.core.authentication.factors import has_second_factor
from parvis.core.authentication.stepup import is_fresh, local_address
from parvis.core.errors import DomainError
from parvis.core.federation import accounts, agents, companies, links, pivot, sessions
from parvis.core.federation.client import Answer, authorization_address, receive
from parvis.core.federation.configuration import (
    FRANCECONNECT,
    LABELS,
    PROCONNECT,
    Registration,
    decryption_key,
    is_directory,
    official_drawing,
    registration,
)
from parvis.core.federation.errors import Declined, FederationError, ProviderUnavailable
from parvis.core.federation.forms import NewAccountForm
from parvis.core.federation.login import log_in, note
from parvis.core.federation.views import arrivals
from parvis.core.identity.access import open_view
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.identity.values import ValueRefused
from parvis.core.organisations.naming import of_it

logger = logging.getLogger(__name__)


def _registered(provider: str) -> Registration:
    found = registration(provider)
    if found is None:
        raise Http404
    return found


@open_view
@never_cache
@require_GET
def start(request: HttpRequest, provider: str) -> HttpResponse:
    """Send the browser to the provider. Nothing happens here without the person's choice there, and a new link to an
    account is confirmed on return.

    Whoever is logged in here logs in there again: a session open there since this morning proves nothing now.
    """
    registered = _registered(provider)
    wanted = local_address(request, request.GET.get("next", ""), "")
    user = request.user if isinstance(request.user, Account) else None
    two_factors = user is not None and provider == PROCONNECT and _alone_proves(request, user)
    try:
        address = authorization_address(request, registered, wanted, fresh=user is not None, two_factors=two_factors)
        return HttpResponseRedirect(address)
    except FederationError as error:
        return _failed(request, registered, error)


def _alone_proves(request: HttpRequest, account: Account) -> bool:
    """True for an agent whose two factors are those of ProConnect, having none here.

    Who came with one factor is asked for one: it opens the page where a second one is chosen.
    """
    agent = account.population == Account.Population.AGENT and not has_second_factor(account)
    return agent and assurance_of(request).reaches(TWO_FACTORS) and links.can_prove_again(account, PROCONNECT)


@open_view
@never_cache
@require_GET
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Where the provider sends the browser back."""
    if is_directory(provider):
        return arrivals.callback(request, provider)
    registered = _registered(provider)
    try:
        answer = receive(request, registered)
    except FederationError as error:
        return _failed(request, registered, error)
    account = links.account_of(answer.identity)
    if request.user.is_authenticated:
        return _logged_in_already(request, account, answer)
    if account is not None:
        return _known(request, account, answer)
    return _unknown(request, answer)


def _failed(request: HttpRequest, registered: Registration, error: FederationError) -> HttpResponse:
    logger.warning("%s: %s %s", registered.code, error.reason, error.data)
    data = {"reason": error.reason}
    audit("user.login.failure", request=request, outcome="failure", method=registered.code, data=data)
    status = 503 if isinstance(error, ProviderUnavailable) else 200 if isinstance(error, Declined) else 400
    wanted = error.next or local_address(request, request.GET.get("next", ""), "")
    facts = {"sentence": error.sentence, "label": registered.label, "provider": registered.code, "wanted": wanted}
    return render(request, "federation/failure.html", facts, status=status)


def _refused(request: HttpRequest, provider: str, sentence: str, status: int = 409) -> HttpResponse:
    facts = {"sentence": sentence, "label": LABELS[provider], "provider": provider}
    return render(request, "federation/refused.html", facts, status=status)


def _logged_in_already(request: HttpRequest, account: Account | None, answer: Answer) -> HttpResponse:
    """A fresh proof by somebody who is logged in, or an identity to link after a confirmation."""
    identity, user = answer.identity, request.user
    assert isinstance(user, Account)
    if account is None or account.pk != user.pk:
        if sentence := links.refusal_for(user, identity):
            return _refused(request, identity.provider, sentence)
        sessions.keep_pending(request, answer)
        return redirect("federation:link")
    links.refresh(account, identity, request=request)
    sessions.keep_token(request, identity, answer.id_token)
    note(request, identity, again=True)
    if has_second_factor(user) and not is_fresh(request):
        messages.info(
            request,
            f"{LABELS[identity.provider]} a confirmé qui vous êtes. Il reste à donner votre second facteur.",
        )
    return HttpResponseRedirect(answer.next or reverse("federation:identities"))


def _known(request: HttpRequest, account: Account, answer: Answer) -> HttpResponse:
    changed = links.refresh(account, answer.identity, request=request)
    if changed:
        messages.info(request, _changes_told(answer, changed))
    if answer.identity.provider == PROCONNECT and account.population == Account.Population.AGENT:
        organisation = companies.organisation_of(answer.identity)
        if organisation is not None and not agents.has_mandate_in(account, organisation):
            agents.ask(answer.identity, organisation, request=request)
            messages.info(
                request,
                f"Votre compte doit être activé par l’administrateur {of_it(organisation.name)} : votre demande lui est"
                " transmise.",
            )
    return log_in(request, account, answer.identity, answer.id_token, answer.next)


def _changes_told(answer: Answer, names: list[str]) -> str:
    from parvis.core.identity.values import LABELS as ATTRIBUTES

    listed = ", ".join(ATTRIBUTES[name].lower() for name in names)
    return f"{LABELS[answer.identity.provider]} a transmis une identité corrigée. Votre profil est à jour : {listed}."


def _unknown(request: HttpRequest, answer: Answer) -> HttpResponse:
    identity = answer.identity
    pending = sessions.keep_pending(request, answer)
    if identity.provider == PROCONNECT and companies.organisation_of(identity) is not None:
        return redirect("federation:agent")
    if identity.provider == FRANCECONNECT and (account := links.by_six_values(identity)) is not None:
        try:
            links.link(account, identity, request=request)
        except links.LinkRefused:
            return redirect("federation:choose")
        messages.info(
            request, "FranceConnect est maintenant relié à votre compte, dont l’identité vérifiée est la même."
        )
        return log_in(request, account, identity, pending.id_token, pending.next)
    return redirect("federation:choose")


@open_view
@never_cache
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """« J’ai déjà un compte » or « Créer mon compte »."""
    pending = sessions.pending(request)
    if pending is None or request.user.is_authenticated:
        return redirect("federation:link" if pending else "account_login")
    return render(
        request,
        "federation/choose.html",
        {
            "label": LABELS[pending.identity.provider],
            "name": " ".join(pivot.names(pending.identity.claims)),
            "login_url": f"{reverse('account_login')}?{urlencode({'next': reverse('federation:link')})}",
        },
    )


@open_view
@never_cache
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Open an account for the identity that waits in this session."""
    pending = sessions.pending(request)
    if pending is None or request.user.is_authenticated:
        return redirect("federation:link" if pending else "account_login")
    identity = pending.identity
    if identity.provider == PROCONNECT and companies.organisation_of(identity) is not None:
        return redirect("federation:agent")
    form = NewAccountForm(identity, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            account = accounts.create(
                identity, given["email"], given["given_name"], given["family_name"], request=request
            )
        except (links.LinkRefused, ValueRefused) as refused:
            return _refused(request, identity.provider, refused.sentence)
        messages.success(request, _welcome(given["email"]))
        return log_in(request, account, identity, pending.id_token, pending.next, signup=True)
    known = pivot.attributes(identity.provider, identity.claims)
    facts = {
        "form": form,
        "label": LABELS[identity.provider],
        "attributes": [(links.attribute_label(name), pivot.shown(name, value)) for name, value in known.items()],
    }
    return render(request, "federation/create.html", facts)


def _welcome(email: str) -> str:
    if email:
        return (
            "Votre compte est créé. Un message vient de partir vers l’adresse indiquée : ouvrez-le pour la confirmer."
        )
    return "Votre compte est créé. Ajoutez une adresse électronique dans « Mon compte » pour recevoir nos messages."


@open_view
@never_cache
@require_http_methods(["GET", "POST"])
def agent(request: HttpRequest) -> HttpResponse:
    """An agent unknown here: let in by their administration, or put in its queue."""
    pending = sessions.pending(request)
    organisation = companies.organisation_of(pending.identity) if pending else None
    if pending is None or organisation is None or request.user.is_authenticated:
        return redirect("federation:link" if pending else "account_login")
    way = agents.way_in(pending.identity, organisation)
    facts = {
        "collectivity": organisation,
        "way": way,
        "must_log_in": way is not None and agents.must_log_in_first(way),
        "name": " ".join(pivot.names(pending.identity.claims)),
        "login_url": f"{reverse('account_login')}?{urlencode({'next': reverse('federation:link')})}",
    }
    if way is None:
        asked = agents.ask(pending.identity, organisation, request=request)
        facts["refused"] = asked.state == asked.State.REFUSED
    elif request.method == "POST":
        try:
            account = agents.enter(pending.identity, way, request=request)
        except DomainError as refused:
            return _refused(request, PROCONNECT, refused.sentence)
        messages.success(request, f"ProConnect est relié à votre compte {of_it(organisation.name)}.")
        return log_in(request, account, pending.identity, pending.id_token, pending.next)
    return render(request, "federation/agent.html", facts)


@open_view
@require_GET
def jwks(request: HttpRequest) -> HttpResponse:
    """Our public key of encryption, for FranceConnect+."""
    key = decryption_key()
    keys = [{**key.as_dict(private=False), "use": "enc"}] if key else []
    return JsonResponse({"keys": keys}, headers={"Cache-Control": "public, max-age=3600"})


@open_view
@require_GET
def about(request: HttpRequest, provider: str) -> HttpResponse:
    """What FranceConnect or ProConnect is, what it transmits, what to do when it refuses an identity."""
    return render(request, f"federation/about_{provider}.html")


@open_view
@require_GET
def drawing(request: HttpRequest, provider: str) -> HttpResponse:
    """The official drawing of a button, which this installation received with its habilitation."""
    content = official_drawing(provider)
    if content is None:
        raise Http404
    headers = {
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=3600",
    }
    return HttpResponse(content, content_type="image/svg+xml", headers=headers)
