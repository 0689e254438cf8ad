"""Archives: agreements, transfers and their controls, archived objects and the registers nobody edits.

What is written about an archived object is append-only in the database itself (migration 0001): a transfer
moves through its states, but controls, objects, files, writings, events and register lines never change.
"""

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from parvis.core.ids import uuid7
from parvis.core.organisations.models import TenantModel
from parvis.edemat.archives.enums import DEAD, Origin, Outcome, State
from parvis.edemat.archives.formats.findings import CONTROL_LABELS, Control
from parvis.edemat.archives.formats.seda import REPLY_CODES


class Agency(TenantModel):
    """A service named in transfers: it keeps archives (SA), hands them over (SV) or produced them (SP)."""

    identifier = models.CharField("identifiant", max_length=100)
    name = models.CharField("nom", max_length=200)
    archival = models.BooleanField("service d’archives", default=False)
    transferring = models.BooleanField("service versant", default=False)
    originating = models.BooleanField("service producteur", default=False)
    since = models.DateField("actif depuis", null=True, blank=True)
    until = models.DateField("actif jusqu’au", null=True, blank=True)

    class Meta:
        verbose_name = "acteur"
        ordering = ["identifier"]
        constraints = [models.UniqueConstraint(fields=["organisation", "identifier"], name="archive_agency_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.identifier})"

    @property
    def kinds(self) -> frozenset[str]:
        """SA, SV and SP as they apply."""
        held = {"SA": self.archival, "SV": self.transferring, "SP": self.originating}
        return frozenset(kind for kind, applies in held.items() if applies)


class Accord(TenantModel):
    """An « accord de versement »: what may be transferred, by whom, how. An empty list allows all."""

    identifier = models.CharField("identifiant", max_length=100)
    title = models.CharField("intitulé", max_length=200)
    active = models.BooleanField("ouvert", default=True)
    since = models.DateField("depuis le", null=True, blank=True)
    until = models.DateField("jusqu’au", null=True, blank=True)
    archival_agency = models.ForeignKey(Agency, models.PROTECT, related_name="+", verbose_name="service d’archives")
    transferring_agencies = models.JSONField("services versants", default=list, blank=True)
    originating_agencies = models.JSONField("services producteurs", default=list, blank=True)
    profiles = models.JSONField("profils admis", default=list, blank=True)
    formats = models.JSONField("formats admis (PUID)", default=list, blank=True)
    algorithms = models.JSONField("empreintes admises", default=list, blank=True)
    max_bytes = models.BigIntegerField("volume maximal d’un versement (octets)", null=True, blank=True)
    max_object_bytes = models.BigIntegerField("taille maximale d’un fichier (octets)", null=True, blank=True)
    refuse_unknown_formats = models.BooleanField("formats non reconnus refusés", default=False)
    antivirus_required = models.BooleanField("recherche de virus exigée", default=True)
    auto_accept = models.BooleanField("acceptation automatique", default=True)

    class Meta:
        verbose_name = "accord de versement"
        ordering = ["identifier"]
        constraints = [models.UniqueConstraint(fields=["organisation", "identifier"], name="archive_accord_once")]

    def __str__(self) -> str:
        return f"{self.title} ({self.identifier})"


class TransferQuerySet(models.QuerySet["Transfer"]):
    def alive(self) -> "TransferQuerySet":
        """Transfers whose identifier is taken: neither refused nor cancelled."""
        return self.exclude(state__in=DEAD)


class Transfer(TenantModel):
    """A package handed over to the archives, from its deposit to the reply."""

    origin = models.CharField("origine", max_length=12, choices=Origin.choices)
    state = FSMField("état", choices=State.choices, default=State.DEPOSE, protected=True)
    accord = models.ForeignKey(Accord, models.PROTECT, null=True, related_name="+", verbose_name="accord")
    identifier = models.CharField("identifiant du message", max_length=300, blank=True)
    title = models.CharField("objet", max_length=1000, blank=True)
    transferring_agency = models.CharField("service versant", max_length=100, blank=True)
    originating_agency = models.CharField("service producteur", max_length=100, blank=True)
    seda_version = models.CharField("version du SEDA", max_length=5, blank=True)
    package = models.ForeignKey("documents.Document", models.PROTECT, related_name="+", verbose_name="paquet")
    message = models.ForeignKey(
        "documents.Document", models.PROTECT, null=True, related_name="+", verbose_name="bordereau"
    )
    observations = models.ForeignKey(
        "documents.Document", models.PROTECT, null=True, related_name="+", verbose_name="formats reconnus"
    )
    acknowledgement = models.ForeignKey(
        "documents.Document", models.PROTECT, null=True, related_name="+", verbose_name="accusé de réception"
    )
    reply = models.ForeignKey(
        "documents.Document", models.PROTECT, null=True, related_name="+", verbose_name="réponse au transfert"
    )
    reply_code = models.CharField("code de réponse", max_length=3, blank=True)
    route_step = models.ForeignKey(
        "routing.RouteStep", models.PROTECT, null=True, related_name="+", verbose_name="étape du cheminement"
    )
    depositor = models.ForeignKey(
        "identity.Account", models.PROTECT, null=True, related_name="+", verbose_name="déposant"
    )
    deposited_at = models.DateTimeField("déposé le")
    controlled_at = models.DateTimeField("contrôlé le", null=True)
    accepted_at = models.DateTimeField("accepté le", null=True)
    archived_at = models.DateTimeField("archivé le", null=True)
    units = models.PositiveIntegerField("unités", default=0)
    objects_count = models.PositiveIntegerField("fichiers", default=0)
    size = models.BigIntegerField("volume en octets", default=0)
    done_bytes = models.BigIntegerField("octets contrôlés", default=0)
    todo_bytes = models.BigIntegerField("octets à contrôler", default=0)
    incident = models.CharField("incident", max_length=300, blank=True)
    aip = models.UUIDField("identifiant de l’archive", default=uuid7, editable=False)

    objects = TransferQuerySet.as_manager()

    class Meta:
        verbose_name = "versement"
        indexes = [
            models.Index(fields=["organisation", "-deposited_at", "-id"], name="archive_transfer_recent"),
            models.Index(fields=["organisation", "state", "-deposited_at", "-id"], name="archive_transfer_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "transferring_agency", "identifier"],
                condition=~Q(identifier="") & ~Q(state__in=[str(s) for s in DEAD]),
                name="archive_transfer_identifier",
            ),
            models.UniqueConstraint(
                fields=["route_step"],
                condition=Q(route_step__isnull=False) & ~Q(state__in=[str(s) for s in DEAD]),
                name="archive_transfer_one_per_step",
            ),
            models.UniqueConstraint(fields=["organisation", "aip"], name="archive_transfer_aip"),
        ]

    def __str__(self) -> str:
        return self.title or self.identifier or self.package.filename

    @property
    def ocfl_id(self) -> str:
        """Identifier of the archived object."""
        return f"urn:parvis:{self.organisation.siren}:{self.aip}"

    def last_controls(self) -> "models.QuerySet[ControlResult]":
        """The lines of the last series of controls; a transfer put back to work has several."""
        controls = self.controls.all()
        return controls.filter(made_at=self.controlled_at) if self.controlled_at else controls.none()

    @property
    def reply_label(self) -> str:
        return REPLY_CODES.get(self.reply_code, "")

    @property
    def refused(self) -> bool:
        return self.state in (State.NON_CONFORME, State.REFUSE)

    @property
    def working(self) -> bool:
        """True while a job has something to do for it."""
        return self.state in (State.DEPOSE, State.EN_CONTROLE, State.ACCEPTE, State.EN_STOCKAGE)

    @transition(state, [State.DEPOSE, State.EN_CONTROLE, State.ERREUR_TECHNIQUE], State.EN_CONTROLE)
    def begin_controls(self) -> None:
        self.incident = ""

    @transition(state, State.EN_CONTROLE, State.NON_CONFORME)
    def reject(self) -> None: ...

    @transition(state, State.EN_CONTROLE, State.CONFORME)
    def pass_controls(self) -> None: ...

    @transition(state, State.CONFORME, State.A_VALIDER)
    def await_decision(self) -> None: ...

    @transition(state, State.A_VALIDER, State.REFUSE)
    def refuse(self) -> None: ...

    @transition(state, [State.CONFORME, State.A_VALIDER], State.ACCEPTE)
    def accept(self) -> None: ...

    @transition(state, [State.ACCEPTE, State.ERREUR_TECHNIQUE], State.EN_STOCKAGE)
    def begin_storage(self) -> None:
        self.incident = ""

    @transition(state, State.EN_STOCKAGE, State.ARCHIVE)
    def archive(self) -> None: ...

    @transition(state, [State.DEPOSE, State.EN_CONTROLE, State.ACCEPTE, State.EN_STOCKAGE], State.ERREUR_TECHNIQUE)
    def report_incident(self, sentence: str) -> None:
        self.incident = sentence[:300]

    @transition(state, [State.DEPOSE, State.A_VALIDER, State.ERREUR_TECHNIQUE], State.ANNULE)
    def cancel(self) -> None: ...


class ControlResult(TenantModel):
    """One line of the intake report."""

    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="controls")
    rank = models.PositiveIntegerField()
    control = models.CharField("contrôle", max_length=20)
    outcome = models.CharField("résultat", max_length=14, choices=Outcome.choices)
    code = models.CharField("code de réponse", max_length=3, blank=True)
    sentence = models.CharField("constat", max_length=1000)
    where = models.CharField("endroit", max_length=1000, blank=True)
    made_at = models.DateTimeField("fait le")

    class Meta:
        verbose_name = "contrôle"
        ordering = ["transfer", "made_at", "rank"]

    def __str__(self) -> str:
        return f"{self.control} : {self.outcome}"

    @property
    def label(self) -> str:
        return CONTROL_LABELS.get(Control(self.control), self.control)


class ArchiveObject(TenantModel):
    """An archived package (AIP): one OCFL object kept whole on every storage root."""

    transfer = models.OneToOneField(Transfer, models.PROTECT, related_name="archive_object")
    ocfl_id = models.CharField("identifiant OCFL", max_length=200, unique=True)
    path = models.CharField("emplacement", max_length=300)
    title = models.CharField("intitulé", max_length=1000)
    originating_agency = models.CharField("service producteur", max_length=100)
    start = models.DateField("date la plus ancienne", null=True)
    end = models.DateField("date la plus récente", null=True)
    appraisal = models.CharField("règle d’utilité administrative", max_length=60, blank=True)
    final_action = models.CharField("sort final", max_length=10, blank=True)
    appraisal_end = models.DateField("fin de la durée d’utilité", null=True)
    access = models.CharField("règle de communicabilité", max_length=60, blank=True)
    access_end = models.DateField("communicable à partir du", null=True)
    units = models.PositiveIntegerField("unités")
    files_count = models.PositiveIntegerField("fichiers")
    size = models.BigIntegerField("octets")
    archived_at = models.DateTimeField("archivé le")

    class Meta:
        verbose_name = "archive"
        indexes = [models.Index(fields=["organisation", "-archived_at", "-id"], name="archive_object_recent")]

    def __str__(self) -> str:
        return self.title


class ArchiveUnit(TenantModel):
    """A described unit of an archived object; ``rank`` follows the order of the message, parents first."""

    archive = models.ForeignKey(ArchiveObject, models.PROTECT, related_name="tree")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    rank = models.PositiveIntegerField()
    depth = models.PositiveSmallIntegerField()
    xml_id = models.CharField("identifiant dans le bordereau", max_length=200)
    title = models.TextField("intitulé")
    level = models.CharField("niveau", max_length=20)
    description = models.TextField("présentation", blank=True)
    identifiers = models.JSONField("identifiants", default=list)
    start = models.CharField("début", max_length=40, blank=True)
    end = models.CharField("fin", max_length=40, blank=True)
    rules = models.JSONField("règles", default=list)

    class Meta:
        verbose_name = "unité d’archives"
        ordering = ["archive", "rank"]
        constraints = [models.UniqueConstraint(fields=["archive", "rank"], name="archive_unit_rank")]

    def __str__(self) -> str:
        return self.title


class ArchiveFile(TenantModel):
    """A file of an archived object, under the unit that describes it."""

    archive = models.ForeignKey(ArchiveObject, models.PROTECT, related_name="files")
    unit = models.ForeignKey(ArchiveUnit, models.PROTECT, null=True, related_name="files")
    rank = models.PositiveIntegerField()
    xml_id = models.CharField("identifiant dans le bordereau", max_length=200)
    usage = models.CharField("usage", max_length=40, blank=True)
    filename = models.CharField("nom du fichier", max_length=1000)
    path = models.CharField("chemin dans l’archive", max_length=300)
    size = models.BigIntegerField("octets")
    sha256 = models.CharField("SHA-256", max_length=64)
    sha512 = models.CharField("SHA-512", max_length=128)
    puid = models.CharField("format PRONOM reconnu", max_length=20, blank=True)
    declared_puid = models.CharField("format PRONOM annoncé", max_length=60, blank=True)
    format_name = models.CharField("nom du format", max_length=200, blank=True)

    class Meta:
        verbose_name = "fichier archivé"
        ordering = ["archive", "rank"]
        constraints = [models.UniqueConstraint(fields=["archive", "rank"], name="archive_file_rank")]

    def __str__(self) -> str:
        return self.filename


class CopyWriting(TenantModel):
    """Journal des écritures: one version of an object written to one root, then read back and hashed."""

    archive = models.ForeignKey(ArchiveObject, models.PROTECT, related_name="writings")
    root = models.CharField("racine de stockage", max_length=500)
    path = models.CharField("emplacement", max_length=300)
    version = models.CharField("version", max_length=10)
    inventory_sha512 = models.CharField("empreinte de l’inventaire", max_length=128)
    size = models.BigIntegerField("octets relus")
    files = models.PositiveIntegerField("fichiers relus")
    verified_at = models.DateTimeField("relu le")

    class Meta:
        verbose_name = "écriture de stockage"
        ordering = ["archive", "version", "root"]
        constraints = [models.UniqueConstraint(fields=["archive", "root", "version"], name="archive_writing_once")]

    def __str__(self) -> str:
        return f"{self.version} sur {self.root}"

    @property
    def site(self) -> str:
        """Short name of the storage root."""
        return self.root.rstrip("/").rpartition("/")[2]


class PreservationEvent(TenantModel):
    """A PREMIS event of an archived object; ``kind`` is a term of the Library of Congress vocabulary."""

    archive = models.ForeignKey(ArchiveObject, models.PROTECT, related_name="events")
    rank = models.PositiveIntegerField()
    kind = models.CharField("événement", max_length=60)
    at = models.DateTimeField("date")
    outcome = models.CharField("résultat", max_length=10)
    detail = models.CharField("précision", max_length=300, blank=True)
    note = models.CharField("constat", max_length=1000, blank=True)

    class Meta:
        verbose_name = "événement de conservation"
        ordering = ["archive", "rank"]
        constraints = [models.UniqueConstraint(fields=["archive", "rank"], name="archive_event_rank")]

    def __str__(self) -> str:
        return self.kind


class RegisterLine(TenantModel):
    """Registre des entrées: one numbered line per transfer taken in charge."""

    number = models.PositiveIntegerField("numéro")
    archive = models.OneToOneField(ArchiveObject, models.PROTECT, related_name="register_line")
    entered_at = models.DateTimeField("entré le")
    transferring_agency = models.CharField("service versant", max_length=100)
    originating_agency = models.CharField("service producteur", max_length=100)
    units = models.PositiveIntegerField("unités")
    files = models.PositiveIntegerField("fichiers")
    size = models.BigIntegerField("octets")

    class Meta:
        verbose_name = "ligne du registre des entrées"
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["organisation", "number"], name="archive_register_number")]

    def __str__(self) -> str:
        return f"Entrée n° {self.number}"
