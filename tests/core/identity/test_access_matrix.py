"""Tenant × role matrix: every address of the project, called by everybody, answers what its declaration says.

Pages declare who may reach them (core/identity/access.py), operations of the API their scope (core/api); what no
mandate protects is held by hand in ``declared``. What is not declared fails; so does any answer that its declaration
does not foresee, and any form taken without its CSRF token.
"""

import base64
import re
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from parvis.core import clock
from parvis.core.api.api import operations
from parvis.core.api.registry import scopes
from parvis.core.identity.access import READING_TOO, Access
from parvis.core.organisations.tenancy import acting_for
from tests.core.identity.callers import EXPIRED
from tests.core.identity.declared import LIBRARY, MIDDLEWARE, WITHOUT_TOKEN
from tests.core.identity.matrix import (
    EXAMPLES,
    STRANGERS,
    WITHOUT_MANDATE,
    Page,
    addresses,
    by_the_guard_alone,
    expected,
    missing,
    outside_subscriptions,
    pages,
    refused,
    taken_without_proof,
    to_proof,
    undeclared,
    undone,
    unwritten,
)


# --- declarations --------------------------------------------------------------------------------------------
def test_every_address_declares_who_may_reach_it():
    faults = undeclared(addresses())
    assert not faults, "\n".join(faults)


def test_what_no_mandate_protects_is_written_by_hand_with_its_reason():
    faults = unwritten(addresses())
    assert not faults, "\n".join(faults)


def test_every_page_of_a_service_asks_for_its_application():
    faults = outside_subscriptions(addresses())
    assert not faults, "\n".join(faults)


def test_every_table_of_people_asks_for_a_fresh_proof():
    faults = taken_without_proof(pages())
    assert not faults, "\n".join(faults)


def test_the_table_of_the_account_library_names_nothing_that_is_gone():
    assert set(LIBRARY) == {page.name for page in addresses() if page.address.startswith("compte/")}


# --- everybody calls every address ---------------------------------------------------------------------------
@pytest.mark.timeout(900)  # forty seconds of one processor, more on a busy machine
def test_every_address_answers_everybody_as_declared(callers):
    surprises = []
    for page in pages():
        url = page.url()

        def judge(who, method, answer):
            # A method that an address never takes is refused to everybody alike, before anything is looked at.
            if answer.status_code != 405 and not expected(page, who, callers[who])(answer):  # noqa: B023
                surprises.append(f"{who} {method} {url} -> {answer.status_code} (declared {page.access})")  # noqa: B023

        for who, method in _asked(page.access, callers):
            with undone(callers[who]):
                judge(who, method, getattr(callers[who], method)(url))
        for who in _refused(page.access, callers):
            judge(who, "guard", by_the_guard_alone(callers[who], url))
    assert not surprises, "\n".join(surprises)


def _agents(callers, organisation: str) -> list[tuple[str, str]]:
    return [who for who in callers if isinstance(who, tuple) and who[0] == organisation]


def _asked(access: Access, callers) -> Iterator[tuple]:
    """Who goes through the whole of the server, by which method.

    A role that the page is for reads it; sending is asked of one such role, of one that may not, of the same role
    of the other commune, and of those without mandate or session. Where no role counts one agent stands for all.
    """
    everybody = sorted(STRANGERS | WITHOUT_MANDATE)
    if access.kind != "agent":
        for who in [*everybody, ("juvignac", "administrateur")]:
            yield from ((who, "get"), (who, "post"))
        return
    here = _agents(callers, "juvignac")
    may = [who for who in here if access.lets_in(callers[who].held)]
    may_not = [who for who in here if who not in may]
    yield from ((who, "get") for who in [*everybody, *may])
    yield from ((who, "post") for who in ("nobody", "a citizen", may[0], ("fabregues", may[0][1]), *may_not[:1]))


def _refused(access: Access, callers) -> Iterator[tuple]:
    """Every role that an agents' page is not for, of the commune and of the other one."""
    if access.kind == "agent":
        yield from (who for who in _agents(callers, "juvignac") if not access.lets_in(callers[who].held))
        yield from _agents(callers, "fabregues")


@pytest.mark.django_db
def test_an_organisation_that_does_not_exist_answers_like_another_ones(agent_client, juvignac, fabregues):
    client = agent_client(juvignac, "secretaire")
    unknown = client.get(f"/o/nulle-part/actes/{uuid.uuid4()}/")
    foreign = client.get(f"/o/fabregues/actes/{uuid.uuid4()}/")
    assert unknown.status_code == foreign.status_code == 404
    told = [re.sub(rb"nulle-part|fabregues|[A-Za-z0-9]{64}", b"", answer.content) for answer in (unknown, foreign)]
    assert told[0] == told[1]


# --- layers that answer before any view ----------------------------------------------------------------------
def test_every_layer_that_may_answer_by_itself_is_written_by_hand():
    new, gone = set(settings.MIDDLEWARE) - set(MIDDLEWARE), set(MIDDLEWARE) - set(settings.MIDDLEWARE)
    told = [
        f"{name}: write in MIDDLEWARE of declared.py what it answers by itself, or why it never does" for name in new
    ]
    told += [f"{name} is gone: remove it from MIDDLEWARE of declared.py" for name in gone]
    assert not told, "\n".join(told)


