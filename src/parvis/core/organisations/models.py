"""The métropole, its communes and their CCAS: the tenants of the platform."""

import re
from datetime import date, datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from parvis.core.identity.roles import label_of, permissions_of
from parvis.core.ids import uuid7
from parvis.core.referentials.prefectures import arrondissement_name, prefecture_name
from parvis.core.referentials.sirene import luhn_key_holds

INVITATION_LASTS: Final = timedelta(days=7)

# Rules of the platform for those who act for an organisation, which each organisation may only make stricter.
AGENT_PASSWORD_LENGTH: Final = 14
AGENT_IDLE_MINUTES: Final = 60
PASSWORD_LENGTHS: Final = (AGENT_PASSWORD_LENGTH, 64)
IDLE_MINUTES: Final = (5, AGENT_IDLE_MINUTES)

SIREN = re.compile(r"\d{9}")
HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def validate_siren(value: str) -> None:
    if not SIREN.fullmatch(value) or not luhn_key_holds(value):
        raise ValidationError(
            f"Le SIREN « {value} » est inexact : neuf chiffres dont une clé de contrôle sont attendus. "
            "Vérifiez le numéro sur l’avis de situation de l’organisation."
        )


def validate_colour(value: str) -> None:
    if not HEX_COLOUR.fullmatch(value):
        raise ValidationError(f"La couleur « {value} » doit s’écrire « # » suivi de six chiffres hexadécimaux.")


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def communes(self) -> "OrganisationQuerySet":
        return self.filter(kind=Organisation.Kind.COMMUNE)

    def subscribed_to(self, application: str, on: date) -> "OrganisationQuerySet":
        return self.filter(
            Q(subscriptions__until__isnull=True) | Q(subscriptions__until__gte=on),
            subscriptions__application=application,
            subscriptions__since__lte=on,
        )


class Organisation(models.Model):
    """A legal entity that uses the platform. Its identity is public information, so no row security here."""

    class Kind(models.TextChoices):
        METROPOLE = "metropole", "Métropole"
        COMMUNE = "commune", "Commune"
        CCAS = "ccas", "CCAS"

    slug = models.SlugField("identifiant d’adresse", unique=True)
    name = models.CharField("nom officiel", max_length=200)
    short_name = models.CharField("nom d’usage", max_length=80)
    kind = models.CharField("nature juridique", max_length=12, choices=Kind.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="rattachée à"
    )
    siren = models.CharField("SIREN", max_length=9, unique=True, validators=[validate_siren])
    nic = models.CharField("NIC du siège", max_length=5, default="00014")
    insee = models.CharField("code INSEE", max_length=5, blank=True)
    postal_code = models.CharField("code postal", max_length=5, blank=True)
    population = models.PositiveIntegerField("population municipale", null=True, blank=True)
    departement = models.CharField("département (3 caractères)", max_length=3)
    arrondissement = models.CharField("arrondissement", max_length=1)
    nature_actes = models.CharField("nature de collectivité pour @CTES", max_length=2)
    pref_id = models.CharField("préfecture destinataire", max_length=10)

    accent = models.CharField("couleur principale", max_length=7, default="#2f4b7c", validators=[validate_colour])
    accent_2 = models.CharField("couleur secondaire", max_length=7, default="#d9a441", validators=[validate_colour])
    welcome_text = models.TextField("mot d’accueil", blank=True)
    # What core/branding last published (``branding.look.Look``), here so that no page asks a query for it.
    look = models.JSONField("charte publiée", default=dict, blank=True, editable=False)
    email_sender = models.EmailField("adresse d’expédition", blank=True)
    website = models.URLField("site internet", blank=True)
    password_length = models.PositiveSmallIntegerField(
        "caractères d’un mot de passe, au moins", default=AGENT_PASSWORD_LENGTH
    )
    idle_minutes = models.PositiveSmallIntegerField(
        "minutes sans activité avant la déconnexion", default=AGENT_IDLE_MINUTES
    )

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = "organisation"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(siren__regex=r"^[0-9]{9}$"), name="organisation_siren_shape"),
            models.CheckConstraint(
                condition=Q(departement__regex=r"^[0-9][0-9AB][0-9]$"), name="organisation_departement_shape"
            ),
            models.CheckConstraint(
                condition=Q(password_length__range=PASSWORD_LENGTHS), name="organisation_password_length"
            ),
            models.CheckConstraint(condition=Q(idle_minutes__range=IDLE_MINUTES), name="organisation_idle_minutes"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def siret(self) -> str:
        """SIRET of the head office: SIREN followed by the NIC."""
        return self.siren + self.nic

    @property
    def initial(self) -> str:
        return self.short_name[:1].upper()

    @property
    def prefecture(self) -> str:
        """Where its acts go, in words: « Préfecture de l’Hérault, arrondissement de Montpellier »."""
        return f"{prefecture_name(self.pref_id)}, {arrondissement_name(self.departement, self.arrondissement)}"

    def subscribes_to(self, application: str, on: date) -> bool:
        """True when the convention gives this organisation ``application`` on that day."""
        return any(
            s.application == application and s.since <= on and (s.until is None or on <= s.until)
            for s in self.subscriptions.all()
        )

    def has_subscribed_to(self, application: str, on: date) -> bool:
        """True when this organisation has, or had before that day, ``application``."""
        return any(s.application == application and s.since <= on for s in self.subscriptions.all())


class Subscription(models.Model):
    """One of the four applications of the convention (annexe 1), taken by an organisation for a period."""

    class Application(models.TextChoices):
        EDEMAT = "edemat", "Administration électronique"
        ESERVICES = "eservices", "Services en ligne"
        MARCHES = "marches", "Marchés publics"
        OPENDATA = "opendata", "Données ouvertes"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="subscriptions")
    application = models.CharField("application", max_length=12, choices=Application.choices)
    since = models.DateField("depuis le")
    until = models.DateField("jusqu’au", null=True, blank=True)

    class Meta:
        verbose_name = "adhésion"
        ordering = ["organisation", "application"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "application", "since"], name="subscription_once"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="subscription_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} : {self.get_application_display()}"


