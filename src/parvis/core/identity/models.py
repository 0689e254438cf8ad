"""People who use the platform and the mandates that let them act for an organisation."""

from datetime import date

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from parvis.core import clock
from parvis.core.identity.roles import label_of, permissions_of
from parvis.core.ids import uuid7
from parvis.core.organisations.models import TenantModel

NO_ADDRESS = "@sans-adresse.invalid"
"""End of the address of an account whose holder has proved none; nothing is ever sent there (RFC 6761, §6.4)."""


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "Account":
        account = self.model(email=self.normalize_email(email).lower(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(email=username.lower() if username else username)


class Account(AbstractBaseUser):
    """One person, one account, whatever the number of organisations; a citizen has no mandate."""

    class Population(models.TextChoices):
        """Agents' and citizens' accounts stay separate, even for one person."""

        USAGER = "usager", "Usager"
        AGENT = "agent", "Agent ou élu"
        EXPLOITATION = "exploitation", "Exploitation de la plateforme"

    email = models.EmailField("adresse électronique", unique=True)
    given_name = models.CharField("prénom", max_length=80)
    family_name = models.CharField("nom", max_length=80)
    is_active = models.BooleanField("actif", default=True)
    is_platform_administrator = models.BooleanField("administre la plateforme", default=False)
    population = models.CharField("population", max_length=12, choices=Population.choices, default=Population.AGENT)
    email_verified_at = models.DateTimeField("adresse prouvée le", null=True, blank=True)
    suspended_at = models.DateTimeField("suspendu le", null=True, blank=True)
    deleted_at = models.DateTimeField("supprimé le", null=True, blank=True, editable=False)
    dormancy_told_at = models.DateTimeField("prévenu d’inactivité le", null=True, blank=True, editable=False)
    commune = models.ForeignKey(
        "organisations.Organisation",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="commune préférée",
        help_text="Une préférence, qui ne donne aucun droit.",
    )
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    objects = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["given_name", "family_name"]

    class Meta:
        verbose_name = "compte"
        constraints = [models.UniqueConstraint(Lower("email"), name="account_email_case")]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def has_address(self) -> bool:
        """False for whoever came through FranceConnect and has proved no address yet."""
        return not self.email.endswith(NO_ADDRESS)

    @property
    def proved_address(self) -> str:
        """The address, once a message sent there was answered; else ""."""
        return self.email if self.has_address and self.email_verified_at is not None else ""

    @property
    def initials(self) -> str:
        return (self.given_name[:1] + self.family_name[:1]).upper()

    @property
    def is_staff(self) -> bool:
        """Read by libraries that know Django's own accounts; the Django administration is not installed."""
        return False

    @property
    def is_superuser(self) -> bool:
        return False


class AccountModel(models.Model):
    """Base of every row that belongs to one person. Its migration must end with EnableAccountSecurity."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", editable=False)

    class Meta:
        abstract = True


class SecurityEvent(models.Model):
    """One event of the life of an account, as its holder and the organisation concerned may read it.

    Kept one year; the journal of the platform keeps its digest (see ``audit``).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    event = models.CharField(max_length=60)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    actor = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    organisation = models.ForeignKey("organisations.Organisation", models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=12, default="success")
    method = models.CharField(max_length=40, blank=True)
    client = models.CharField(max_length=120, blank=True)
    session = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = "événement de sécurité"
        indexes = [
            models.Index(fields=["account", "-at"], name="securityevent_account"),
            models.Index(fields=["organisation", "-at"], name="securityevent_organisation"),
            models.Index(fields=["at"], name="securityevent_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M:%S}"


class MandateQuerySet(models.QuerySet["Mandate"]):
    def in_force(self, on: date) -> "MandateQuerySet":
        """Those that let their holder act on that day: neither to come, nor over, nor suspended."""
        return self.not_over(on).filter(start__lte=on, suspended_at__isnull=True)

    def not_over(self, on: date) -> "MandateQuerySet":
        """Those in force, suspended or to come: one that was closed in the course of the day is over."""
        return self.filter(Q(end__isnull=True) | Q(end__gte=on), Q(closed_at__isnull=True) | Q(closed_at__date__gt=on))

    def over(self, on: date) -> "MandateQuerySet":
        """Those that came to their end or were closed."""
        return self.filter(Q(end__lt=on) | Q(closed_at__date__lte=on))


class Mandate(TenantModel):
    """What one account may do in one organisation, between two dates: a predefined role or one of its own."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="mandates", verbose_name="personne")
    role = models.CharField("rôle", max_length=20, blank=True)
    own_role = models.ForeignKey(
        "organisations.Role", models.PROTECT, null=True, blank=True, related_name="mandates", verbose_name="rôle propre"
    )
    title = models.CharField("qualité", max_length=120, blank=True, help_text="Telle qu’elle figure sur les actes.")
    department = models.ForeignKey(
        "organisations.Department", models.PROTECT, null=True, blank=True, related_name="mandates"
    )
    staff_number = models.CharField("matricule", max_length=40, blank=True)
    start = models.DateField("début")
    end = models.DateField("fin", null=True, blank=True)
    given_at = models.DateTimeField("donné le", default=clock.now, db_default=Now(), editable=False)
    """Never changes (a trigger holds it): an organisation sets the dates, not since when it reads people's events."""
    closed_at = models.DateTimeField("clos le", null=True, blank=True, editable=False)
    suspended_at = models.DateTimeField("suspendu le", null=True, blank=True)
    last_used_at = models.DateTimeField("dernier accès", null=True, blank=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        verbose_name = "mandat"
        constraints = [
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="mandate_dates"),
            models.CheckConstraint(
                condition=Q(role="", own_role__isnull=False) | (~Q(role="") & Q(own_role__isnull=True)),
                name="mandate_one_role",
            ),
            models.UniqueConstraint(
                fields=["organisation", "account", "role", "own_role", "start"],
                # One closed, or that ended before it took effect, keeps nobody from giving the role again.
                condition=Q(closed_at__isnull=True) & (Q(end__isnull=True) | Q(end__gt=F("start"))),
                nulls_distinct=False,
                name="mandate_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(end__isnull=False), name="mandate_closed_has_end"
            ),
        ]
        indexes = [models.Index(fields=["account"], name="mandate_account")]

    def __str__(self) -> str:
        return f"{self.account} : {self.title or self.role_label}"

    def is_over(self, on: date) -> bool:
        """True once it came to its end or was closed."""
        closed = self.closed_at is not None and clock.paris(self.closed_at).date() <= on
        return closed or (self.end is not None and self.end < on)

    @property
    def permissions(self) -> frozenset[str]:
        return self.own_role.held if self.own_role else permissions_of(self.role)

    @property
    def role_label(self) -> str:
        """French name of the role, predefined or the organisation's own."""
        return self.own_role.label if self.own_role else label_of(self.role)

    def get_role_display(self) -> str:
        return self.role_label

    @property
    def role_code(self) -> str:
        """Code of a predefined role, or slug of an own one: an organisation has no two alike."""
        return self.own_role.slug if self.own_role else self.role


class ProfileAttribute(AccountModel):
    """One value that a person's profile holds, with its source (see ``profile``)."""

    class Source(models.TextChoices):
        DECLARE = "declare", "Déclaré par vous"
        FRANCECONNECT = "franceconnect", "Vérifié par FranceConnect"
        PROCONNECT = "proconnect", "Vérifié par ProConnect"
        AGENT = "agent", "Vérifié par un agent"

    name = models.CharField(max_length=30)
    value = models.JSONField()
    source = models.CharField(max_length=15, choices=Source.choices, default=Source.DECLARE)
    verified_at = models.DateTimeField(null=True)
    verified_by = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "donnée du profil"
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="profile_attribute_once"),
            models.CheckConstraint(
                condition=Q(source="declare", verified_at__isnull=True)
                | (~Q(source="declare") & Q(verified_at__isnull=False)),
                name="profile_attribute_mark",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.source})"


class Link(models.Model):
    """A link sent by mail that proves an address, once and for a time; the token is in the mail only (``links``)."""

    class Purpose(models.TextChoices):
        REGISTRATION = "registration", "Inscription"
        EMAIL = "email", "Changement d’adresse"
        EMAIL_UNDO = "email_undo", "Annulation d’un changement d’adresse"
        DELETION = "deletion", "Suppression du compte"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=15, choices=Purpose.choices)
    digest = models.CharField(max_length=64, unique=True)
    email = models.EmailField()
    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+")
    commune = models.ForeignKey("organisations.Organisation", models.SET_NULL, null=True, related_name="+")
    next = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "lien envoyé par courriel"
        indexes = [
            models.Index(fields=["email", "purpose"], name="link_email"),
            models.Index(fields=["expires_at"], name="link_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.created_at:%Y-%m-%d}"


class AccountExport(AccountModel):
    """Everything that an account holds, prepared at its holder's request and kept for a week."""

    asked_at = models.DateTimeField()
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    archives = models.JSONField(default=list)
    """What was made: ``name``, ``label`` and ``sha256`` of each archive."""
    archive = models.BinaryField(null=True)
    """A ZIP that holds them, ``<name>.zip`` each."""

    class Meta:
        verbose_name = "export d’un compte"

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d}"


class Tombstone(models.Model):
    """What is kept of a deleted account: a keyed digest of its address and the receipt, which names nobody."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(max_length=24, unique=True)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    email_digest = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(max_length=20)
    asked_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    erased = models.JSONField(default=dict)
    link = models.OneToOneField(Link, models.SET_NULL, null=True, related_name="tombstone")

    class Meta:
        verbose_name = "trace d’un compte supprimé"

    def __str__(self) -> str:
        return self.reference


class NameKey(models.Model):
    """The trigrams of an account's full name, by which namesakes are found (see ``duplicates``)."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="+")
    name = models.CharField(max_length=200)
    trigrams = ArrayField(models.CharField(max_length=3))

    class Meta:
        verbose_name = "clé de nom"
        indexes = [GinIndex(fields=["trigrams"], name="namekey_trigrams")]

    def __str__(self) -> str:
        return self.name


class Namesake(models.Model):
    """Two accounts that look like one person's: shown to administrators, never merged by the machine."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    first = models.ForeignKey(Account, models.CASCADE, related_name="+")
    second = models.ForeignKey(Account, models.CASCADE, related_name="+")
    similarity = models.FloatField()
    same_birth_date = models.BooleanField(default=False)
    found_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = "doublon possible"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="namesake_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="namesake_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ~ {self.second_id}"
