"""Accounts of machines: each belongs to one organisation, never to a person, and proves itself at every call."""

import ipaddress
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from parvis.core import clock
from parvis.core.organisations.models import TenantModel


class ApiAccountQuerySet(models.QuerySet["ApiAccount"]):
    def live(self) -> "ApiAccountQuerySet":
        return self.filter(revoked_at__isnull=True)


class ApiAccount(TenantModel):
    """A piece of software that calls the API for one organisation, within its scopes.

    It proves itself by a secret, or by the TLS certificate whose digest is kept here and then by nothing else. The
    certificate that this one replaced proves it too, until ``former_until``.
    """

    name = models.CharField("nom", max_length=80)
    contact = models.EmailField("adresse à prévenir")
    scopes = ArrayField(models.CharField(max_length=60), verbose_name="droits", default=list, blank=True)
    networks = ArrayField(models.CharField(max_length=43), verbose_name="réseaux admis", default=list, blank=True)
    certificate_sha256 = models.CharField("empreinte du certificat", max_length=64, blank=True)
    certificate_subject = models.CharField("titulaire du certificat", max_length=300, blank=True)
    certificate_until = models.DateTimeField("fin du certificat", null=True, blank=True)
    former_sha256 = models.CharField("empreinte de l’ancien certificat", max_length=64, blank=True)
    former_until = models.DateTimeField("ancien certificat accepté jusqu’au", null=True, blank=True)
    expires_on = models.DateField("dernier jour", null=True, blank=True)
    created_at = models.DateTimeField("créé le")
    last_used_at = models.DateTimeField("dernier appel", null=True, blank=True)
    last_address = models.GenericIPAddressField("adresse du dernier appel", null=True, blank=True)
    revoked_at = models.DateTimeField("révoqué le", null=True, blank=True)

    objects = ApiAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "compte d’API"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"], condition=Q(revoked_at__isnull=True), name="apiaccount_name"
            ),
            models.CheckConstraint(
                condition=Q(certificate_sha256="") | Q(certificate_until__isnull=False), name="apiaccount_certificate"
            ),
            models.CheckConstraint(
                condition=Q(former_sha256="", former_until__isnull=True)
                | (~Q(certificate_sha256="") & ~Q(former_sha256="") & Q(former_until__isnull=False)),
                name="apiaccount_former",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def identifier(self) -> str:
        """What the software calls itself: the SIREN says whose account it is before any row can be read."""
        return f"{self.organisation.siren}-{self.pk.hex}"

    @property
    def expired(self) -> bool:
        return self.expires_on is not None and self.expires_on < clock.today()

    @property
    def usable(self) -> bool:
        """Neither revoked, nor expired."""
        return self.revoked_at is None and not self.expired

    @property
    def former_accepted(self) -> bool:
        """True while the certificate that was replaced still proves the account."""
        return self.former_until is not None and clock.now() < self.former_until

    def admits(self, address: str) -> bool:
        """True when a call may come from ``address``: any, or one of the networks named."""
        if not self.networks:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(caller in ipaddress.ip_network(network) for network in self.networks)


class ApiSecretQuerySet(models.QuerySet["ApiSecret"]):
    def valid(self, at: datetime) -> "ApiSecretQuerySet":
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))


class ApiSecret(TenantModel):
    """The digest of one secret. The current one has no end; the one it replaced has, and both are valid till then."""

    account = models.ForeignKey(ApiAccount, models.CASCADE, related_name="secrets")
    digest = models.CharField("empreinte", max_length=64)
    hint = models.CharField("fin du secret", max_length=4)
    created_at = models.DateTimeField("créé le")
    ends_at = models.DateTimeField("valable jusqu’au", null=True, blank=True)

    objects = ApiSecretQuerySet.as_manager()

    class Meta:
        verbose_name = "secret d’API"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(ends_at__isnull=True), name="apisecret_one_current")
        ]

    def __str__(self) -> str:
        return f"…{self.hint}"


class EndNotice(TenantModel):
    """One notice given to the contact of an account. Its natural key makes it unique, however often the job runs."""

    class What(models.TextChoices):
        ACCOUNT = "account", "le compte"
        SECRET = "secret", "l’ancien secret"
        CERTIFICATE = "certificate", "le certificat"
        FORMER = "former", "l’ancien certificat"

    account = models.ForeignKey(ApiAccount, models.CASCADE, related_name="end_notices")
    what = models.CharField("ce qui prend fin", max_length=11, choices=What.choices)
    ends_at = models.DateTimeField("fin")
    days = models.PositiveSmallIntegerField("préavis, en jours")
    noted_at = models.DateTimeField("annoncée le")

    class Meta:
        verbose_name = "annonce d’une échéance"
        constraints = [
            models.UniqueConstraint(fields=["account", "what", "ends_at", "days"], name="endnotice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()}, {self.days} jours avant"


class Meter(models.Model):
    """Calls of one caller (an account or an address) in the present window of time and in the one before."""

    key = models.CharField(primary_key=True, max_length=80)
    window = models.BigIntegerField()
    current = models.IntegerField()
    previous = models.IntegerField()

    class Meta:
        verbose_name = "compteur d’appels"

    def __str__(self) -> str:
        return f"{self.key} : {self.current}"