class TenantModel(models.Model):
    """Base of every row that belongs to one organisation. Its migration must end with EnableRowSecurity."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", editable=False)

    class Meta:
        abstract = True


class Department(TenantModel):
    """A service of the organisation, in a tree; its head administers the people of it and of those below."""

    name = models.CharField("nom", max_length=120)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="rattaché à"
    )
    head = models.ForeignKey(
        "identity.Account", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="responsable"
    )

    class Meta:
        verbose_name = "service"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="department_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Role(TenantModel):
    """A role that an organisation composed from the permissions of ``identity.roles``."""

    slug = models.SlugField("identifiant", max_length=60)
    label = models.CharField("intitulé", max_length=120)
    description = models.TextField("description", blank=True)
    permissions = models.JSONField("droits", default=list)
    heads_may_give = models.BooleanField("les responsables de service peuvent le donner", default=False)
    created_at = models.DateTimeField("créé le")

    class Meta:
        verbose_name = "rôle"
        ordering = ["label"]
        constraints = [models.UniqueConstraint(fields=["organisation", "slug"], name="role_slug")]

    def __str__(self) -> str:
        return self.label

    @property
    def held(self) -> frozenset[str]:
        return frozenset(self.permissions)


class Invitation(TenantModel):
    """A mandate offered to an address: whoever proves to hold the address takes it, within seven days of sending.

    Only the digest of the link is kept; the link is made when the message leaves.
    """

    email = models.EmailField("adresse électronique")
    given_name = models.CharField("prénom", max_length=80)
    family_name = models.CharField("nom", max_length=80)
    role = models.CharField("rôle", max_length=20, blank=True)
    own_role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="invitations")
    title = models.CharField("qualité", max_length=120, blank=True)
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, related_name="invitations")
    staff_number = models.CharField("matricule", max_length=40, blank=True)
    start = models.DateField("début")
    end = models.DateField("fin", null=True, blank=True)
    invited_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    by_platform = models.BooleanField("envoyée par la plateforme", default=False)
    # Of the platform, to an organisation that had an administrator before: a second operator agrees first.
    needs_approval = models.BooleanField("à approuver", default=False)
    reason = models.CharField("motif", max_length=200, blank=True)
    approved_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField("créée le")
    sent_at = models.DateTimeField("envoyée le", null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    accepted_at = models.DateTimeField("acceptée le", null=True, blank=True)
    accepted_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField("retirée le", null=True, blank=True)

    class Meta:
        verbose_name = "invitation"
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="invitation_recent"),
            models.Index(fields=["organisation", "email"], name="invitation_email"),
            models.Index(fields=["digest"], name="invitation_digest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(sent_at__isnull=True)
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("invited_by"))),
                name="invitation_four_eyes",
            )
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name} : {self.role_label}"

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def permissions(self) -> frozenset[str]:
        return self.own_role.held if self.own_role else permissions_of(self.role)

    @property
    def role_label(self) -> str:
        return self.own_role.label if self.own_role else label_of(self.role)

    @property
    def role_code(self) -> str:
        return self.own_role.slug if self.own_role else self.role

    @property
    def expires_at(self) -> datetime | None:
        return self.sent_at + INVITATION_LASTS if self.sent_at else None

    @property
    def awaits_approval(self) -> bool:
        return self.needs_approval and self.approved_by_id is None

    def state(self, now: datetime) -> str:
        """``accepted``, ``revoked``, ``proposed`` (a second operator must agree), ``expired``, ``sent``, ``waiting``
        (its message has not left yet), ``undelivered`` (the mail relay refuses the address for good)."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        if self.awaits_approval:
            return "proposed"
        if self.expires_at is None:
            return "waiting"
        if not self.digest:
            return "undelivered"
        return "expired" if self.expires_at <= now else "sent"


