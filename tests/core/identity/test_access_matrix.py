"""Tenant × role matrix: every address of the project, called by everybody, answers what its declaration says.

Pages declare who may reach them (core/identity/access.py), operations of the API their scope (core/api), and the
account library's own addresses are held by the table below. What is not declared fails; so does any answer that
its declaration does not foresee, and any form taken without its CSRF token.
"""

import base64
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import Http404, HttpResponse
from django.template import Template
from django.test import Client, RequestFactory
from django.test.utils import _TestState
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from parvis.core import clock
from parvis.core.api.api import operations
from parvis.core.api.registry import scopes
from parvis.core.identity.access import Access, mandates_of
from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.roles import ROLES, permissions_of
from parvis.core.organisations.tenancy import acting_for
from tests.conftest import prove_by_passkey

EXAMPLES = {
    "UUIDConverter": "0197c0de-0000-7000-8000-000000000000",
    "NinjaUUIDConverter": "0197c0de-0000-7000-8000-000000000000",
    "UUIDStrConverter": "0197c0de-0000-7000-8000-000000000000",
    "IntConverter": "1",
    "SlugConverter": "exemple",
    "StringConverter": "exemple",
    "PathConverter": "exemple",
}
GROUPS = {"uidb36": "1", "key": "exemple"}

# The account library's addresses, by name. EVERYBODY: login, and what leads to it. HOLDER: somebody logged in.
EVERYBODY, HOLDER = Access("open"), Access("account")
LIBRARY = {
    "account_login": EVERYBODY,
    "account_logout": EVERYBODY,
    "account_inactive": EVERYBODY,
    "account_signup": EVERYBODY,
    "account_email_verification_sent": EVERYBODY,
    "account_confirm_email": EVERYBODY,
    "account_confirm_login_code": EVERYBODY,
    "account_reset_password": EVERYBODY,
    "account_reset_password_done": EVERYBODY,
    "account_reset_password_from_key": EVERYBODY,
    "account_reset_password_from_key_done": EVERYBODY,
    "mfa_authenticate": EVERYBODY,  # between the password and the session
    "mfa_login_webauthn": EVERYBODY,
    "account_reauthenticate": HOLDER,
    "account_change_password": HOLDER,
    "account_set_password": HOLDER,
    "mfa_index": HOLDER,
    "mfa_reauthenticate": HOLDER,
    "mfa_activate_totp": HOLDER,
    "mfa_deactivate_totp": HOLDER,
    "mfa_view_recovery_codes": HOLDER,
    "mfa_generate_recovery_codes": HOLDER,
    "mfa_download_recovery_codes": HOLDER,
    "mfa_list_webauthn": HOLDER,
    "mfa_add_webauthn": HOLDER,
    "mfa_reauthenticate_webauthn": HOLDER,
    "mfa_remove_webauthn": HOLDER,
    "mfa_edit_webauthn": HOLDER,
}
# Only ever send elsewhere, where the declaration of the page they lead to is checked.
SIGNPOSTS = {"mfa_index", "mfa_list_webauthn"}

# Taken without CSRF token, and why. Those marked "own" check it themselves, once they know that it is a form.
WITHOUT_TOKEN = {
    "saml/connexion/": "protocol: a site posts its request, which changes nothing by itself",
    "identite/o/authorize": "protocol: OpenID Connect lets a site post its request",
    "identite/o/token": "protocol: clients prove themselves by their secret",
    "identite/o/userinfo": "protocol: proved by the token",
    "identite/o/revoke": "protocol: clients prove themselves by their secret",
    "identite/o/logout": "protocol: a site posts its request; the person is asked, by a form with its token",
    "o/<slug:organisation_slug>/archives/deposer/": "own",
    "o/<slug:organisation_slug>/administration/charte/": "own",
}


# --- every address -------------------------------------------------------------------------------------------
def _walk(patterns, prefix="", converters=None) -> Iterator[tuple[str, URLPattern, dict]]:
    for pattern in patterns:
        found = {**(converters or {}), **pattern.pattern.converters}
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, address, found)
        elif isinstance(pattern, URLPattern):
            yield address, pattern, found


def _access_of(address: str, pattern: URLPattern) -> Access | None:
    declared = getattr(pattern.callback, "access", None)
    return declared or (LIBRARY.get(pattern.name or "") if address.startswith("compte/") else None)


ADDRESSES = list(_walk(get_resolver().url_patterns))
PAGES = [
    (address, pattern, converters, _access_of(address, pattern))
    for address, pattern, converters in ADDRESSES
    if getattr(_access_of(address, pattern), "kind", "") != "api"
]


