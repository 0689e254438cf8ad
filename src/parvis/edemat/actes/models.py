"""Acts sent to the contrôle de légalité: the acts, their transmissions, the State's returns and their
publication.

The invariants of the télétransmission are held by the database: one active act per number (numbering rule of
the ACTES specification), one transmission in flight per act, at most 9 999 envelopes per authority and day,
a status history that nobody rewrites.
"""

from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q

from parvis.core.organisations.models import TenantModel
from parvis.core.organisations.naming import of_it
from parvis.edemat.actes.enums import (
    Delivery,
    InboundOutcome,
    InboundState,
    Nature,
    NotificationMeans,
    Status,
    TransactionKind,
)

ACKNOWLEDGED = (
    Status.ACQUITTE,
    Status.VALIDE,
    Status.A_VERSER,
    Status.ENVOYE_SAE,
    Status.RECU_SAE,
    Status.ARCHIVE,
)


class ActeSettings(TenantModel):
    """How one organisation uses @CTES; département, arrondissement and nature come from the organisation
    itself."""

    return_address = models.EmailField("adresse de retour", blank=True, help_text="Reçoit les réponses de l’État.")
    referent_name = models.CharField("référent", max_length=100, blank=True)
    referent_phone = models.CharField("téléphone du référent", max_length=20, blank=True)
    referent_email = models.EmailField("adresse du référent", blank=True)
    notified_addresses = models.JSONField("adresses à prévenir", default=list, blank=True)
    suspended_since = models.DateField("télétransmission suspendue depuis", null=True, blank=True)
    suspension_reason = models.CharField("motif de la suspension", max_length=300, blank=True)
    test = models.BooleanField("transmission d’essai", default=False)
    stamp_pages = models.CharField(
        "pages tamponnées", max_length=5, choices=[("all", "Toutes"), ("first", "La première")], default="all"
    )
    stamp_x_percent = models.FloatField("tampon : distance du bord gauche, en %", default=1.7)
    stamp_y_percent = models.FloatField("tampon : distance du haut, en %", default=1.2)

    class Meta:
        verbose_name = "réglage de la télétransmission"
        constraints = [
            models.UniqueConstraint(fields=["organisation"], name="acte_settings_one"),
            models.CheckConstraint(
                condition=Q(stamp_x_percent__range=(0, 100)) & Q(stamp_y_percent__range=(0, 100)),
                name="acte_settings_stamp_on_the_page",
            ),
        ]

    def __str__(self) -> str:
        return f"Télétransmission {of_it(self.organisation.name)}"

    @property
    def suspended(self) -> bool:
        """True in paper mode: the préfet has suspended the use of @CTES (CGCT R2131-4)."""
        return self.suspended_since is not None


class Classification(TenantModel):
    """The nomenclature that the préfecture gives to one organisation, kept byte for byte as received.

    ``natures``: list of {"code", "label", "abbreviation", "pieces": [{"code", "label"}]}.
    ``matieres``: list of {"code": "1.1.3", "label"}, sorted numerically.
    """

    date = models.DateField("date de la classification")
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+", verbose_name="message reçu")
    natures = models.JSONField()
    matieres = models.JSONField()
    received_at = models.DateTimeField("reçue le")
    verified_on = models.DateField("vérifiée le")
    current = models.BooleanField("en vigueur", default=True)

    class Meta:
        verbose_name = "classification"
        ordering = ["-date"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(current=True), name="classification_one_current"
            )
        ]

    def __str__(self) -> str:
        return f"Classification du {self.date:%d/%m/%Y}"


class ActeQuerySet(models.QuerySet["Acte"]):
    def active(self) -> "ActeQuerySet":
        """Acts whose number is taken: all but those in error."""
        return self.exclude(status=Status.ERREUR)

    def acknowledged(self) -> "ActeQuerySet":
        return self.filter(status__in=ACKNOWLEDGED)