def test_what_a_layer_answers_is_the_same_for_everybody(callers, fabregues):
    from parvis.core.portal import hosts
    from parvis.core.portal.models import HostName

    HostName.objects.create(organisation=fabregues, host="voisin.test", created_at=clock.now())
    hosts.forget()
    surprises = []
    for layer, examples in MIDDLEWARE.items():
        for method, address, host, status in examples if isinstance(examples, list) else ():
            for who in ("nobody", "a citizen", "the platform's operator", ("juvignac", "administrateur")):
                with undone(callers[who]):
                    answer = getattr(callers[who], method)(address, **({"HTTP_HOST": host} if host else {}))
                if answer.status_code != status:
                    surprises.append(f"{layer}: {who} {method} {host}{address} -> {answer.status_code}, not {status}")
    hosts.forget()
    assert not surprises, "\n".join(surprises)


# --- subscriptions -------------------------------------------------------------------------------------------
def _of_services() -> list[Page]:
    return [page for page in pages() if page.access.application]


def _reader(page: Page, callers) -> Client:
    """Somebody of Juvignac whom the page is for, or anybody where it is public."""
    return _who_may(page.access, callers) if page.access.kind == "agent" else callers["nobody"]


def test_a_service_that_was_never_taken_is_closed(callers, juvignac):
    juvignac.subscriptions.all().delete()
    surprises = []
    for page in _of_services():
        for method in ("get", "post"):
            if page.access.kind == "agent":
                answer, asked = by_the_guard_alone(_reader(page, callers), page.url(), method), refused
            else:
                answer, asked = getattr(callers["nobody"], method)(page.url()), missing
            if answer.status_code != 405 and not asked(answer):
                surprises.append(f"{method} {page.url()} -> {answer.status_code} without subscription ({page.access})")
    assert not surprises, "\n".join(surprises)


def test_a_service_that_was_left_lets_read_what_it_produced_and_nothing_more(callers, juvignac):
    juvignac.subscriptions.update(until=clock.today() - timedelta(days=1))
    surprises = []
    for page in _of_services():
        readable = page.access.kind == "public" or {page.access.permission} & READING_TOO
        readable = readable or page.access.permission.endswith(".lire")
        with undone(client := _reader(page, callers)):
            read = client.get(page.url())
        if read.status_code != 405 and (read.status_code >= 500 or (read.status_code != 403) != bool(readable)):
            surprises.append(f"get {page.url()} -> {read.status_code} after the subscription ({page.access})")
        if page.access.kind == "agent":
            sent = by_the_guard_alone(client, page.url(), "post")
            if sent.status_code not in (403, 405):
                surprises.append(f"post {page.url()} -> {sent.status_code} after the subscription ({page.access})")
    assert not surprises, "\n".join(surprises)


# --- fresh proofs --------------------------------------------------------------------------------------------
def _an_hour_ago(client: Client) -> None:
    """The holder of the session proved who they are an hour ago, by both factors."""
    session, at = client.session, time.time() - 3600
    session["account_authentication_methods"] = [
        {**one, "at": at} for one in session.get("account_authentication_methods") or [{"method": "password"}]
    ]
    session.save()


def test_what_is_irreversible_asks_for_a_fresh_proof(callers):
    surprises = []
    for page in pages():
        if not page.access.recent:
            continue
        client = _who_may(page.access, callers)
        with undone(client):
            _an_hour_ago(client)
            read, sent = client.get(page.url()), client.post(page.url(), {"x": "y"})
            there = client.get(sent["Location"]) if to_proof(sent) else None
        if page.access.recent == "always" and not to_proof(read) and "confirmer" not in read.get("Location", ""):
            surprises.append(f"get {page.url()} -> {read.status_code}, shown with an old proof")
        if page.access.recent is True and "/confirmer/" in read.get("Location", ""):
            surprises.append(f"get {page.url()}: a fresh proof is asked before anything is sent")
        if sent.status_code != 405 and (there is None or there.status_code != 200):
            surprises.append(f"post {page.url()} -> {sent.status_code}, taken with an old proof")
    assert not surprises, "\n".join(surprises)


# --- forms from elsewhere ------------------------------------------------------------------------------------
def test_nothing_is_taken_without_the_token_of_its_form(callers):
    taken = []
    for page in pages():
        if page.address in WITHOUT_TOKEN:
            continue
        client = _who_may(page.access, callers)
        client.handler.enforce_csrf_checks = True
        with undone(client):
            answer = client.post(page.url(), {"x": "y"})
        client.handler.enforce_csrf_checks = False
        told = answer.content == EXPIRED or page.address.startswith("api/v1/")
        if answer.status_code != 403 or not told:
            taken.append(f"/{page.address} -> {answer.status_code} ({page.name})")
    assert not taken, "\n".join(taken)


def _who_may(access: Access, callers) -> Client:
    if access.kind == "platform":
        return callers["the platform's operator"]
    if access.kind != "agent":
        return callers["juvignac", "administrateur"]
    return next(callers[who] for who in _agents(callers, "juvignac") if access.lets_in(callers[who].held))


def test_only_protocols_are_exempt_from_the_token():
    exempt = {page.address for page in pages() if getattr(page.pattern.callback, "csrf_exempt", False)}
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
    served = {page.address for page in addresses() if page.access == Access("api")}
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
        reached = (200, 201, 404, 415, 422)  # admitted, then refused for what it sends
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