def _url(address: str, converters: dict, organisation: str = "juvignac") -> str:
    def fill(match: re.Match) -> str:
        name = match.group(1).rpartition(":")[2]
        return organisation if name == "organisation_slug" else EXAMPLES[type(converters[name]).__name__]

    address = re.sub(r"\(\?P<(\w+)>[^)]+\)", lambda m: GROUPS[m.group(1)], address).replace("^", "").replace("$", "")
    return "/" + re.sub(r"<([^>]+)>", fill, address)


def test_every_address_declares_who_may_reach_it():
    faults = []
    for address, pattern, converters in ADDRESSES:
        access = _access_of(address, pattern)
        if not isinstance(access, Access):
            faults.append(f"/{address} has no declaration: decorate its view (core/identity/access.py)")
        elif access.kind in ("agent", "public") and "organisation_slug" not in converters:
            faults.append(f"/{address} names no organisation")
        elif access.kind == "agent" and not any(access.permission in held for _, held in ROLES.values()):
            faults.append(f"/{address} asks for {access.permission}, which no role gives")
    assert not faults, "\n".join(faults)


def test_the_table_of_the_account_library_names_nothing_that_is_gone():
    assert set(LIBRARY) == {pattern.name for address, pattern, _ in ADDRESSES if address.startswith("compte/")}


# --- light pages of refusal: thousands are asked for, and their look is tested elsewhere ------------------------
EXPIRED = b"form without its token"


def refused_form(request, reason=""):
    return HttpResponse(EXPIRED, status=403)


@pytest.fixture
def light(monkeypatch, settings):
    """Pages of error without their layout nor their line in the log; templates not recorded for assertions."""

    def handler(resolver, view_type):
        return lambda request, exception=None: HttpResponse(status=int(view_type))

    monkeypatch.setattr(URLResolver, "resolve_error_handler", handler)
    monkeypatch.setattr(Template, "_render", _TestState.saved_data.template_render)
    settings.CSRF_FAILURE_VIEW = f"{__name__}.refused_form"
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


# --- everybody who calls -------------------------------------------------------------------------------------
@pytest.fixture
def callers(light, agent_client, juvignac, fabregues):
    """One client per role of two communes, and all those who hold nothing in Juvignac."""
    from parvis.core.api.services import create_account
    from parvis.core.journal.services import Actor

    found = {(o.slug, role): agent_client(o, role) for o in (juvignac, fabregues) for role in ROLES}
    found["nobody"] = Client()
    found["a citizen"] = _client_of("usager@exemple.test", Account.Population.USAGER)
    found["the platform's operator"] = _operator(agent_client, fabregues)
    found["an agent whose mandate is over"] = agent_client(juvignac, "secretaire", email="ancien@juvignac.test")
    found["an agent whose mandate is suspended"] = agent_client(juvignac, "secretaire", email="ecarte@juvignac.test")
    found["a suspended account"] = agent_client(juvignac, "administrateur", email="suspendu@juvignac.test")
    with acting_for(juvignac):
        yesterday = clock.today() - timedelta(days=1)
        Mandate.objects.filter(account__email="ancien@juvignac.test").update(end=yesterday)
        Mandate.objects.filter(account__email="ecarte@juvignac.test").update(suspended_at=clock.now())
        machine, secret = create_account(
            juvignac,
            name="Tout",
            contact="x@x.test",
            scopes=[scope.code for scope in scopes()],
            actor=Actor("system"),
            permissions=frozenset(scope.permission for scope in scopes()),
        )
    Account.objects.filter(email="suspendu@juvignac.test").update(is_active=False, suspended_at=clock.now())
    found["an API account"] = Client(headers={"Authorization": f"Bearer {machine.identifier}.{secret}"})
    for who, client in found.items():
        client.raise_request_exception = False
        if isinstance(who, tuple):
            client.mandates = mandates_of(client.account)
    return found


def _client_of(email: str, population: str) -> Client:
    client = Client()
    client.force_login(
        Account.objects.create_user(email, given_name="Alix", family_name="Exemple", population=population)
    )
    return client


def _operator(agent_client, organisation) -> Client:
    """Runs the platform, with a passkey and no mandate any more."""
    client = agent_client(organisation, "lecteur", email="exploitation@plateforme.test")
    with acting_for(organisation):
        Mandate.objects.filter(account=client.account).delete()
    Account.objects.filter(pk=client.account.pk).update(
        is_platform_administrator=True, population=Account.Population.EXPLOITATION
    )
    prove_by_passkey(client)
    return client


# Those whose session is no longer one, and those who never had one.
STRANGERS = {"nobody", "a suspended account", "an API account"}
WITHOUT_MANDATE = {
    "a citizen",
    "the platform's operator",
    "an agent whose mandate is over",
    "an agent whose mandate is suspended",
}


@contextmanager
def _undone(client: Client) -> Iterator[None]:
    """What a form would do is undone: the next caller finds everything as it was."""
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies)


