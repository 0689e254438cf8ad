"""Every address of the project with its declaration, and what each caller has to be answered.

Functions take the addresses to judge, so that ``test_matrix_bites`` can give them leaking views and see them caught.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from parvis.core.exports.download import as_download
from parvis.core.identity.access import Access
from parvis.core.identity.roles import ROLES
from tests.core.identity.declared import APPLICATIONS, BY_HAND, LIBRARY, NOBODY_IN, SIGNPOSTS

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
PARAMETER = re.compile(r"<([^<>]+)>")


@dataclass(frozen=True)
class Page:
    """One address: ``address`` as the URLconf writes it, its declaration (None when it has none)."""

    address: str
    pattern: URLPattern
    converters: dict[str, Any]
    access: Access | None

    @property
    def name(self) -> str:
        return self.pattern.name or ""

    def url(self, organisation: str = "juvignac", values: dict[str, object] | None = None) -> str:
        """The address with ``values`` for its parameters, by name, and examples for the others."""
        given = {"organisation_slug": organisation, **(values or {})}

        def fill(match: re.Match[str]) -> str:
            name = match.group(1).rpartition(":")[2]
            return str(given.get(name, EXAMPLES[type(self.converters[name]).__name__]))

        bare = re.sub(r"\(\?P<(\w+)>[^)]+\)", lambda m: GROUPS[m.group(1)], self.address)
        return "/" + PARAMETER.sub(fill, bare.replace("^", "").replace("$", ""))


def _walk(patterns, prefix="", converters=None) -> Iterator[Page]:
    for pattern in patterns:
        found = {**(converters or {}), **pattern.pattern.converters}
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, address, found)
        elif isinstance(pattern, URLPattern):
            yield Page(address, pattern, found, _access_of(address, pattern))


def _access_of(address: str, pattern: URLPattern) -> Access | None:
    declared = getattr(pattern.callback, "access", None)
    return declared or (LIBRARY.get(pattern.name or "") if address.startswith("compte/") else None)


def addresses() -> list[Page]:
    """Every address of the project, in the order in which they are resolved."""
    return list(_walk(get_resolver().url_patterns))


def pages() -> list[Page]:
    """Every address but the operations of the API, which have a test of their own."""
    return [page for page in addresses() if not (page.access and page.access.kind == "api")]


# --- declarations --------------------------------------------------------------------------------------------
def undeclared(found: list[Page]) -> list[str]:
    """What is wrong in the declarations themselves."""
    faults = []
    for page in found:
        access, address = page.access, page.address
        if not isinstance(access, Access):
            faults.append(f"/{address} has no declaration: decorate its view (core/identity/access.py)")
        elif access.kind in ("agent", "public") and "organisation_slug" not in page.converters:
            faults.append(f"/{address} names no organisation: put it in AGENT or PUBLIC of config/urls.py")
        elif access.kind == "agent" and not any(access.lets_in(held) for _, held in ROLES.values()):
            faults.append(f"/{address} asks for {access.permission}, which no role gives (core/identity/roles.py)")
    return faults


def unwritten(found: list[Page]) -> list[str]:
    """Addresses without a mandate that the tables of ``declared`` do not hold, and those that are gone."""
    faults = []
    for kind, (table_name, table) in BY_HAND.items():
        served = {p.address for p in found if getattr(getattr(p.pattern.callback, "access", None), "kind", "") == kind}
        for address in sorted(served - set(table)):
            faults.append(
                f"/{address} is declared {kind!r}: if nothing of an organisation or a person can leak there, write\n"
                f'    {address!r}: "why",\nin {table_name} of tests/core/identity/declared.py; else use agent_view'
            )
        for address in sorted(set(table) - served):
            faults.append(f"/{address} is gone, or no longer {kind!r}: remove it from {table_name} of declared.py")
    return faults


def outside_subscriptions(found: list[Page]) -> list[str]:
    """Pages of a service that do not ask for its application of the convention."""
    faults = []
    for page in found:
        wanted = next((code for start, code in APPLICATIONS.items() if page.address.startswith(start)), "")
        if page.access and wanted and page.access.application != wanted:
            faults.append(f"/{page.address}: declare application={wanted!r} on its view")
    return faults


def downloads_a_table(page: Page) -> bool:
    """Whether the address is that of a table or of an archive, or its view calls what writes tables."""
    named = re.search(r"\.(<\w+:extension>|csv|ods|zip)$", page.address) and "sha256" not in page.address
    return bool(named) or _calls_tables(inspect.unwrap(page.pattern.callback), set())


def _calls_tables(function: Any, seen: set[Any]) -> bool:
    """Whether ``function``, or one of the project that it names, calls core/exports."""
    if not inspect.isfunction(function) or function in seen or not function.__module__.startswith(("parvis", "tests")):
        return False
    seen.add(function)
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [inner for inner in code.co_consts if inspect.iscode(inner)]
    known = [function.__globals__[name] for name in names if name in function.__globals__]
    known += [
        getattr(module, name) for module in known if inspect.ismodule(module) for name in names & set(dir(module))
    ]
    return as_download in known or any(_calls_tables(inspect.unwrap(one), seen) for one in known if callable(one))


def taken_without_proof(found: list[Page]) -> list[str]:
    """Tables that leave without a fresh proof and that ``NOBODY_IN`` does not hold, and those that are gone."""
    served = {p.address for p in found if p.access and p.access.recent != "always" and downloads_a_table(p)}
    faults = [
        f'/{address} gives a table: declare recent="always" on its view or, if no personal data are there, write\n'
        f'    {address!r}: "why",\nin NOBODY_IN of tests/core/identity/declared.py'
        for address in sorted(served - set(NOBODY_IN))
    ]
    return faults + [f"/{gone} gives no table: remove it from NOBODY_IN" for gone in sorted(set(NOBODY_IN) - served)]


# --- what each caller has to be answered ---------------------------------------------------------------------
# Those whose session is no longer one, and those who never had one.
STRANGERS = {"nobody", "a suspended account", "an API account"}
WITHOUT_MANDATE = {
    "a citizen",
    "the platform's operator",
    "an agent whose mandate is over",
    "an agent whose mandate is suspended",
}

Judge = Callable[[HttpResponse], bool]


def no_fault(answer: HttpResponse) -> bool:
    return answer.status_code < 500 or answer.status_code == 503


def to_login(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and "/compte/login" in answer["Location"]


def missing(answer: HttpResponse) -> bool:
    return answer.status_code == 404


def refused(answer: HttpResponse) -> bool:
    return answer.status_code == 403


def to_proof(answer: HttpResponse) -> bool:
    return answer.status_code == 303 and "/mon-compte/securite/confirmer/" in answer["Location"]


def expected(page: Page, who, client: Client) -> Judge:
    """What ``page`` of Juvignac has to answer to ``who``."""
    access = page.access
    if access is None:
        return lambda answer: False
    if access.kind in ("open", "public") or page.name in SIGNPOSTS:
        return no_fault
    if who in STRANGERS:
        return to_login
    if access.kind == "platform":
        return no_fault if who == "the platform's operator" else missing
    if access.kind == "account":
        return no_fault
    if who in WITHOUT_MANDATE or who[0] != "juvignac":
        return missing
    if access.lets_in(client.held):
        return lambda answer: answer.status_code < 500 and answer.status_code != 403
    return refused


@contextmanager
def undone(client: Client) -> Iterator[None]:
    """What a form would do is undone: the next caller finds everything as it was."""
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies)


def by_the_guard_alone(client: Client, url: str, method: str = "get", data: dict | None = None) -> HttpResponse:
    """What the view's guard answers to the holder of a session, without the layers around it."""
    found, request = resolve(url), getattr(RequestFactory(), method)(url, data)
    request.user, request._mandates, request.session = client.account, client.mandates, {}
    request._dont_enforce_csrf_checks = True
    try:
        return found.func(request, *found.args, **found.kwargs)
    except Http404:
        return HttpResponse(status=404)
    except PermissionDenied:
        return HttpResponse(status=403)