class PeopleImport(TenantModel):
    """One file of agents: examined first, line by line, then applied when somebody confirms it."""

    class State(models.TextChoices):
        EXAMINING = "examining", "Examen en cours"
        EXAMINED = "examined", "À confirmer"
        APPLYING = "applying", "Import en cours"
        DONE = "done", "Terminé"
        ABANDONED = "abandoned", "Abandonné"

    class Key(models.TextChoices):
        EMAIL = "courriel", "Adresse électronique"
        STAFF_NUMBER = "matricule", "Matricule"

    filename = models.CharField("fichier", max_length=255)
    key = models.CharField("clé", max_length=12, choices=Key.choices, default=Key.EMAIL)
    state = models.CharField("état", max_length=12, choices=State.choices, default=State.EXAMINING)
    encoding = models.CharField("encodage", max_length=12)
    created_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField("déposé le")
    started_at = models.DateTimeField("commencé le", null=True, blank=True)
    ended_at = models.DateTimeField("terminé le", null=True, blank=True)
    total = models.PositiveIntegerField("lignes")
    done = models.PositiveIntegerField("lignes faites", default=0)

    class Meta:
        verbose_name = "import de personnes"
        indexes = [models.Index(fields=["organisation", "-created_at"], name="peopleimport_recent")]

    def __str__(self) -> str:
        return self.filename


class ImportLine(TenantModel):
    """One line of a file of agents: what it says, and what was, or would be, done of it."""

    class Outcome(models.TextChoices):
        CREATED = "created", "Créée"
        UPDATED = "updated", "Mise à jour"
        UNCHANGED = "unchanged", "Inchangée"
        REFUSED = "refused", "Refusée"

    batch = models.ForeignKey(PeopleImport, models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField("ligne")
    values = models.JSONField("contenu", default=dict)
    outcome = models.CharField("résultat", max_length=10, choices=Outcome.choices, blank=True)
    sentence = models.CharField("explication", max_length=400, blank=True)
    applied = models.BooleanField("appliquée", default=False)

    class Meta:
        verbose_name = "ligne d’import"
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="importline_once")]

    def __str__(self) -> str:
        return f"{self.number} : {self.get_outcome_display()}"


class Review(TenantModel):
    """A review of the mandates: each is confirmed, changed or revoked by somebody other than its holder."""

    name = models.CharField("intitulé", max_length=120)
    application = models.CharField("périmètre", max_length=12, blank=True)
    opened_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField("ouverte le")
    deadline = models.DateField("à terminer le")
    reminded_on = models.DateField("dernier rappel", null=True, blank=True)
    closed_at = models.DateTimeField("close le", null=True, blank=True)
    document = models.ForeignKey("documents.Document", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "revue des habilitations"
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "application"], condition=Q(closed_at__isnull=True), name="review_one_open"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def overdue(self, today: date) -> bool:
        return self.closed_at is None and self.deadline < today


class ReviewLine(TenantModel):
    """One mandate under review, as it was when the review began, and what was decided of it."""

    class Decision(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmé"
        CHANGED = "changed", "Date de fin modifiée"
        REVOKED = "revoked", "Retiré"
        MOOT = "moot", "Terminé entre-temps"

    review = models.ForeignKey(Review, models.CASCADE, related_name="lines")
    mandate = models.ForeignKey("identity.Mandate", models.PROTECT, related_name="+")
    reviewer = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    role_code = models.CharField("rôle", max_length=60)
    role_label = models.CharField("intitulé du rôle", max_length=120)
    end_before = models.DateField("fin avant la revue", null=True, blank=True)
    decision = models.CharField("décision", max_length=10, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)

    class Meta:
        verbose_name = "habilitation à revoir"
        constraints = [models.UniqueConstraint(fields=["review", "mandate"], name="reviewline_once")]
        indexes = [models.Index(fields=["review", "reviewer"], name="reviewline_reviewer")]

    def __str__(self) -> str:
        return f"{self.role_label} : {self.get_decision_display()}"


class OperatorGrant(models.Model):
    """A person proposed to run the platform: a second operator approves, then the person proves the address."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField("adresse électronique")
    given_name = models.CharField("prénom", max_length=80)
    family_name = models.CharField("nom", max_length=80)
    proposed_by = models.ForeignKey("identity.Account", models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField("proposé le")
    approved_by = models.ForeignKey("identity.Account", models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField("approuvé le", null=True)
    refused_at = models.DateTimeField("écarté le", null=True)
    digest = models.CharField(max_length=64, blank=True)
    accepted_at = models.DateTimeField("accepté le", null=True)

    class Meta:
        verbose_name = "proposition d’exploitant"
        ordering = ["-proposed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")), name="operator_four_eyes"
            )
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def expires_at(self) -> datetime | None:
        return self.approved_at + INVITATION_LASTS if self.approved_at else None
