"""A commune full of real rows, and which of them each parameter of an address names.

A parameter that no line of ``NAMED`` or ``PLAIN`` knows fails the build: somebody has to say what it names.
"""

import io
import json
import zipfile
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.apps import apps
from django.db import connection, models
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from procrastinate.contrib.django.models import ProcrastinateJob

from parvis.core import clock
from parvis.core.documents.services import publish, store
from parvis.core.identity.models import Account
from parvis.core.journal.services import SYSTEM, record
from parvis.core.organisations.tenancy import Scope, in_scope
from parvis.core.provider import services as provider
from parvis.edemat.actes.enums import Delivery, Status, TransactionKind
from parvis.edemat.actes.models import Transaction
from parvis.edemat.seances.services import create_organe
from tests.core.identity.declared import ORG
from tests.core.identity.matrix import PARAMETER, Page
from tests.core.provider.party import registration

MARK = "ZZVOISIN"
"""In every text, name, address and file of the neighbour: whoever reads it in an answer has found a leak."""

OUR = f"o/{ORG}/"
PUBLIC = f"p/{ORG}/"
ADMINISTRATION = OUR + "administration/"

# An address up to its parameter -> the model that it names, and the attribute (``pk`` when not said), or an attribute
# of ``Holdings``.
NAMED: dict[str, str] = {
    OUR + "seances/<uuid:pk>": "seances.Seance",
    OUR + "seances/points/<uuid:pk>": "seances.Point",
    OUR + "seances/annexes/<uuid:pk>": "seances.Annexe",
    OUR + "seances/convocations/<uuid:pk>": "seances.Convocation",
    OUR + "seances/deliberations/<uuid:pk>": "seances.Deliberation",
    OUR + "seances/assemblees/<uuid:pk>": "seances.Organe",
    OUR + "seances/membres/<uuid:pk>": "seances.Elu",
    OUR + "seances/avis/<uuid:pk>": "seances.Avis",
    OUR + "parapheur/<uuid:pk>": "parapheur.Dossier",
    OUR + "actes/<uuid:pk>": "actes.Acte",
    OUR + "actes/banette/<uuid:pk>": "actes.InboundMessage",
    OUR + "actes/envois-incertains/<uuid:pk>": "uncertain",
    OUR + "actes/courriers/<uuid:pk>": "letter",
    OUR + "actes/reponses/<uuid:pk>": "answer",
    OUR + "archives/<uuid:pk>": "archives.Transfer",
    OUR + "archives/<uuid:pk>/fichiers/<uuid:file>": "archives.ArchiveFile",
    OUR + "donnees/<slug:slug>": "opendata.Dataset.slug",
    OUR + "cheminements/etapes/<uuid:pk>": "routing.RouteStep",
    OUR + "documents/<uuid:pk>": "documents.Document",
    OUR + "documents/fichiers-infectes/<uuid:pk>": "routing.Task.subject_id",
    OUR + "journal/<int:seq>": "journal.Entry.seq",
    OUR + "journal/<slug:kind>": "journal.Entry.subject_kind",
    OUR + "journal/<slug:kind>/<str:identifier>": "journal.Entry.subject_id",
    OUR + "travaux/<int:job_id>": "procrastinate.ProcrastinateJob",
    ADMINISTRATION + "annonces/<uuid:pk>": "portal.Announcement",
    ADMINISTRATION + "certificats/<uuid:pk>": "trust.Certificate",
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
    PUBLIC + "seances/<uuid:pk>": "seances.Liste",
    PUBLIC + "documents/<uuid:pk>": "documents.Document",
    PUBLIC + "charte/<str:sha256>": "branding.BrandingVersion.logo.sha256",
    "o/<slug:slug>": "organisations.Organisation.slug",
    "annonces/<uuid:pk>": "portal.Announcement",
    "mon-compte/donnees/<uuid:pk>": "identity.AccountExport",
    "mon-compte/entreprises/<uuid:pk>": "entities.EntityRole",
    "identite/logos/<str:client_id>": "provider.Service.client_id",
    "identite/services-relies/<str:client_id>": "provider.Service.client_id",
    "saml/accord/<uuid:site_id>": "saml.SamlSite",
    "invitation/<slug:organisation>": "organisations.Organisation.slug",
    "theme/<slug:name>": "organisations.Organisation.slug",
    "compte/mfa/webauthn/keys/<int:pk>": "mfa.Authenticator",
    # The platform's own pages: they are nobody else's, whatever they name.
    "plateforme/saml/<uuid:pk>": "saml.SamlSite",
    "plateforme/annuaires/<uuid:pk>": "federation.Directory",
    "plateforme/doublons/<uuid:pk>": "identity.Namesake",
    "plateforme/second-facteur/<uuid:pk>": "authentication.FactorReset",
    "plateforme/second-facteur/organisations/<slug:slug>": "organisations.Organisation.slug",
    "plateforme/second-facteur/exploitants/<int:pk>": "operator",
    "plateforme/second-facteur/exploitants/<uuid:pk>": "authentication.OperatorReset",
    "plateforme/travaux/<int:job_id>": "platform_job",
    "plateforme/usagers/<int:pk>": "citizen",
    "plateforme/organisations/<slug:slug>": "organisations.Organisation.slug",
    "plateforme/organisations/<slug:slug>/administration/<uuid:pk>": "organisations.Invitation",
    "plateforme/organisations/<slug:slug>/adhesions/<int:pk>": "organisations.Subscription",
    "plateforme/exploitants/<uuid:pk>": "organisations.OperatorGrant",
    "plateforme/exploitants/<int:pk>": "operator",
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
    "mon-compte/donnees/<uuid:pk>/<slug:name>": "compte",
    "page": 1,
    "sample": "accueil",
    "provider": "franceconnect",
    "identite/logos/<str:client_id>/<str:sha256>": "0" * 64,
    "token": "exemple",  # of a message or a session: tried wrong, for the right one is its own proof
    "aide/<slug:slug>": "connexion",
}