class Acte(TenantModel):
    """One act of an authority: what it is, the files that are sent, and the dates that make it binding."""

    route = models.ForeignKey(
        "routing.Route", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="cheminement"
    )
    numero = models.CharField("numéro", max_length=60, help_text="Tel qu’il figure sur l’acte.")
    numero_actes = models.CharField("numéro transmis", max_length=15)
    nature = models.CharField("nature", max_length=1, choices=Nature.choices)
    objet = models.CharField("objet", max_length=499)
    decision_date = models.DateField("date de la décision")
    matiere = models.CharField("matière", max_length=20)
    matiere_label = models.CharField("intitulé de la matière", max_length=300, blank=True)
    classification_version = models.DateField("classification employée", null=True, blank=True)
    document_papier = models.BooleanField("pièces volumineuses sur papier", default=False)

    original = models.ForeignKey(
        "documents.Document",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="acte non signé",
    )
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+", verbose_name="acte transmis")
    type_piece = models.CharField("type de pièce", max_length=5)
    posted_filename = models.CharField("nom du fichier", max_length=255)
    regulatory_name = models.CharField("nom réglementaire", max_length=120, blank=True)

    status = models.SmallIntegerField("état", choices=Status.choices, default=Status.A_POSTER)
    unique_id = models.CharField("identifiant unique", max_length=60, blank=True)
    checks = models.JSONField("contrôles avant envoi", default=list, blank=True)
    checked_at = models.DateTimeField("contrôlé le", null=True, blank=True)
    created_at = models.DateTimeField("préparé le")
    sent_at = models.DateTimeField("transmis le", null=True, blank=True)
    received_on = models.DateField("reçu en préfecture le", null=True, blank=True)
    published_on = models.DateField("publié le", null=True, blank=True)
    notified_on = models.DateField("notifié le", null=True, blank=True)
    executoire_on = models.DateField("exécutoire le", null=True, blank=True)

    objects = ActeQuerySet.as_manager()

    class Meta:
        verbose_name = "acte"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "numero_actes"],
                condition=~Q(status=-1),
                name="acte_number_once_active",
            ),
            models.CheckConstraint(
                condition=Q(numero_actes__regex=r"^([A-Z0-9][A-Z0-9_]{0,13})?[A-Z0-9]$"),
                name="acte_number_shape",
            ),
            models.CheckConstraint(condition=Q(nature__in=["1", "2", "3", "4", "5", "6"]), name="acte_nature"),
            models.CheckConstraint(condition=Q(status__gte=-1, status__lte=22), name="acte_status"),
            models.CheckConstraint(condition=~Q(objet=""), name="acte_objet_given"),
            models.CheckConstraint(
                condition=Q(executoire_on__isnull=True) | Q(executoire_on__gte=F("decision_date")),
                name="acte_executoire_after_decision",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-decision_date", "-id"], name="acte_board"),
            models.Index(fields=["organisation", "status", "-decision_date", "-id"], name="acte_board_status"),
            models.Index(fields=["organisation", "nature", "-decision_date", "-id"], name="acte_board_nature"),
            models.Index(
                fields=["organisation", "nature", "status", "-decision_date", "-id"],
                name="acte_board_nature_status",
            ),
            models.Index(fields=["organisation", "unique_id"], condition=~Q(unique_id=""), name="acte_unique_id"),
        ]

    def __str__(self) -> str:
        return f"{self.numero} {self.objet}"

    @property
    def transaction(self) -> "Transaction | None":
        """The latest transmission of the act, or None before the first."""
        return self.transactions.filter(kind=TransactionKind.ACTE).order_by("-id").first()

    @property
    def trial(self) -> bool:
        """True when the latest transmission is a trial: the State's answer to it has no legal value."""
        sent = self.transaction
        return sent is not None and sent.test


class ActePiece(TenantModel):
    """An annexe sent with the act, in its order (2, 3, …: the act itself is number 1)."""

    acte = models.ForeignKey(Acte, models.PROTECT, related_name="pieces")
    rank = models.PositiveSmallIntegerField("rang")
    code_pj = models.CharField("type de pièce", max_length=5)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    posted_filename = models.CharField("nom du fichier", max_length=255)
    regulatory_name = models.CharField("nom réglementaire", max_length=120, blank=True)

    class Meta:
        verbose_name = "annexe"
        ordering = ["acte", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["acte", "rank"], name="acte_piece_rank"),
            models.CheckConstraint(condition=Q(rank__gte=2), name="acte_piece_after_act"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.posted_filename}"


