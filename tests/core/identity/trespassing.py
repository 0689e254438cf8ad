"""What happens when everybody of Juvignac asks for what Fabrègues holds: in its place, in forms, by programs."""

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin
from zipfile import BadZipFile, ZipFile

import lxml.html
from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client

from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.roles import ROLES
from parvis.core.organisations.models import Invitation
from tests.core.identity.holdings import MARK, NAMED, OUR, Holdings, named_in
from tests.core.identity.matrix import Page, undone


# --- everybody of Juvignac asks for it -----------------------------------------------------------------------
def told(answer) -> bytes:
    """Everything that an answer says, the members of an archive unpacked; the mark may hide in any of them."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    content += " ".join(f"{k}: {v}" for k, v in answer.headers.items()).encode()
    if content[:2] == b"PK":
        with suppress(BadZipFile), ZipFile(io.BytesIO(content)) as archive:
            content += b"".join(archive.read(name) for name in archive.namelist())
    return content


def tells(answer, mark: str = MARK) -> bool:
    return mark.lower().encode() in told(answer).lower()


def fingerprint(holdings: Holdings) -> str:
    """Digest of every row that the organisation and its people own, table by table."""
    with holdings.scope(), connection.cursor() as cursor:
        cursor.execute(_fingerprint_sql(), _owners(holdings))
        return str(cursor.fetchall())


def person(holdings: Holdings) -> str:
    """The first person that the organisation holds: account, mandate and invitation, column by column."""
    account = holdings.account
    with holdings.scope():
        rows = [
            Account.objects.filter(pk=account.pk),
            Mandate.objects.filter(account=account),
            Invitation.objects.filter(email=account.email),
        ]
        return str([list(found.values()) for found in rows])


@cache
def _owned_tables() -> list[tuple[str, str]]:
    """(table, column that names the owner) of what belongs to an organisation or to a person."""
    found = []
    for model in apps.get_models():
        if model._meta.proxy or not model._meta.managed:
            continue
        names = {field.name: field for field in model._meta.concrete_fields}
        if model is Account:
            found.append((model._meta.db_table, "id"))
        elif "organisation" in names:
            found.append((model._meta.db_table, "organisation_id"))
        elif names.keys() & {"account", "user"}:
            found.append((model._meta.db_table, names.get("account", names.get("user")).column))
    return found


def _fingerprint_sql() -> str:
    jobs = "SELECT 'jobs', count(*), sum(hashtextextended(t::text, 0)) FROM procrastinate_jobs t"
    owned = [
        f"SELECT '{table}', count(*), sum(hashtextextended(t::text, 0)) FROM {table} t WHERE {column} "
        + ("= %(organisation)s" if column == "organisation_id" else "= ANY (%(accounts)s)")
        for table, column in _owned_tables()
    ]
    return " UNION ALL ".join([*owned, f"{jobs} WHERE args->>'organisation_id' = %(organisation)s::text"])


def _owners(holdings: Holdings) -> dict[str, object]:
    return {
        "organisation": holdings.organisation.pk,
        "accounts": [holdings.account.pk, holdings.citizen.pk, holdings.operator.pk],
    }


def _foreign(callers) -> list:
    """Those who hold nothing in Fabrègues and do not run the platform."""
    return [w for w in callers if w != "the platform's operator" and not (isinstance(w, tuple) and w[0] == "fabregues")]


def _attacks(page: Page, callers, values: dict[str, object]) -> Iterator[tuple[Any, str, str]]:
    """Who asks for the page with the neighbour's identifiers, by which method, at which address.

    Whoever the page is for asks under Juvignac's address, where only the identifier is foreign; one of them asks under
    Fabrègues' as well. Those whom the guard stops have been refused by the matrix already.
    """
    access, juvignac, fabregues = page.access, page.url("juvignac", values), page.url("fabregues", values)
    if access is None:
        return
    if access.kind == "agent":
        may = [w for w in _foreign(callers) if isinstance(w, tuple) and access.lets_in(callers[w].held)]
        senders = may if named_in(page) else may[:1]
        yield from ((who, "get", juvignac) for who in may)
        yield from ((who, "post", juvignac) for who in senders)
        yield from ((who, method, fabregues) for who in may[:1] for method in ("get", "post"))
        return
    people = ["nobody", "a citizen", ("juvignac", "administrateur"), ("juvignac", "maire")]
    # What Fabrègues makes public is everybody's; its files are not, but for those that it published.
    both = access.kind == "open" or "documents.Document" in named_in(page).values()
    for url in [juvignac, fabregues] if both and fabregues != juvignac else [juvignac]:
        yield from ((who, method, url) for who in people for method in ("get", "post"))


def refusing(method: str, answer) -> bool:
    """Missing, forbidden, or an action that leads back to the page where a sentence says why nothing was done."""
    return answer.status_code in {403, 404, 405} or (method == "post" and answer.status_code == 302)


def leaking(pages: list[Page], callers, there: Holdings, *, mark: str = MARK, watched=fingerprint) -> list[str]:
    """Answers that hold the mark, that reach a foreign row, or after which what is ``watched`` is another."""
    leaks, before = [], watched(there)

    def ask(page: Page, attacks, values) -> None:
        with transaction.atomic():
            for who, method, url in attacks:
                cookies = {name: morsel.value for name, morsel in callers[who].cookies.items()}
                with transaction.atomic():
                    answer = getattr(callers[who], method)(url)
                callers[who].cookies.clear()
                callers[who].cookies.load(cookies)
                where = f"{who} {method} {url} -> {answer.status_code}"
                if tells(answer, mark):
                    leaks.append(f"{where}: the answer holds {mark}")
                elif answer.status_code >= 500 and answer.status_code != 503:
                    leaks.append(f"{where}: a fault")
                elif page.access.kind == "agent" and values and not refusing(method, answer):
                    leaks.append(f"{where}: a foreign row was reached")
            changed = watched(there) != before
            transaction.set_rollback(True)
        if changed and len(attacks) > 1:
            for one in attacks:
                ask(page, [one], values)
        elif changed:
            who, method, url = attacks[0]
            leaks.append(f"{who} {method} {url}: a foreign row was changed")

    for page in pages:
        with there.scope():
            values = there.values(page)
        ask(page, list(_attacks(page, callers, values)), bool(named_in(page)))
    return leaks


# Addresses that Fabrègues' own people do not reach with the row alone, and why.
UNREACHED = {
    OUR + "archives/<uuid:pk>/fichiers/<uuid:file>/": "the row is, its file lies in no storage",
    OUR + "journal/<int:seq>/preuve.json": "nothing has sealed the event",
}


def unreached(pages: list[Page], callers, there: Holdings) -> list[str]:
    """Agents' addresses that the neighbour's own people do not reach: their refusal to others would prove nothing."""
    lost = []
    for page in pages:
        if page.access is None or page.access.kind != "agent" or not named_in(page):
            continue
        with there.scope():
            values = there.values(page)
        url = page.url("fabregues", values)
        held = {role: permissions for role, (_, permissions) in ROLES.items()}
        client = next(callers["fabregues", role] for role in held if page.access.lets_in(held[role]))
        with transaction.atomic():
            answer = client.get(url)
            if answer.status_code == 405:
                answer = client.post(url)
            transaction.set_rollback(True)
        reached = answer.status_code not in (400, 403, 404) and answer.status_code < 500
        if reached == (page.address in UNREACHED):
            lost.append(f"{url} -> {answer.status_code}" + (" (now reached: remove it)" if reached else ""))
    return lost


# --- the operations of the API -------------------------------------------------------------------------------
def leaking_operations(pages: list[Page], machine: Client, own_machine: Client, there: Holdings) -> list[str]:
    """Operations that give the neighbour's rows to a machine of Juvignac, or that do not give them to its own."""
    leaks = []
    for page in pages:
        if not page.access or page.access.kind != "api":
            continue
        with there.scope():
            url = page.url(values=there.values(page))
        foreign, own = machine.get(url), own_machine.get(url)
        if tells(foreign) or (named_in(page) and foreign.status_code not in (404, 405)):
            leaks.append(f"a machine of Juvignac get {url} -> {foreign.status_code}: what Fabrègues holds was reached")
        if named_in(page) and own.status_code not in (200, 405):
            leaks.append(f"a machine of Fabrègues get {url} -> {own.status_code}: its own row was not reached")
    return leaks


