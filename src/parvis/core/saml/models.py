"""Sites that speak SAML 2.0, and what people agreed to let them know."""

from typing import ClassVar

from django.db import models

from parvis.core.identity.models import AccountModel
from parvis.core.provider.models import Service
from parvis.core.provider.proposals import Proposal


class SamlSite(Proposal):
    """A service provider as its metadata describe it."""

    FIELDS: ClassVar = (
        "name", "metadata", "contact", "relation", "name_id", "attributes", "populations", "members_only",
    )  # fmt: skip

    class NameId(models.TextChoices):
        PERSISTENT = "persistent", "Identifiant stable, propre à l’organisation ou au tiers (recommandé)"
        TRANSIENT = "transient", "Identifiant différent à chaque connexion"
        EMAIL = "email", "Adresse électronique"

    name = models.CharField("nom", max_length=100)
    entity_id = models.CharField("identifiant SAML", max_length=255, unique=True, editable=False)
    metadata = models.TextField("métadonnées", editable=False)
    contact = models.EmailField("adresse du contact technique")
    relation = models.CharField("nature", max_length=8, choices=Service.Relation.choices, default=Service.Relation.OWN)
    name_id = models.CharField("identifiant transmis", max_length=12, choices=NameId.choices, default=NameId.PERSISTENT)
    attributes = models.JSONField("données transmises", default=list)
    populations = models.JSONField("populations admises", default=list)
    members_only = models.BooleanField("réservé à ceux qui ont un mandat dans l’organisation", default=False)

    class Meta:
        verbose_name = "service SAML"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def sector(self) -> str:
        """An organisation's own sites know a person by one subject, whatever their protocol; a third party's by one
        of its own."""
        own = self.relation == Service.Relation.OWN
        return f"organisation:{self.organisation_id}" if own else f"service:{self.pk}"


class SamlConsent(AccountModel):
    """What a person agreed to let one site know."""

    site = models.ForeignKey(SamlSite, models.CASCADE, related_name="+")
    attributes = models.JSONField(default=list)
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = "accord SAML"
        constraints = [models.UniqueConstraint(fields=["account", "site"], name="saml_consent_once")]

    def __str__(self) -> str:
        return str(self.site_id)
