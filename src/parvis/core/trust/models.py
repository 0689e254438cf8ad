"""Register of certificates: who holds which, for what use, until when (never the private key)."""

import re
from datetime import datetime

from django.db import models

from parvis.core.organisations.models import TenantModel


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def usable(self, at: datetime) -> "CertificateQuerySet":
        """Neither expired, nor revoked, nor to come."""
        return self.filter(not_before__lte=at, not_after__gte=at, revoked_at__isnull=True)

    def for_signature(self) -> "CertificateQuerySet":
        return self.filter(usage=Certificate.Usage.SIGNATURE)


class Certificate(TenantModel):
    """One certificate known to an organisation; `key_ref` names its key in the secret folder."""

    class Usage(models.TextChoices):
        SIGNATURE = "signature", "Signature"
        SEAL = "cachet", "Cachet"
        AUTHENTICATION = "authentification", "Authentification"

    class Support(models.TextChoices):
        FILE = "fichier", "Fichier sur le serveur"
        TOKEN = "carte", "Carte ou clé cryptographique"
        HSM = "hsm", "Module matériel"
        REMOTE = "distant", "Signature à distance"

    holder = models.CharField("titulaire", max_length=200)
    account = models.ForeignKey(
        "identity.Account",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="compte du titulaire",
    )
    usage = models.CharField("usage", max_length=20, choices=Usage.choices)
    support = models.CharField("support", max_length=10, choices=Support.choices, default=Support.FILE)
    subject = models.CharField("sujet", max_length=500)
    issuer = models.CharField("émetteur", max_length=500)
    serial = models.CharField("numéro de série (hexadécimal)", max_length=64)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    not_before = models.DateTimeField("valable à partir du")
    not_after = models.DateTimeField("valable jusqu’au")
    without_legal_value = models.BooleanField("sans valeur légale", default=False)
    pem = models.TextField("certificat (PEM)")
    key_ref = models.CharField("référence de la clé", max_length=200, blank=True)
    revoked_at = models.DateTimeField("révoqué le", null=True, blank=True)
    revocation_reason = models.CharField("motif de la révocation", max_length=300, blank=True)
    last_used_at = models.DateTimeField("dernier usage", null=True, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = "certificat"
        ordering = ["not_after"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "sha256"], name="certificate_once"),
            models.CheckConstraint(condition=models.Q(not_after__gt=models.F("not_before")), name="certificate_dates"),
        ]
        indexes = [models.Index(fields=["organisation", "account", "usage"], name="certificate_of_account")]

    def __str__(self) -> str:
        return f"{self.holder} ({self.get_usage_display()})"

    @property
    def issuer_name(self) -> str:
        """Common name of the issuer, or its whole name when it has none."""
        found = re.search(r"Common Name: ([^,;]+)", self.issuer)
        return found.group(1).strip() if found else self.issuer
