"""Versions of the look of an organisation: one draft at most, one published, the former ones to go back to."""

from typing import Any

from django.db import models
from django.db.models import Q

from parvis.core.documents.models import Document
from parvis.core.identity.models import Account
from parvis.core.organisations.models import TenantModel, validate_colour

VALUES = (
    "logo_id", "logo_alt", "header_id", "accent", "accent_2", "welcome_text", "footer_links", "footer_text",
    "sender_name", "reply_to", "signature",
)  # fmt: skip


class BrandingVersion(TenantModel):
    """One look. Pictures are documents of the organisation; a published version is readable by everybody."""

    class State(models.TextChoices):
        DRAFT = "brouillon", "Brouillon"
        PUBLISHED = "publiee", "En ligne"
        FORMER = "ancienne", "Ancienne"

    number = models.PositiveIntegerField("numéro")
    state = models.CharField("état", max_length=9, choices=State.choices, default=State.DRAFT)
    logo = models.ForeignKey(Document, models.PROTECT, null=True, related_name="+", verbose_name="logo")
    logo_alt = models.CharField("texte du logo", max_length=120, blank=True)
    header = models.ForeignKey(Document, models.PROTECT, null=True, related_name="+", verbose_name="image d’en-tête")
    accent = models.CharField("couleur principale", max_length=7, validators=[validate_colour])
    accent_2 = models.CharField("couleur secondaire", max_length=7, validators=[validate_colour])
    welcome_text = models.TextField("mot d’accueil", blank=True)
    footer_links = models.JSONField("liens de bas de page", default=list)  # [{"label", "url"}]
    footer_text = models.TextField("texte de bas de page", blank=True)
    sender_name = models.CharField("nom d’expéditeur", max_length=80, blank=True)
    reply_to = models.EmailField("adresse de réponse", blank=True)
    signature = models.TextField("signature des messages", blank=True)

    created_at = models.DateTimeField("commencée le")
    saved_at = models.DateTimeField("enregistrée le")
    saved_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", verbose_name="enregistrée par")
    published_at = models.DateTimeField("publiée le", null=True)
    published_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", verbose_name="publiée par")
    restored_from = models.PositiveIntegerField("reprise de la version", null=True)

    class Meta:
        verbose_name = "version de la charte"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="branding_number"),
            models.UniqueConstraint(fields=["organisation"], condition=Q(state="brouillon"), name="branding_one_draft"),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(state="publiee"), name="branding_one_published"
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"

    def values(self) -> dict[str, Any]:
        """What the version says, as JSON values, by the names of its columns."""
        found = {name: getattr(self, name) for name in VALUES}
        return {name: str(v) if name.endswith("_id") and v else v for name, v in found.items()}