class TransactionQuerySet(models.QuerySet["Transaction"]):
    def waiting_for_the_state(self) -> "TransactionQuerySet":
        """Those that the State has not taken in two attempts: they leave again by themselves."""
        return self.filter(status=Status.EN_ATTENTE, delivery__in=[Delivery.PRETE, Delivery.EN_COURS], attempts__gte=2)

    def uncertain(self) -> "TransactionQuerySet":
        return self.filter(delivery=Delivery.INCERTAINE, status=Status.EN_ATTENTE)


class Transaction(TenantModel):
    """One exchange with the State: an envelope that leaves, or a letter of the préfecture that arrives."""

    acte = models.ForeignKey(Acte, models.PROTECT, null=True, blank=True, related_name="transactions")
    kind = models.CharField("type", max_length=3, choices=TransactionKind.choices)
    related = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="answers")
    status = models.SmallIntegerField("état", choices=Status.choices)
    test = models.BooleanField("essai sans valeur", default=False)

    envelope_day = models.DateField("jour de l’enveloppe", null=True, blank=True)
    serial = models.PositiveIntegerField("numéro de série du jour", null=True, blank=True)
    envelope_name = models.CharField("enveloppe", max_length=60, blank=True)
    archive_name = models.CharField("archive", max_length=80, blank=True)
    message_name = models.CharField("message métier", max_length=80, blank=True)
    archive = models.ForeignKey("documents.Document", models.PROTECT, null=True, blank=True, related_name="+")
    message = models.ForeignKey("documents.Document", models.PROTECT, null=True, blank=True, related_name="+")

    delivery = models.CharField("envoi", max_length=12, choices=Delivery.choices, blank=True)
    attempts = models.PositiveSmallIntegerField("tentatives", default=0)
    attempt_started_at = models.DateTimeField("dernière tentative", null=True, blank=True)
    delivery_message = models.CharField("dernière réponse", max_length=512, blank=True)
    sent_at = models.DateTimeField("accepté le", null=True, blank=True)

    ar = models.ForeignKey(
        "documents.Document",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="accusé de réception",
    )
    received_on = models.DateField("reçu en préfecture le", null=True, blank=True)
    anomaly_code = models.CharField("code de l’anomalie", max_length=3, blank=True)
    anomaly_detail = models.TextField("détail de l’anomalie", blank=True)
    letter_date = models.DateField("date du courrier", null=True, blank=True)
    letter_text = models.TextField("ce que dit le courrier", blank=True)
    read_at = models.DateTimeField("lu le", null=True, blank=True)
    created_at = models.DateTimeField("créée le")

    objects = TransactionQuerySet.as_manager()

    class Meta:
        verbose_name = "transaction"
        constraints = [
            models.UniqueConstraint(
                fields=["acte"], condition=Q(kind="1-1") & ~Q(status=-1), name="transaction_one_live_per_act"
            ),
            models.UniqueConstraint(
                fields=["related"],
                condition=Q(kind__in=["2-2", "3-3", "3-4", "4-3", "4-4"]) & ~Q(status=-1),
                name="transaction_one_answer_per_letter",
            ),
            models.UniqueConstraint(
                fields=["related"], condition=Q(kind="6-1") & ~Q(status=-1), name="transaction_one_cancellation"
            ),
            models.UniqueConstraint(
                fields=["organisation", "envelope_name"],
                condition=~Q(envelope_name=""),
                name="transaction_envelope_once",
            ),
            models.CheckConstraint(
                condition=Q(serial__isnull=True) | Q(serial__gte=1, serial__lte=9999),
                name="transaction_serial_range",
            ),
            models.CheckConstraint(condition=Q(status__gte=-1, status__lte=22), name="transaction_status"),
            models.CheckConstraint(
                condition=~Q(delivery="acceptee") | Q(sent_at__isnull=False),
                name="transaction_accepted_is_dated",
            ),
            models.CheckConstraint(
                condition=~Q(kind="1-1") | Q(acte__isnull=False), name="transaction_of_an_act_has_it"
            ),
        ]
        indexes = [
            models.Index(fields=["acte", "-id"], name="transaction_of_act"),
            models.Index(
                fields=["organisation", "delivery", "id"],
                condition=Q(delivery__in=["a_construire", "prete", "en_cours", "incertaine"]),
                name="transaction_to_deliver",
            ),
            models.Index(fields=["organisation", "sent_at"], condition=Q(status=3), name="transaction_awaiting"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.envelope_name}"


class TransactionPiece(TenantModel):
    """A file that comes with a letter of the préfecture, or leaves with its answer (rank 1, 2, …)."""

    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="pieces")
    rank = models.PositiveSmallIntegerField("rang")
    code_pj = models.CharField("type de pièce", max_length=5, blank=True)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    posted_filename = models.CharField("nom du fichier", max_length=255)

    class Meta:
        verbose_name = "pièce d’un échange"
        ordering = ["transaction", "rank"]
        constraints = [models.UniqueConstraint(fields=["transaction", "rank"], name="transaction_piece_rank")]

    def __str__(self) -> str:
        return f"{self.rank}. {self.posted_filename}"


