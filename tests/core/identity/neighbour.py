"""A commune full of real rows, and which of them each parameter of an address names.

``test_neighbours`` calls every address with what Fabrègues holds, in the name of everybody of Juvignac. A parameter
that no line of ``NAMED`` or ``PLAIN`` knows fails the build: somebody has to say what it names.
"""

import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from urllib.parse import urljoin
from zipfile import BadZipFile, ZipFile

import lxml.html
import pikepdf
from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from procrastinate.contrib.django.models import ProcrastinateJob

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.identity.models import Account
from parvis.core.identity.roles import ROLES
from parvis.core.journal.services import SYSTEM, record
from parvis.core.organisations.tenancy import Scope, in_scope
from parvis.core.provider import services as provider
from parvis.edemat.actes.models import Delivery, Status, Transaction
from parvis.edemat.seances.services import create_organe
from tests.core.identity.declared import ORG
from tests.core.identity.matrix import PARAMETER, Page, undone
from tests.core.provider.party import registration

MARK = "ZZVOISIN"
"""In every text, name, address and file of the neighbour: whoever reads it in an answer has found a leak."""

OUR = f"o/{ORG}/"
PUBLIC = f"p/{ORG}/"
ADMINISTRATION = OUR + "administration/"

# An address up to its parameter -> the model that it names, and the attribute (``pk`` when not said).
# The longest line that begins the address wins; a new one needs no other code when the model has a factory below.
NAMED: dict[str, str] = {
    OUR + "seances/<uuid:pk>": "seances.Seance",
    OUR + "seances/points/<uuid:pk>": "seances.Point",
    OUR + "seances/convocations/<uuid:pk>": "seances.Convocation",
    OUR + "seances/deliberations/<uuid:pk>": "seances.Deliberation",
    OUR + "seances/assemblees/<uuid:pk>": "seances.Organe",
    OUR + "seances/membres/<uuid:pk>": "seances.Elu",
    OUR + "parapheur/<uuid:pk>": "parapheur.Dossier",
    OUR + "actes/<uuid:pk>": "actes.Acte",
    OUR + "actes/banette/<uuid:pk>": "actes.InboundMessage",
    OUR + "archives/<uuid:pk>": "archives.Transfer",
    OUR + "archives/<uuid:pk>/fichiers/<uuid:file>": "archives.ArchiveFile",
    OUR + "donnees/<slug:slug>": "opendata.Dataset.slug",
    OUR + "cheminements/etapes/<uuid:pk>": "routing.RouteStep",
    OUR + "documents/<uuid:pk>": "documents.Document",
    OUR + "journal/<int:seq>": "journal.Entry.seq",
    OUR + "journal/<slug:kind>": "journal.Entry.subject_kind",
    OUR + "journal/<slug:kind>/<str:identifier>": "journal.Entry.subject_id",
    OUR + "travaux/<int:job_id>": "procrastinate.ProcrastinateJob",
    ADMINISTRATION + "annonces/<uuid:pk>": "portal.Announcement",
    ADMINISTRATION + "charte/<uuid:pk>": "branding.BrandingVersion",
    ADMINISTRATION + "charte/images/<str:sha256>": "branding.BrandingVersion.logo.sha256",
    ADMINISTRATION + "services-relies/<uuid:pk>": "provider.Service",
    ADMINISTRATION + "saml/<uuid:pk>": "saml.SamlSite",
    ADMINISTRATION + "api/<uuid:pk>": "api.ApiAccount",
    ADMINISTRATION + "activations/<uuid:pk>": "federation.ActivationRequest",
    ADMINISTRATION + "activations/domaines/<uuid:pk>": "federation.DeclaredDomain",
    ADMINISTRATION + "comptes/<int:pk>": "identity.Account",
    ADMINISTRATION + "comptes/doublons/<uuid:pk>": "identity.Namesake",
    ADMINISTRATION + "second-facteur/<int:pk>": "identity.Account",
    ADMINISTRATION + "second-facteur/demandes/<uuid:pk>": "authentication.FactorReset",
    ADMINISTRATION + "personnes/invitations/<uuid:pk>": "organisations.Invitation",
    ADMINISTRATION + "personnes/imports/<uuid:pk>": "organisations.PeopleImport",
    ADMINISTRATION + "personnes/<int:pk>": "identity.Account",
    ADMINISTRATION + "personnes/<uuid:pk>": "identity.Mandate",
    ADMINISTRATION + "roles/<slug:code>": "organisations.Role.slug",
    ADMINISTRATION + "services/<uuid:pk>": "organisations.Department",
    ADMINISTRATION + "revues/<uuid:pk>": "organisations.Review",
    ADMINISTRATION + "revues/<uuid:pk>/<uuid:line_pk>": "organisations.ReviewLine",
    PUBLIC + "actes/<uuid:pk>": "actes.Publication",
    PUBLIC + "actes/verification/<str:unique_id>": "actes.Publication.unique_id",
    PUBLIC + "documents/<uuid:pk>": "documents.Document",
    PUBLIC + "charte/<str:sha256>": "branding.BrandingVersion.logo.sha256",
    "o/<slug:slug>": "organisations.Organisation.slug",
    "annonces/<uuid:pk>": "portal.Announcement",
    "mon-compte/donnees/<uuid:pk>": "identity.AccountExport",
    "identite/services-relies/<str:client_id>": "provider.Service.client_id",
    "invitation/<slug:organisation>": "organisations.Organisation.slug",
    "theme/<slug:name>": "organisations.Organisation.slug",
    "compte/mfa/webauthn/keys/<int:pk>": "mfa.Authenticator",
    # The platform's own pages: they are nobody else's, whatever they name.
    "plateforme/saml/<uuid:pk>": "saml.SamlSite",
    "plateforme/doublons/<uuid:pk>": "identity.Namesake",
    "plateforme/second-facteur/<uuid:pk>": "authentication.FactorReset",
    "plateforme/organisations/<slug:slug>": "organisations.Organisation.slug",
    "plateforme/organisations/<slug:slug>/adhesions/<int:pk>": "organisations.Subscription",
    "plateforme/exploitants/<uuid:pk>": "organisations.OperatorGrant",
    "plateforme/exploitants/<int:pk>": "identity.Account",
    "plateforme/noms-de-domaine/<int:pk>": "portal.HostName",
    "identite/approbations/<int:organisation>": "organisations.Organisation",
    "identite/approbations/<int:organisation>/<uuid:pk>": "provider.Service",
    # The API.
    "api/v1/actes/<uuidstr:pk>": "actes.Acte",
    "api/v1/donnees/<slug:identifiant>": "opendata.Dataset.slug",
}