@pytest.mark.timeout(900)  # forty seconds of one processor, more on a busy machine
def test_every_address_answers_everybody_as_declared(callers):
    surprises = []
    for address, pattern, converters, access in PAGES:
        url = _url(address, converters)

        def judge(who, method, answer):
            # A method that an address never takes is refused to everybody alike, before anything is looked at.
            if answer.status_code != 405 and not _allowed(access, who, pattern.name or "")(answer):  # noqa: B023
                surprises.append(f"{who} {method} {url} -> {answer.status_code} (declared {access})")  # noqa: B023

        for who, method in _asked(access):
            with _undone(callers[who]):
                judge(who, method, getattr(callers[who], method)(url))
        for who in _refused(access):
            judge(who, "guard", _by_the_guard_alone(callers[who], url))
    assert not surprises, "\n".join(surprises)


def _asked(access: Access) -> Iterator[tuple]:
    """Who goes through the whole of the server, by which method.

    A role that the page is for reads it; sending is asked of one such role, of one that may not, of the same role
    of the other commune, and of those without mandate or session. Where no role counts one agent stands for all.
    """
    everybody = sorted(STRANGERS | WITHOUT_MANDATE)
    if access.kind != "agent":
        for who in [*everybody, ("juvignac", "administrateur")]:
            yield from ((who, "get"), (who, "post"))
        return
    may = [role for role, (_, held) in ROLES.items() if access.permission in held]
    may_not = [role for role in ROLES if role not in may]
    yield from ((who, "get") for who in everybody)
    yield from ((("juvignac", role), "get") for role in may)
    yield from ((who, "post") for who in ("nobody", "a citizen", ("juvignac", may[0]), ("fabregues", may[0])))
    yield from ((("juvignac", role), "post") for role in may_not[:1])


def _refused(access: Access) -> Iterator[tuple]:
    """Every role that an agents' page is not for, of the commune and of the other one."""
    if access.kind == "agent":
        yield from (("juvignac", role) for role, (_, held) in ROLES.items() if access.permission not in held)
        yield from (("fabregues", role) for role in ROLES)


def _by_the_guard_alone(client: Client, url: str) -> HttpResponse:
    """What the view's guard answers to the holder of a session, without the layers around it."""
    found, request = resolve(url), RequestFactory().get(url)
    request.user, request._mandates, request.session = client.account, client.mandates, {}
    try:
        return found.func(request, *found.args, **found.kwargs)
    except Http404:
        return HttpResponse(status=404)
    except PermissionDenied:
        return HttpResponse(status=403)


def _no_fault(answer: HttpResponse) -> bool:
    return answer.status_code < 500 or answer.status_code == 503


