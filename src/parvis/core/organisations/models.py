"""The métropole, its communes and their CCAS: the tenants of the platform."""

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from parvis.core.ids import uuid7

SIREN = re.compile(r"\d{9}")
HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def luhn_key_holds(digits: str) -> bool:
    """True when ``digits`` satisfies the Luhn key used by SIREN and SIRET numbers (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


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
    email_sender = models.EmailField("adresse d’expédition", blank=True)
    website = models.URLField("site internet", blank=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = "organisation"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(siren__regex=r"^[0-9]{9}$"), name="organisation_siren_shape"),
            models.CheckConstraint(
                condition=Q(departement__regex=r"^[0-9][0-9AB][0-9]$"), name="organisation_departement_shape"
            ),
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

    def subscribes_to(self, application: str, on: date) -> bool:
        """True when the convention gives this organisation ``application`` on that day."""
        return any(
            s.application == application and s.since <= on and (s.until is None or on <= s.until)
            for s in self.subscriptions.all()
        )


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