# --- factories -----------------------------------------------------------------------------------------------
def a_zip(name: str, text: str) -> bytes:
    """One file, readable in the archive."""
    with zipfile.ZipFile(target := io.BytesIO(), "w") as archive:
        archive.writestr(name, text)
    return target.getvalue()


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

    def __init__(self, organisation, mark: str, *, member: Account | None = None) -> None:
        self.organisation, self.mark = organisation, mark
        self.rows: dict[str, models.Model] = {}
        self.account = self._person("", Account.Population.AGENT)
        self.citizen = self._person("-usager", Account.Population.USAGER)
        self.operator = self._person("-exploitant", Account.Population.EXPLOITATION)
        Account.objects.filter(pk=self.operator.pk).update(is_platform_administrator=True)
        self.member = member or self.account  # who is convened to its meetings

    def _person(self, suffix: str, population: str) -> Account:
        address = f"{self.mark.lower()}{suffix}@{self.organisation.slug}.test"
        return Account.objects.create_user(address, given_name=self.mark, family_name=self.mark, population=population)

    def everything(self) -> None:
        """Make a row for every line of ``NAMED``."""
        with self.scope():
            for named in NAMED.values():
                self.value(named)

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
        """What ``NAMED`` says: "actes.Acte", "opendata.Dataset.slug", or an attribute of this class: "citizen"."""
        if "." not in named:
            return getattr(self, named).pk
        app, model, *attributes = named.split(".")
        found = self.one(f"{app}.{model}")
        for attribute in attributes or ["pk"]:
            found = getattr(found, attribute)
        return found

    def values(self, page: Page) -> dict[str, object]:
        """A value for every parameter of the address, but the organisation."""
        return {name: self.value(named) for name, named in named_in(page).items()} | plain_in(page)

    # --- rows described by their columns
    def _filled(self, label: str, **more: Any) -> models.Model:
        model, given = apps.get_model(label), self._given(label) | more
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
            # Its slug may be told back to whoever sends it; its label says more.
            "organisations.Role": {"permissions": ["actes.lire"], "slug": f"role-{self.organisation.slug}"},
            "organisations.Invitation": {"role": "lecteur"},
            "organisations.PeopleImport": {"encoding": "utf-8"},
            "organisations.OperatorGrant": {"proposed_by": self.citizen},
            "identity.Mandate": {"account": self.account, "role": "lecteur"},
            "identity.Namesake": {"first": self.account, "second": self.citizen},
            "identity.AccountExport": {
                "account": self.account, "done": 1, "total": 1, "ready_at": at, "expires_at": at + timedelta(days=1),
                "archives": [{"name": "compte", "label": mark, "sha256": ""}], "archive": a_zip("compte.zip", mark),
            },
            "entities.EntityRole": {"account": self.account, "number": "73282932000074", "kind": "entreprise"},
            "routing.Task": {"subject_kind": "fichier_infecte", "path": "/"},
            "seances.Avis": {"state": "a_porter", "sequence": 1},
            "authentication.FactorReset": {"account": self.account, "asked_by": self.citizen},
            "authentication.OperatorReset": {"account": self.account, "asked_by": self.citizen},
            "federation.DeclaredDomain": {"domain": f"{mark.lower()}.test"},
            "portal.HostName": {"host": f"{mark.lower()}.test"},
            "branding.BrandingVersion": {
                "accent": "#7a2e5d", "accent_2": "#d9a441", "state": "brouillon", "number": 900,
            },
            "opendata.Dataset": {"slug": "deliberations"},
            "mfa.Authenticator": {"user": self.account, "type": "webauthn", "data": {"name": mark}},
            "seances.Elu": {"email": self.account.email, "account": self.member},
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

    @cached_property
    def uncertain(self) -> Transaction:
        """A sending of the act whose end nobody knows."""
        return self._exchange(TransactionKind.ACTE, Status.EN_ATTENTE, delivery=Delivery.INCERTAINE)

    @cached_property
    def letter(self) -> Transaction:
        """What the préfecture wrote about the act, and waits for an answer."""
        return self._exchange(TransactionKind.COURRIER_SIMPLE, Status.DOCUMENT_SANS_AR, letter_text=self.mark)

    @cached_property
    def answer(self) -> Transaction:
        """An answer that is prepared and has not left."""
        return self._exchange(TransactionKind.REPONSE_COURRIER, Status.POSTE, related=self.letter)

    @cached_property
    def platform_job(self) -> ProcrastinateJob:
        """A failed job that no organisation owns."""
        return self._failed_job("identity.notify", {})

    def _exchange(self, kind: str, status: int, **more: Any) -> Transaction:
        found = {"organisation": self.organisation, "acte": self.one("actes.Acte"), "created_at": clock.now()}
        return Transaction.objects.create(kind=kind, status=status, **found, **more)

    def make_seances_organe(self):
        return create_organe(self.organisation, name=self.mark, since=date(2014, 3, 30), actor=SYSTEM)

    def make_seances_deliberation(self):
        self.one("seances.Scrutin")
        return self._filled("seances.Deliberation")

    def make_documents_document(self):
        return store(self.organisation, a_pdf(self.mark), f"{self.mark}.pdf", label=self.mark)

    def make_actes_publication(self):
        return self._filled("actes.Publication", document=self._online("acte"))

    def make_seances_liste(self):
        return self._filled("seances.Liste", document=self._online("liste"))

    def _online(self, what: str):
        """A file of its own that everybody reads: the one that the other rows share stays private."""
        document = store(self.organisation, a_pdf(f"{self.mark} {what}"), f"{self.mark}.pdf")
        publish(document, actor=SYSTEM)
        return document

    def make_trust_certificate(self):
        """Self-signed: its page reads it."""
        key, at = ec.generate_private_key(ec.SECP256R1()), clock.now()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.mark)])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        signed = builder.not_valid_before(at).not_valid_after(at + timedelta(days=90)).sign(key, SHA256())
        pem = signed.public_bytes(Encoding.PEM).decode()
        return self._filled("trust.Certificate", pem=pem, not_before=at, not_after=at + timedelta(days=90))

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
        return self._failed_job(self.mark, {"organisation_id": self.organisation.pk})

    def _failed_job(self, task: str, arguments: dict[str, Any]) -> ProcrastinateJob:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)"
                " VALUES ('actes', %s, 'failed', %s) RETURNING id",
                [task, json.dumps(arguments)],
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
                    f"/{page.address}: say what <{name}> names, in tests/core/identity/holdings.py:\n"
                    f'    {stem!r}: "app.Model",   in NAMED (or an example in PLAIN when it names no row)'
                )
    faults += [f"{line!r} of NAMED or PLAIN serves no address: remove it" for line in {*NAMED, *PLAIN} - used]
    return faults