# --- forms ---------------------------------------------------------------------------------------------------
UUID_SHAPE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def rows_of(holdings: Holdings) -> dict[str, str]:
    """What names a row of the organisation in a form -> its model: every identifier, and the slugs of NAMED."""
    slugs = {named.removesuffix(".slug") for named in NAMED.values() if named.endswith(".slug")}
    found: dict[str, str] = {}
    with holdings.scope():
        for model in apps.get_models():
            if "organisation" in {field.name for field in model._meta.concrete_fields} and model._meta.managed:
                label = model._meta.label
                rows = model._default_manager.filter(organisation=holdings.organisation)
                for attribute in ["pk", "slug"] if label in slugs else ["pk"]:
                    found |= {str(value): label for value in rows.values_list(attribute, flat=True)}
        people = Account.objects.filter(mandates__organisation=holdings.organisation)
        return found | {str(pk): "identity.Account" for pk in people.values_list("pk", flat=True)}


@dataclass(frozen=True)
class Form:
    """One form of a page as a browser would send it, and the fields that name a row: field -> model."""

    method: str
    action: str
    values: dict[str, list[str]]
    names: dict[str, str]
    unknown: tuple[str, ...]


def forms_of(html: bytes, url: str, rows: dict[str, str]) -> list[Form]:
    """The forms of a page; a field names a row when a value that it offers is one of ``rows``."""
    found = []
    for form in lxml.html.fromstring(html).forms:
        values: dict[str, list[str]] = {}
        names: dict[str, str] = {}
        unknown: set[str] = set()
        for field in form.inputs:
            if not field.name or field.name == "csrfmiddlewaretoken":
                continue
            offered = [str(v) for v in getattr(field, "value_options", [])] or [field.get("value") or ""]
            chosen = field.value if not isinstance(field, lxml.html.InputElement) or field.checkable else offered[0]
            chosen = list(chosen) if isinstance(chosen, lxml.html.MultipleSelectOptions) else [chosen]
            values.setdefault(field.name, []).extend(str(v) for v in chosen if v is not None)
            for value in offered:
                # A bare number names somebody only where it is chosen among others, or kept out of sight.
                if value in rows and (not value.isdigit() or len(offered) > 1 or field.get("type") == "hidden"):
                    names[field.name] = rows[value]
                elif UUID_SHAPE.fullmatch(value):
                    unknown.add(field.name)
        action = urljoin(url, form.get("action") or url)
        found.append(Form(form.method.lower(), action, values, names, tuple(sorted(unknown - set(names)))))
    return found