class StatusEvent(TenantModel):
    """One line of a transaction's life. The database refuses to change or delete it."""

    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="events")
    acte = models.ForeignKey(Acte, models.PROTECT, null=True, blank=True, related_name="events")
    status = models.SmallIntegerField("état", choices=Status.choices)
    at = models.DateTimeField("le")
    message = models.CharField("message", max_length=512, blank=True)
    actor_kind = models.CharField("auteur", max_length=10)
    actor_id = models.CharField("identifiant de l’auteur", max_length=60, blank=True)
    document = models.ForeignKey("documents.Document", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "événement de transaction"
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["transaction", "id"], name="status_event_of_transaction"),
            models.Index(fields=["acte", "id"], name="status_event_of_act"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%d/%m/%Y} {self.get_status_display()}"


class InboundMessage(TenantModel):
    """A mail of the State as it arrived, stored before anything is read in it."""

    sha256 = models.CharField("empreinte", max_length=64)
    raw = models.ForeignKey("documents.Document", models.PROTECT, related_name="+", verbose_name="message brut")
    mailbox_uid = models.CharField("numéro dans la boîte", max_length=40, blank=True)
    received_at = models.DateTimeField("relevé le")
    state = models.CharField("état", max_length=8, choices=InboundState.choices, default=InboundState.RECU)
    outcome = models.CharField("effet", max_length=16, choices=InboundOutcome.choices, blank=True)
    root = models.CharField("message métier", max_length=60, blank=True)
    transaction = models.ForeignKey(Transaction, models.PROTECT, null=True, blank=True, related_name="inbound_messages")
    error = models.TextField("motif de mise en banette", blank=True)
    set_aside_reason = models.CharField("motif de mise à l’écart", max_length=300, blank=True)
    remarks = models.JSONField("écarts tolérés", default=list, blank=True)
    attempts = models.PositiveSmallIntegerField("lectures", default=0)
    processed_at = models.DateTimeField("traité le", null=True, blank=True)

    class Meta:
        verbose_name = "message reçu"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "sha256"], name="inbound_message_once"),
            models.CheckConstraint(condition=~Q(state="banette") | ~Q(error=""), name="inbound_basket_says_why"),
            models.CheckConstraint(
                condition=~Q(state="ecarte") | ~Q(set_aside_reason=""), name="inbound_set_aside_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-received_at", "-id"], name="inbound_recent"),
            models.Index(fields=["received_at", "id"], condition=Q(state="recu"), name="inbound_to_process"),
        ]

    def __str__(self) -> str:
        return f"Message du {self.received_at:%d/%m/%Y %H:%M} ({self.get_state_display()})"


