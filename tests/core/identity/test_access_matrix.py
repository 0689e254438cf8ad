"""Tenant × role matrix: every address of the project, called by everybody, answers what its declaration says."""

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from parvis.core.identity.access import Access
from parvis.core.identity.roles import ROLES, permissions_of

# Addresses of the account library, which know no organisation: login, second factor, password.
LIBRARY_PREFIXES = ("compte/",)


def _walk(patterns, prefix="", converters=None):
    for pattern in patterns:
        found = {**(converters or {}), **pattern.pattern.converters}
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, address, found)
        elif isinstance(pattern, URLPattern):
            yield address, pattern, found


ENDPOINTS = [
    (address, pattern, converters)
    for address, pattern, converters in _walk(get_resolver().url_patterns)
    if not address.startswith(LIBRARY_PREFIXES)
]
IDS = [address for address, _, _ in ENDPOINTS]
EXAMPLES = {
    "UUIDConverter": "0197c0de-0000-7000-8000-000000000000",
    "IntConverter": "1",
    "SlugConverter": "exemple",
    "StringConverter": "exemple",
    "PathConverter": "exemple",
}


def _address(address: str, converters: dict, organisation: str) -> str:
    import re

    def fill(match: re.Match) -> str:
        name = match.group(1).rpartition(":")[2]
        return organisation if name == "organisation_slug" else EXAMPLES[type(converters[name]).__name__]

    return "/" + re.sub(r"<([^>]+)>", fill, address)


@pytest.mark.parametrize(("address", "pattern", "converters"), ENDPOINTS, ids=IDS)
def test_every_address_declares_who_may_reach_it(address, pattern, converters):
    access = getattr(pattern.callback, "access", None)
    assert isinstance(access, Access), f"/{address} has no declaration: decorate its view (core/identity/access.py)"
    if access.kind in ("agent", "public"):
        assert "organisation_slug" in converters, f"/{address} names no organisation"
    if access.kind == "agent":
        assert any(access.permission in held for _, held in ROLES.values()), (
            f"/{address} asks for {access.permission}, which no role gives"
        )


@pytest.fixture
def clients(agent_client, juvignac, fabregues):
    """One client per role of Juvignac, one per role of Fabrègues, and nobody."""
    return {
        "anonymous": Client(raise_request_exception=False),
        **{("juvignac", role): _quiet(agent_client(juvignac, role)) for role in ROLES},
        **{("fabregues", role): _quiet(agent_client(fabregues, role)) for role in ROLES},
    }


def _quiet(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def test_every_address_answers_each_role_as_declared(clients):
    surprises = []
    for address, pattern, converters in ENDPOINTS:
        access = pattern.callback.access
        url = _address(address, converters, "juvignac")
        for who, client in clients.items():
            for method in ("get", "post"):
                answer = getattr(client, method)(url)
                # A method that an address never takes is refused to everybody alike, before anything is looked at.
                if answer.status_code != 405 and not _allowed(access, who)(answer):
                    surprises.append(f"{who} {method} {url} -> {answer.status_code} (declared {access})")
    assert not surprises, "\n".join(surprises)


def _allowed(access: Access, who):
    anything_but_a_fault = lambda answer: answer.status_code < 500 or answer.status_code == 503  # noqa: E731
    to_login = lambda answer: answer.status_code == 302 and "/compte/login" in answer["Location"]  # noqa: E731
    if access.kind in ("open", "public"):
        return anything_but_a_fault
    if who == "anonymous":
        return to_login
    if access.kind == "platform":  # nobody of the matrix runs the platform
        return lambda answer: answer.status_code == 404
    if access.kind == "account":
        return anything_but_a_fault
    organisation, role = who
    if organisation != "juvignac":
        return lambda answer: answer.status_code == 404
    if access.permission in permissions_of(role):
        return lambda answer: answer.status_code < 500 and answer.status_code != 403
    return lambda answer: answer.status_code == 403


@pytest.mark.django_db
def test_an_organisation_that_does_not_exist_answers_like_another_ones(agent_client, juvignac, fabregues):
    client = agent_client(juvignac, "secretaire")
    missing = client.get(f"/o/nulle-part/actes/{uuid.uuid4()}/")
    foreign = client.get(f"/o/fabregues/actes/{uuid.uuid4()}/")
    assert missing.status_code == foreign.status_code == 404
    assert missing.content.replace(b"nulle-part", b"") == foreign.content.replace(b"fabregues", b"")