def _to_login(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and "/compte/login" in answer["Location"]


def _missing(answer: HttpResponse) -> bool:
    return answer.status_code == 404


def _allowed(access: Access, who, name: str) -> Callable[[HttpResponse], bool]:
    if access.kind in ("open", "public") or name in SIGNPOSTS:
        return _no_fault
    if who in STRANGERS:
        return _to_login
    if access.kind == "platform":
        return _no_fault if who == "the platform's operator" else _missing
    if access.kind == "account":
        return _no_fault
    if who in WITHOUT_MANDATE:
        return _missing
    organisation, role = who
    if organisation != "juvignac":
        return _missing
    if access.permission in permissions_of(role):
        return lambda answer: answer.status_code < 500 and answer.status_code != 403
    return lambda answer: answer.status_code == 403


@pytest.mark.django_db
def test_an_organisation_that_does_not_exist_answers_like_another_ones(agent_client, juvignac, fabregues):
    client = agent_client(juvignac, "secretaire")
    missing = client.get(f"/o/nulle-part/actes/{uuid.uuid4()}/")
    foreign = client.get(f"/o/fabregues/actes/{uuid.uuid4()}/")
    assert missing.status_code == foreign.status_code == 404
    told = [re.sub(rb"nulle-part|fabregues|[A-Za-z0-9]{64}", b"", answer.content) for answer in (missing, foreign)]
    assert told[0] == told[1]


# --- forms from elsewhere ------------------------------------------------------------------------------------
def test_nothing_is_taken_without_the_token_of_its_form(callers):
    taken = []
    for address, pattern, converters, access in PAGES:
        if WITHOUT_TOKEN.get(address, "own") != "own":
            continue
        client = _who_may(access, callers)
        client.handler.enforce_csrf_checks = True
        with _undone(client):
            answer = client.post(_url(address, converters), {"x": "y"})
        client.handler.enforce_csrf_checks = False
        told = answer.content == EXPIRED or address.startswith("api/v1/")
        if answer.status_code != 403 or not told:
            taken.append(f"/{address} -> {answer.status_code} ({pattern.name})")
    assert not taken, "\n".join(taken)


def _who_may(access: Access, callers) -> Client:
    if access.kind == "platform":
        return callers["the platform's operator"]
    if access.kind != "agent":
        return callers["juvignac", "administrateur"]
    return callers["juvignac", next(role for role, (_, held) in ROLES.items() if access.permission in held)]


def test_only_protocols_are_exempt_from_the_token():
    exempt = {address for address, pattern, _, _ in PAGES if getattr(pattern.callback, "csrf_exempt", False)}
    assert exempt == set(WITHOUT_TOKEN)


# --- operations of the API -----------------------------------------------------------------------------------
def _operations():
    from parvis.core.api.urls import api

    return operations(api)


# Any account may ask who it is.
OPEN_TO_EVERY_ACCOUNT = {"whoami"}
BODIES = {
    ("POST", "/api/v1/actes"): lambda: {"fichier": SimpleUploadedFile("acte.pdf", b"not a PDF")},
}


def test_every_operation_declares_a_scope_that_exists():
    known = {scope.code for scope in scopes()}
    for method, path, found in _operations():
        access = getattr(found.view_func, "access", None)
        assert isinstance(access, Access), f"{method} {path} has no declaration: parvis.core.api.operations.operation"
        if found.view_func.__name__ not in OPEN_TO_EVERY_ACCOUNT:
            assert access.permission in known, f"{method} {path}: {access.permission!r} is no scope"
        if method not in ("GET", "HEAD"):
            assert not access.permission.endswith(".lire"), f"{method} {path} changes something with a right to read"


def test_every_address_of_the_api_is_an_operation():
    served = {address for address, pattern, _ in ADDRESSES if _access_of(address, pattern) == Access("api")}
    declared = {path.lstrip("/") for _, path, _ in _operations()}
    assert {re.sub(r"<(\w+:)?(\w+)>", r"{\2}", a) for a in served} == {
        re.sub(r"{(\w+:)?(\w+)}", r"{\2}", a) for a in declared
    }


@pytest.fixture
def machines(juvignac, fabregues):
    """``machines(organisation, scopes, **changes)`` -> a client that presents a new API account."""
    from parvis.core.api.models import ApiAccount
    from parvis.core.api.services import create_account
    from parvis.core.journal.services import Actor

    def make(organisation, codes, **changes):
        with acting_for(organisation):
            account, secret = create_account(
                organisation,
                name=str(uuid.uuid4()),
                contact="x@x.test",
                scopes=codes,
                actor=Actor("system"),
                permissions=frozenset(codes),
            )
            ApiAccount.objects.filter(pk=account.pk).update(**changes)
        proof = base64.b64encode(f"{account.identifier}:{secret}".encode()).decode()
        return Client(headers={"Authorization": f"Basic {proof}"}, raise_request_exception=False)

    return make


def test_every_operation_answers_every_account_as_declared(machines, callers, juvignac, fabregues):
    every = [scope.code for scope in scopes()]
    refused = {
        "nobody": callers["nobody"],
        "an administrator's session": callers["juvignac", "administrateur"],
        "the operator's session": callers["the platform's operator"],
        "a revoked account": machines(juvignac, every, revoked_at=clock.now()),
        "an expired account": machines(juvignac, every, expires_on=clock.today() - timedelta(days=1)),
    }
    surprises = []

    def ask(who, client, method, path, *expected):
        body = BODIES.get((method, path), dict)()
        with transaction.atomic():
            answer = getattr(client, method.lower())(path, body)
            transaction.set_rollback(True)
        if answer.status_code not in expected or answer.status_code >= 500:
            surprises.append(f"{who} {method} {path} -> {answer.status_code}, not {expected}")

    for method, pattern, found in _operations():
        access = found.view_func.access
        path = re.sub(r"{uuid(str)?:\w+}", EXAMPLES["UUIDConverter"], pattern)
        path = re.sub(r"{[^}]+}", "exemple", path)
        for who, client in refused.items():
            ask(who, client, method, path, 401)
        others = [code for code in every if code != access.permission]
        reached = (200, 201, 404, 422)
        ask(
            "every other scope",
            machines(juvignac, others),
            method,
            path,
            *(reached if not access.permission else (403,)),
        )
        only = [access.permission] if access.permission else []
        ask("this scope alone", machines(juvignac, only), method, path, *reached)
        # It reaches the rows of its own organisation; the tests of operations show that it sees no other.
        ask("this scope, of another organisation", machines(fabregues, only), method, path, *reached)
        if access.application:
            never = machines(juvignac, only)
            with transaction.atomic():
                juvignac.subscriptions.filter(application=access.application).delete()
                ask("never subscribed", never, method, path, 403)
                transaction.set_rollback(True)
    assert not surprises, "\n".join(surprises)