class DailySerial(TenantModel):
    """The last envelope number given to an authority on one day; it starts again every day and stops at 9
    999."""

    day = models.DateField("jour")
    last = models.PositiveIntegerField("dernier numéro", default=0)

    class Meta:
        verbose_name = "numérotation du jour"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "day"], name="daily_serial_once"),
            models.CheckConstraint(condition=Q(last__lte=9999), name="daily_serial_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.day:%d/%m/%Y} : {self.last}"


class Notification(TenantModel):
    """An act brought to the knowledge of the people it names (CGCT L2131-1): when, to how many, how; no name."""

    acte = models.OneToOneField(Acte, models.PROTECT, related_name="notification")
    notified_on = models.DateField("notifié le")
    persons = models.PositiveSmallIntegerField("personnes notifiées")
    means = models.CharField("moyen", max_length=10, choices=NotificationMeans.choices)
    note = models.CharField("précision", max_length=300, blank=True, help_text="Sans nom ni adresse.")
    author_name = models.CharField("prénom et nom de qui certifie", max_length=150)
    author_quality = models.CharField("qualité de qui certifie", max_length=150)
    recorded_at = models.DateTimeField("noté le")

    class Meta:
        verbose_name = "notification"
        constraints = [models.CheckConstraint(condition=Q(persons__gte=1), name="notification_of_somebody")]

    def __str__(self) -> str:
        return f"Notifié le {self.notified_on:%d/%m/%Y}"


class PublicationQuerySet(models.QuerySet["Publication"]):
    def online(self) -> "PublicationQuerySet":
        return self.filter(withdrawn_on__isnull=True)


class Publication(TenantModel):
    """An act put online: what the public reads (CGCT R2131-1), copied so that nothing private has to be
    opened."""

    acte = models.ForeignKey(Acte, models.PROTECT, related_name="publications")
    numero = models.CharField("numéro", max_length=60)
    nature = models.CharField("nature", max_length=1, choices=Nature.choices)
    objet = models.CharField("objet", max_length=499)
    decision_date = models.DateField("date de la décision")
    matiere = models.CharField("matière", max_length=20, blank=True)
    matiere_label = models.CharField("intitulé de la matière", max_length=300, blank=True)
    unique_id = models.CharField("identifiant unique", max_length=60, blank=True)
    received_on = models.DateField("reçu en préfecture le", null=True, blank=True)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    author_name = models.CharField("prénom et nom de l’auteur", max_length=150)
    author_quality = models.CharField("qualité de l’auteur", max_length=150)
    published_on = models.DateField("publié le")
    published_at = models.DateTimeField("mis en ligne le")
    executoire_on = models.DateField("exécutoire le", null=True, blank=True)
    withdrawn_on = models.DateField("retiré le", null=True, blank=True)
    withdrawal_reason = models.CharField("motif du retrait", max_length=300, blank=True)
    vote = models.CharField("vote", max_length=120, blank=True, help_text="« adoptée à l’unanimité », par exemple.")
    stamped = models.ForeignKey(
        "documents.Document",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="acte tamponné",
    )
    annexes = models.JSONField(
        "annexes publiées", default=list, blank=True, help_text="Liste de {document, name, size, sha256}."
    )
    text = models.TextField("texte de l’acte", blank=True, help_text="Extrait du PDF, pour la recherche.")
    search = models.GeneratedField(
        expression=SearchVector("numero", "objet", "matiere_label", "text", config="french"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = PublicationQuerySet.as_manager()

    class Meta:
        verbose_name = "publication"
        constraints = [
            models.UniqueConstraint(
                fields=["acte"], condition=Q(withdrawn_on__isnull=True), name="publication_one_online"
            ),
            models.CheckConstraint(
                condition=~Q(author_name="") & ~Q(author_quality=""), name="publication_names_its_author"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | ~Q(withdrawal_reason=""),
                name="publication_withdrawal_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "-published_on", "-id"],
                condition=Q(withdrawn_on__isnull=True),
                name="publication_online",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.numero} publié le {self.published_on:%d/%m/%Y}"