# Parameters that name no row: an address up to its parameter, or its name alone wherever it stands -> an example.
PLAIN: dict[str, object] = {
    "extension": "csv",
    ADMINISTRATION + "charte/images/<str:sha256>.<str:extension>": "png",
    PUBLIC + "charte/<str:sha256>.<str:extension>": "png",
    "page": 1,
    "sample": "accueil",
    "provider": "franceconnect",
    "token": "exemple",  # of a message or a session: tried wrong, for the right one is its own proof
    "aide/<slug:slug>": "accueil",
}


class Unknown(LookupError):
    """A parameter that nobody has said the meaning of."""


# --- factories -----------------------------------------------------------------------------------------------
def a_pdf(text: str) -> bytes:
    """One blank page whose title, readable in the file, is ``text``."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.docinfo["/Title"] = text
    pdf.save(target := io.BytesIO(), static_id=True)
    return target.getvalue()


class Holdings:
    """One row of each model asked for, in one organisation, all bearing ``mark``; made when first named.

    A model that its required columns do not describe gets a line in ``_given``; one that is made by a service, a
    method ``make_<app>_<model>``.
    """

    def __init__(self, organisation, mark: str) -> None:
        self.organisation, self.mark = organisation, mark
        self.rows: dict[str, models.Model] = {}
        self.account = Account.objects.create_user(
            f"{mark.lower()}@{organisation.slug}.test", given_name=mark, family_name=mark
        )
        self.other = Account.objects.create_user(
            f"{mark.lower()}-2@{organisation.slug}.test", given_name=mark, family_name=mark
        )

    def scope(self):
        """Sees what the organisation and its first person own."""
        return in_scope(Scope((self.organisation.pk,), account=self.account.pk))

    def one(self, label: str) -> Any:
        """The row of the model ``label`` ("actes.Acte")."""
        if label not in self.rows:
            maker = getattr(self, "make_" + label.replace(".", "_").lower(), None)
            self.rows[label] = maker() if maker else self._filled(label)
        return self.rows[label]

    def value(self, named: str) -> object:
        """What ``NAMED`` says: "actes.Acte", or "opendata.Dataset.slug"."""
        app, model, *attributes = named.split(".")
        found = self.one(f"{app}.{model}")
        for attribute in attributes or ["pk"]:
            found = getattr(found, attribute)
        return found

    def values(self, page: Page) -> dict[str, object]:
        """A value for every parameter of the address, but the organisation."""
        return {name: self.value(named) for name, named in named_in(page).items()} | plain_in(page)

    # --- rows described by their columns
    def _filled(self, label: str) -> models.Model:
        model, given = apps.get_model(label), self._given(label)
        for field in model._meta.concrete_fields:
            blank = field.null or field.has_default() or field.primary_key or getattr(field, "auto_now_add", False)
            blank = blank or (field.blank and field.empty_strings_allowed)
            if field.name not in given and field.attname not in given and not blank:
                given[field.name] = self._fit(field)
        return model._default_manager.create(**given)

    def _fit(self, field: models.Field) -> Any:
        if field.is_relation:
            return self.one(field.related_model._meta.label)
        if field.choices:
            return field.choices[0][0]
        kinds: list[tuple[type, Any]] = [
            (models.EmailField, f"{self.mark.lower()}@{self.organisation.slug}.test"),
            (models.URLField, f"https://{self.mark.lower()}.test/"),
            (models.SlugField, self.mark.lower()),
            (models.DateTimeField, clock.now()),
            (models.DateField, date(2019, 7, 1)),
            (models.BooleanField, False),
            (models.FloatField, 1.0),
            (models.IntegerField, 1),
            (models.BinaryField, self.mark.encode()),
            (models.JSONField, {}),
            (models.UUIDField, "0197c0de-0000-7000-8000-000000000001"),
        ]
        for kind, value in kinds:
            if isinstance(field, kind):
                return value
        return self.mark[: field.max_length]

    def _given(self, label: str) -> dict[str, Any]:
        """Columns whose value the kind of the column does not tell, or that a page needs to show the row."""
        at, mark = clock.now(), self.mark
        described: dict[str, Any] = {
            "organisations.Subscription": {"application": "marches"},
            "organisations.Role": {"permissions": ["actes.lire"]},
            "organisations.Invitation": {"role": "lecteur"},
            "organisations.PeopleImport": {"encoding": "utf-8"},
            "organisations.OperatorGrant": {"proposed_by": self.other},
            "identity.Mandate": {"account": self.account, "role": "lecteur"},
            "identity.Namesake": {"first": self.account, "second": self.other},
            "identity.AccountExport": {
                "account": self.account, "done": 1, "total": 1, "ready_at": at, "expires_at": at + timedelta(days=1),
                "archive": mark.encode(),
            },
            "authentication.FactorReset": {"account": self.account, "asked_by": self.other},
            "federation.DeclaredDomain": {"domain": f"{mark.lower()}.test"},
            "portal.HostName": {"host": f"{mark.lower()}.test"},
            "branding.BrandingVersion": {"accent": "#7a2e5d", "accent_2": "#d9a441", "state": "brouillon"},
            "mfa.Authenticator": {"user": self.account, "type": "webauthn", "data": {"name": mark}},
            "seances.Elu": {"email": self.account.email, "account": self._maire()},
            "seances.Convocation": {"sent_at": at},
            "seances.Scrutin": {"mode": "sans_vote", "presents": 1, "pouvoirs": 1, "votants": 2},
            "actes.Acte": {
                "numero": mark, "numero_actes": mark, "nature": "1", "objet": mark, "matiere": "5.7",
                "type_piece": "99_DE",
            },
            "actes.Publication": {"unique_id": "034-213400955-20190701-19_07_01-DE", "author_name": mark},
        }  # fmt: skip
        if label == "branding.BrandingVersion":
            return {**described[label], "logo": self._picture()}
        if label == "routing.RouteStep":
            return {"code": "opendata.deliberations", "state": "refused"}
        return dict(described.get(label, {}))

    def _picture(self):
        image, told = Image.new("RGB", (8, 8)), PngInfo()
        told.add_text("Title", self.mark)
        image.save(target := io.BytesIO(), "PNG", pnginfo=told)
        found = store(
            self.organisation, target.getvalue(), f"{self.mark}.png", derivation="charte-logo", label=self.mark
        )
        found.health = {"pixels": [8, 8]}
        found.save(update_fields=["health"])
        return found

    # --- rows with a factory
    def make_organisations_organisation(self):
        return self.organisation

    def make_identity_account(self):
        self.one("identity.Mandate")
        return self.account

    def make_actes_acte(self):
        """An act whose sending nobody knows the end of."""
        acte = self._filled("actes.Acte")
        Transaction.objects.create(
            organisation=self.organisation, acte=acte, kind="1", created_at=clock.now(),
            delivery=Delivery.INCERTAINE, status=Status.EN_ATTENTE,
        )  # fmt: skip
        return acte

    def make_seances_organe(self):
        return create_organe(self.organisation, name=self.mark, since=date(2014, 3, 30), actor=SYSTEM)

    def make_seances_deliberation(self):
        self.one("seances.Scrutin")
        return self._filled("seances.Deliberation")

    def _maire(self):
        """The maire of the organisation where the test has one: whoever sits reads their own convocation."""
        return Account.objects.filter(email=f"maire@{self.organisation.slug}.test").first() or self.account

    def make_documents_document(self):
        return store(self.organisation, a_pdf(self.mark), f"{self.mark}.pdf", label=self.mark)

    def make_provider_service(self):
        values = registration(name=self.mark, description=self.mark, home_url=f"https://{self.mark.lower()}.test/")
        return provider.propose(self.organisation, values, actor=SYSTEM)

    def make_journal_entry(self):
        """Far enough in the journal for no other organisation to have the same number."""
        acte = self.one("actes.Acte")
        for _ in range(60):
            found = record(self.organisation, "acte.prepare", subject=("acte", acte.pk), actor=SYSTEM,
                           details={"objet": self.mark})  # fmt: skip
        return found

    def make_procrastinate_procrastinatejob(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)"
                " VALUES ('actes', %s, 'failed', %s) RETURNING id",
                [self.mark, json.dumps({"organisation_id": self.organisation.pk})],
            )
            return ProcrastinateJob.objects.get(pk=cursor.fetchone()[0])


# --- what an address names -----------------------------------------------------------------------------------
def _parameters(page: Page) -> list[tuple[str, str]]:
    """(name, address up to the parameter) of every parameter but the organisation."""
    return [
        (match.group(1).rpartition(":")[2], page.address[: match.end()])
        for match in PARAMETER.finditer(page.address)
        if match.group(1) != "slug:organisation_slug" and "(?P" not in page.address
    ]


def _plain(name: str, stem: str) -> object | None:
    return PLAIN.get(stem, PLAIN.get(name) if stem not in NAMED else None)


def named_in(page: Page) -> dict[str, str]:
    """The model that each parameter of the address names."""
    return {name: NAMED[stem] for name, stem in _parameters(page) if stem in NAMED}


def plain_in(page: Page) -> dict[str, object]:
    """An example for each parameter that names no row."""
    found = {name: _plain(name, stem) for name, stem in _parameters(page)}
    return {name: value for name, value in found.items() if value is not None}


def unknown_parameters(pages: list[Page]) -> list[str]:
    """Parameters that nobody has said the meaning of, models that are gone, and lines that serve no more."""
    faults, used = [], set()
    for page in pages:
        for name, stem in _parameters(page):
            used.add(stem if stem in NAMED or stem in PLAIN else name)
            if stem not in NAMED and _plain(name, stem) is None:
                faults.append(
                    f"/{page.address}: say what <{name}> names, in tests/core/identity/neighbour.py:\n"
                    f'    {stem!r}: "app.Model",   in NAMED (or an example in PLAIN when it names no row)'
                )
    faults += [f"{line!r} of NAMED or PLAIN serves no address: remove it" for line in {*NAMED, *PLAIN} - used]
    return faults


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
    return {"organisation": holdings.organisation.pk, "accounts": [holdings.account.pk, holdings.other.pk]}


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
    for url in dict.fromkeys((juvignac, *([fabregues] if access.kind == "open" else []))):
        yield from ((who, method, url) for who in people for method in ("get", "post"))


def refusing(method: str, answer) -> bool:
    """Missing, forbidden, or an action that leads back to the page where a sentence says why nothing was done."""
    return answer.status_code in {403, 404, 405} or (method == "post" and answer.status_code == 302)


def leaking(pages: list[Page], callers, there: Holdings) -> list[str]:
    """Answers that hold the mark, that reach a foreign row, or after which a row of the neighbour is another."""
    leaks, before = [], fingerprint(there)

    def ask(page: Page, attacks, values) -> None:
        with transaction.atomic():
            for who, method, url in attacks:
                cookies = {name: morsel.value for name, morsel in callers[who].cookies.items()}
                with transaction.atomic():
                    answer = getattr(callers[who], method)(url)
                callers[who].cookies.clear()
                callers[who].cookies.load(cookies)
                where = f"{who} {method} {url} -> {answer.status_code}"
                if tells(answer, there.mark):
                    leaks.append(f"{where}: the answer holds what only Fabrègues may read")
                elif answer.status_code >= 500 and answer.status_code != 503:
                    leaks.append(f"{where}: a fault")
                elif page.access.kind == "agent" and values and not refusing(method, answer):
                    leaks.append(f"{where}: a row of Fabrègues was reached")
            changed = fingerprint(there) != before
            transaction.set_rollback(True)
        if changed and len(attacks) > 1:
            for one in attacks:
                ask(page, [one], values)
        elif changed:
            who, method, url = attacks[0]
            leaks.append(f"{who} {method} {url}: a row of Fabrègues was changed")

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
    attributes: dict[str, set[str]] = {}
    for named in NAMED.values():
        app, model, *rest = named.split(".")
        attributes.setdefault(f"{app}.{model}", set()).update(a for a in rest if a in ("slug", "seq"))
    found: dict[str, str] = {}
    with holdings.scope():
        for model in apps.get_models():
            if "organisation" in {field.name for field in model._meta.concrete_fields} and model._meta.managed:
                label = model._meta.label
                rows = model._default_manager.filter(organisation=holdings.organisation)
                for attribute in {"pk", *(a for a in attributes.get(label, ()) if a == "slug")}:
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
                leaks.append(f"{url}: the field {field!r} names a row of no model known: see rows_of in neighbour.py")
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
