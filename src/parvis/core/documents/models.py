"""Documents: immutable files known by their SHA-256; a changed version is a new document with a source."""

from django.db import models
from django.db.models import Q

from parvis.core.organisations.models import TenantModel


class Document(TenantModel):
    """One file as received or produced. The content lies in the storage under its SHA-256, never modified."""

    class Scan(models.TextChoices):
        NOT_SCANNED = "not_scanned", "Non analysé par l’antivirus"
        CLEAN = "clean", "Analysé, sain"
        INFECTED = "infected", "Contenu malveillant"

    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.BigIntegerField("taille en octets")
    filename = models.CharField("nom du fichier", max_length=255)
    label = models.CharField("intitulé", max_length=200, blank=True)
    media_type = models.CharField("type", max_length=120)
    puid = models.CharField("format PRONOM", max_length=20, blank=True)
    format_name = models.CharField("nom du format", max_length=120, blank=True)
    pages = models.PositiveIntegerField("nombre de pages", null=True)
    health = models.JSONField("contrôle du fichier", default=dict)
    scan_state = models.CharField("antivirus", max_length=12, choices=Scan.choices, default=Scan.NOT_SCANNED)
    source = models.ForeignKey("self", models.PROTECT, null=True, related_name="derived", verbose_name="issu de")
    derivation = models.CharField("transformation", max_length=30, blank=True)
    created_at = models.DateTimeField("déposé le")
    public_since = models.DateTimeField("public depuis", null=True)

    class Meta:
        verbose_name = "document"
        indexes = [models.Index(fields=["organisation", "sha256"], name="document_content")]
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_sha256_shape"),
            models.CheckConstraint(condition=Q(size__gte=0), name="document_size"),
        ]

    def __str__(self) -> str:
        return self.label or self.filename