def references(holdings: Holdings, row: models.Model) -> int:
    """How many rows of the organisation refer to ``row``."""
    number = 0
    with holdings.scope():
        for relation in row._meta.get_fields():
            model = getattr(relation, "related_model", None)
            if relation.auto_created and model and "organisation" in {f.name for f in model._meta.concrete_fields}:
                rows = {relation.field.name: row, "organisation": holdings.organisation}
                number += model._default_manager.filter(**rows).count()
    return number


def leaking_forms(pages: list[Page], callers, here: Holdings, there: Holdings) -> tuple[list[str], int]:
    """What happens when the forms of Juvignac's pages name the neighbour's rows; and how many fields were forged."""
    leaks, forged, rows, before = [], set(), rows_of(here), fingerprint(there)
    for page in pages:
        if page.access is None or page.access.kind != "agent":
            continue
        agents = [w for w in callers if isinstance(w, tuple) and w[0] == "juvignac"]
        client = next(callers[w] for w in agents if page.access.lets_in(callers[w].held))
        with here.scope():
            url = page.url("juvignac", here.values(page))
        with undone(client):
            shown = client.get(url)
        if shown.status_code != 200 or b"<form" not in told(shown):
            continue
        for form in forms_of(shown.content, url, rows):
            for field in form.unknown:
                leaks.append(f"{url}: the field {field!r} names a row of no model known: see rows_of in trespassing.py")
            for field, label in form.names.items():
                if (form.action, field) in forged:
                    continue
                forged.add((form.action, field))
                with there.scope():
                    row = there.one(label)
                    value = row.slug if label == "organisations.Role" else row.pk
                where = f"{form.method} {form.action} with {field}={value} ({label} of Fabrègues)"
                with undone(client):
                    answer = getattr(client, form.method)(form.action, form.values | {field: [str(value)]})
                    if tells(answer):
                        leaks.append(f"{where} -> {answer.status_code}: the answer holds what only Fabrègues may read")
                    if answer.status_code >= 500 and answer.status_code != 503:
                        leaks.append(f"{where} -> {answer.status_code}: a fault")
                    if form.method == "post" and fingerprint(there) != before:
                        leaks.append(f"{where} -> {answer.status_code}: a row of Fabrègues was changed")
                    if form.method == "post" and references(here, row):
                        leaks.append(f"{where} -> {answer.status_code}: a row of Juvignac now refers to it")
    return leaks, len(forged)
