"""Pages of a person's security, under ``/mon-compte/securite/``."""

import time

from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.core import signing
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.authentication import factors, jumps, resets, sessions, stepup, throttle
from parvis.core.authentication.assurance import TWO_FACTORS, assurance_of, federated_proofs
from parvis.core.authentication.devices import describe
from parvis.core.authentication.factors import has_passkey
from parvis.core.authentication.forms import ReauthenticateWebAuthnForm, StepUpForm
from parvis.core.authentication.passwords import CRITERIA_SALT, MAX_LENGTH, examine
from parvis.core.authentication.sessions import renew
from parvis.core.branding import entrance
from parvis.core.identity.access import AccountRequest, account_view, open_view, request_mandates
from parvis.core.identity.audit import audit
from parvis.core.identity.events import EVENTS
from parvis.core.identity.models import Account, SecurityEvent
from parvis.core.web.confirming import intention_at
from parvis.core.web.integers import whole_number
from parvis.core.web.navigation import account_tabs

CHOOSING = "/compte/mfa/"


@account_view
@never_cache
@sensitive_post_parameters("password", "code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
def step_up(request: AccountRequest) -> HttpResponse:
    """Ask again for the proofs that this account is able to give, then go on with what was interrupted."""
    account = request.user
    token = request.GET.get("suite") or request.POST.get("suite", "")
    wanted = request.GET.get("next") or request.POST.get("next", "")
    waiting = stepup.pending(request, token) if token else None
    if waiting is not None:
        entrance.leads_to(request, waiting.path)
    passkey = has_passkey(account)
    # The pages where factors are chosen open with the others: a lost passkey is replaced there.
    alone = passkey and factors.passkey_only(account) and not wanted.startswith(CHOOSING)
    form, problem = StepUpForm(account=account, passkey_only=alone), ""
    since = whole_number(request.GET.get("depuis", ""), most=2**40) or 0
    if request.method == "GET" and (token or wanted) and stepup.is_fresh(request, since):
        return _carry_on(request, token, wanted)  # the proof came from a provider
    if request.method == "POST" and "credential" in request.POST:
        key = ReauthenticateWebAuthnForm(request.POST, user=account)
        if key.is_valid():
            key.save()
            return _carry_on(request, token, wanted)
        problem = "Cette clé d’accès n’a pas été reconnue. Recommencez, ou servez-vous de votre mot de passe."
    elif request.method == "POST":
        form = StepUpForm(request.POST, account=account, passkey_only=alone)
        if form.fields and form.is_valid():
            if "password" in form.fields:
                record_authentication(request, account, method="password", reauthenticated=True)
            if form.authenticator is not None:
                post_authentication(request, form.authenticator, reauthenticated=True)
            return _carry_on(request, token, wanted)
    context = {
        "form": form,
        "alone": alone,
        "why": _why(request, since),
        "problem": problem,
        "waiting": waiting,
        "token": token,
        "next": wanted,
        "proofs": [] if alone else federated_proofs(account),
        "here": request.get_full_path() if request.method == "GET" else stepup.waiting_at(token, wanted),
        "js_data": {"request_options": webauthn.begin_authentication(account)} if passkey else None,
    }
    return render(request, "authentication/step_up.html", context, status=400 if form.errors or problem else 200)


def _why(request: AccountRequest, since: int) -> str:
    """The sentence that says why a proof is asked, however recent the last one is."""
    assurance = assurance_of(request)
    if jumps.DOUBT in request.session:
        return "Cette session n’est plus dans le navigateur où elle a été ouverte : prouvez de nouveau qui vous êtes."
    if assurance.auth_time < since:
        return "Le site que vous rejoignez demande que vous prouviez maintenant qui vous êtes."
    if factors.has_second_factor(request.user) and not assurance.reaches(TWO_FACTORS):
        return "Votre compte a un second facteur, que cette session n’a pas encore prouvé."
    if not assurance.recent:
        return (
            "Ce que vous allez faire est sensible\u00a0: vous avez prouvé qui vous êtes il y a plus de cinq minutes, et"
            " cette preuve est redemandée."
        )
    return "Prouvez de nouveau qui vous êtes pour continuer."


def _carry_on(request: AccountRequest, token: str, wanted: str) -> HttpResponse:
    """A new session identifier, then back to what was asked."""
    renew(request)
    if token:
        return redirect(f"{reverse('authentication:resume')}?suite={token}")
    if (resumed := resume_request(request)) is not None:  # a page of the account library was waiting
        return resumed
    return redirect(stepup.local_address(request, wanted, reverse("authentication:security")))


@account_view
@never_cache
@require_safe
def resume(request: AccountRequest) -> HttpResponse:
    """What was being sent, ready to be sent again with one click, or the page that waited for a second factor."""
    if "suite" not in request.GET and (address := stepup.take_awaited(request)):
        return redirect(address)
    waiting = stepup.pending(request, request.GET.get("suite", ""))
    if waiting is None:
        return redirect("authentication:security")
    entrance.leads_to(request, waiting.path)
    if not waiting.lost:
        stepup.forget(request, waiting.token)
    context = {"waiting": waiting, "intention": intention_at(request, waiting.path, dict(waiting.fields))}
    return render(request, "authentication/resume.html", context)


@account_view
@never_cache
@require_safe
def security(request: AccountRequest) -> HttpResponse:
    """How this account is protected, where it is open, what happened to it lately."""
    account = request.user
    mandates = [] if account.population == Account.Population.USAGER else request_mandates(request)
    administrator = sessions.administers(account, mandates)
    held = factors.held_by(account)
    required = bool(mandates) or administrator
    context = {
        "tabs": account_tabs("securite", request.user),
        "held": held,
        "required": required,
        "grace": None if held.number or not required or administrator else factors.grace_ends(account),
        "overdue": required and not held.number and factors.must_enrol(account, administrator=administrator),
        "passkey_only": factors.passkey_only(account),
        "spare_missing": administrator and bool(held.number) and not held.spare,
        "sessions": len(UserSession.objects.purge_and_list(account)),
        "limits": sessions.limits_of(account, mandates),
        "events": _own_events(account),
        "reset": resets.waiting_for(account),
    }
    return render(request, "authentication/security.html", context)


def _own_events(account: Account) -> list[dict[str, object]]:
    """The twenty last things that happened to the security of ``account``, in words."""
    rows = SecurityEvent.objects.filter(account=account).order_by("-at")[:20]
    return [
        {
            "at": row.at,
            "label": EVENTS.get(row.event, row.event),
            "method": METHOD_LABELS.get(row.method, ""),
            "refused": row.outcome != "success",
            "device": describe(row.user_agent) if row.user_agent else "",
            "address": row.address or "",
            "by_other": row.actor_id not in (None, account.pk),
        }
        for row in rows
    ]


@account_view
@never_cache
@require_safe
def devices(request: AccountRequest) -> HttpResponse:
    """The sessions of this account, each with its device, and a way to end it."""
    if not UserSession.objects.filter(session_key=request.session.session_key).exists():
        UserSession.objects.create_from_request(request)
    lines = sorted(UserSession.objects.purge_and_list(request.user), key=lambda line: line.last_seen_at, reverse=True)
    rows = [(line, describe(line.user_agent), line.is_current()) for line in lines]
    context = {
        "tabs": account_tabs("securite", request.user),
        "rows": rows,
        "columns": DEVICE_COLUMNS,
        "others": len(rows) > 1,
    }
    return render(request, "authentication/devices.html", context)


DEVICE_COLUMNS = [
    {"label": "Appareil"},
    {"label": "Adresse"},
    {"label": "Ouverte le"},
    {"label": "Dernière activité"},
    {"label": "Action", "hidden": True},
]


@account_view
@require_POST
def close_session(request: AccountRequest) -> HttpResponse:
    """End one session of this account by its number, or all but this one."""
    lines = UserSession.objects.filter(user=request.user).exclude(session_key=request.session.session_key)
    number = request.POST.get("session", "")
    if number:
        lines = lines.filter(pk=int(number) if number.isdecimal() and len(number) < 18 else 0)
    ended = 0
    for line in lines:
        line.end()
        audit("user.session.revoked", account=request.user, request=request, data={"reason": "person"})
        ended += 1
    said = "Aucune session n’était à fermer." if not ended else "La session est fermée."
    messages.success(request, said if ended < 2 else f"{ended} sessions sont fermées.")
    return redirect("authentication:devices")


@account_view
@never_cache
@require_safe
def extend(request: AccountRequest) -> HttpResponse:
    """One action keeps the session open (WCAG 2.2.1), as reading any page does."""
    sessions.touch(request)
    return HttpResponse(status=204)


@account_view
@require_POST
def cancel_reset(request: AccountRequest) -> HttpResponse:
    """« Ce n’est pas moi »: the holder stops the reset of their own second factor."""
    reset = resets.waiting_for(request.user)
    if reset is None:
        raise Http404
    resets.stop(reset, by=request.user, request=request)
    messages.success(request, "La demande est annulée : votre second facteur reste le même.")
    return redirect("authentication:security")


METHOD_LABELS = {
    "totp": "application d’authentification",
    "code": "codes de secours",
    "passkey": "clé d’accès",
    "password": "mot de passe",
    "password+totp": "mot de passe et code",
    "franceconnect": "FranceConnect",
    "proconnect": "ProConnect",
    "annuaire": "Annuaire de l’organisation",
}
CHECKS_PER_MINUTE = 60


@open_view
@never_cache
@sensitive_post_parameters("password1")
@require_POST
def password_criteria(request: HttpRequest) -> HttpResponse:
    """What the password being typed still lacks, as a piece of page. The form checks again when it is sent."""
    where = throttle.network(request.META.get("REMOTE_ADDR") or "")
    key = f"parvis.criteria.{where}.{int(time.time()) // 60}"
    cache.add(key, 0, 120)
    if cache.incr(key) > CHECKS_PER_MINUTE:
        return HttpResponse(status=429)
    try:
        number = signing.loads(request.POST.get("pour", ""), salt=CRITERIA_SALT, max_age=24 * 3600)
    except signing.BadSignature:
        number = None
    account = Account.objects.filter(pk=number).first() if number else None
    password = request.POST.get("password1", "")[:MAX_LENGTH]
    return render(request, "authentication/criteria.html", {"verdict": examine(password, account), "typed": password})
