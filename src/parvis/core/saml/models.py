"""Sites that speak SAML 2.0, and what people agreed to let them know."""

import hashlib
import json
from typing import Any, Final

from django.db import models

from parvis.core.identity.models import Account, AccountModel
from parvis.core.organisations.models import TenantModel
from parvis.core.provider.models import Service

FIELDS: Final = (
    "name", "metadata", "contact", "relation", "name_id", "attributes", "populations", "members_only",
)  # fmt: skip
"""What an organisation proposes of a site, and the platform approves."""


class SamlSite(TenantModel):
    """A service provider as its metadata describe it; answered only once the platform has put it in service.

    The columns of ``FIELDS`` are what is in force, or the first proposal; ``proposal`` is what the organisation wants
    instead, until the platform approves it, or refuses it and says why in ``refusal``.
    """

    class State(models.TextChoices):
        PROPOSED = "propose", "proposé"
        LIVE = "en_service", "en service"
        REFUSED = "refuse", "refusé"
        SUSPENDED = "suspendu", "suspendu"

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
    state = models.CharField("état", max_length=12, choices=State.choices, default=State.PROPOSED)
    proposal = models.JSONField("modification proposée", null=True, editable=False)
    refusal = models.CharField("motif du refus", max_length=300, blank=True)
    created_at = models.DateTimeField("proposé le", auto_now_add=True)
    approved_at = models.DateTimeField("mis en service le", null=True)
    approved_by = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    last_used_at = models.DateTimeField("dernière utilisation", null=True)

    class Meta:
        verbose_name = "service SAML"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def in_force(self) -> dict[str, Any]:
        """The values of the columns, by the names of ``FIELDS``."""
        return {name: getattr(self, name) for name in FIELDS}

    @property
    def proposed(self) -> dict[str, Any]:
        """What the organisation proposed last, by the names of ``FIELDS``: the same where it wants nothing else."""
        return {**self.in_force, **(self.proposal or {})}

    @property
    def waits(self) -> bool:
        """Whether the platform has something to approve or to refuse."""
        changed = self.state == self.State.LIVE and self.proposal is not None and not self.refusal
        return changed or self.state == self.State.PROPOSED

    @property
    def standing(self) -> str:
        """Where the site is, in the words of the services of OpenID Connect."""
        changed = self.state == self.State.LIVE and self.waits
        return str(Service.State.CHANGED.label if changed else self.get_state_display())

    @property
    def fingerprint(self) -> str:
        """Digest of all that the platform judges: what it approves is what it read."""
        return hashlib.sha256(json.dumps(self.proposed, sort_keys=True).encode()).hexdigest()

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
