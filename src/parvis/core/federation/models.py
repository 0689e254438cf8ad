"""Identities of FranceConnect and ProConnect that belong to accounts, and agents' requests to be let in."""

from typing import Any

from django.db import models

from parvis.core.federation.configuration import LABELS
from parvis.core.identity.models import AccountModel
from parvis.core.organisations.models import TenantModel


class FederatedIdentity(AccountModel):
    """One identity of one provider, of one account: the database refuses a second one either way.

    ``told`` is what the provider last said of the person (as received), to see what changes.
    """

    provider = models.CharField(max_length=15, choices=[*LABELS.items()])
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    told = models.JSONField(default=dict)
    linked_at = models.DateTimeField("relié le")
    used_at = models.DateTimeField("dernière connexion")

    class Meta:
        verbose_name = "identité fédérée"
        verbose_name_plural = "identités fédérées"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="federatedidentity_subject"),
            models.UniqueConstraint(fields=["account", "provider"], name="federatedidentity_account"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} ({self.linked_at:%Y-%m-%d})"


class IdentityChange(AccountModel):
    """What a provider changed in somebody's identity: ``changes`` is {attribute: [before, after]}."""

    provider = models.CharField(max_length=15, choices=[*LABELS.items()])
    at = models.DateTimeField()
    changes = models.JSONField()

    class Meta:
        verbose_name = "changement d’identité"
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.at:%Y-%m-%d}"


class PivotKey(models.Model):
    """Keyed digest of six verified values, by which the rule of six values finds an account without reading others."""

    account = models.OneToOneField("identity.Account", models.CASCADE, primary_key=True, related_name="+")
    digest = models.CharField(max_length=64, db_index=True)

    class Meta:
        verbose_name = "empreinte d’identité pivot"

    def __str__(self) -> str:
        return self.digest[:8]


class ActivationRequest(TenantModel):
    """An agent known to ProConnect and not here: the organisation of their SIRET decides which account is theirs."""

    class State(models.TextChoices):
        WAITING = "waiting", "À traiter"
        APPROVED = "approved", "Acceptée, à confirmer par l’agent"
        LINKED = "linked", "Reliée"
        REFUSED = "refused", "Refusée"

    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    given_name = models.CharField("prénom", max_length=160)
    usual_name = models.CharField("nom", max_length=160)
    email = models.EmailField("adresse indiquée par ProConnect", blank=True)
    uid = models.CharField("identifiant", max_length=120, blank=True)
    siret = models.CharField("SIRET", max_length=14)
    idp_id = models.CharField("fournisseur d’identité", max_length=120, blank=True)
    asked_at = models.DateTimeField("demandé le")
    state = models.CharField("état", max_length=10, choices=State.choices, default=State.WAITING)
    account = models.ForeignKey("identity.Account", models.SET_NULL, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)

    class Meta:
        verbose_name = "demande d’activation"
        ordering = ["asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "issuer", "subject"], name="activationrequest_once"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.usual_name}".strip() or self.email or self.uid

    @classmethod
    def described(cls, told: dict[str, Any]) -> dict[str, str]:
        """The columns that come from ProConnect's claims, cut to size."""
        return {
            name: str(told.get(name, ""))[: getattr(cls._meta.get_field(name), "max_length", 0)]
            for name in ("given_name", "usual_name", "email", "uid", "siret", "idp_id")
        }


class DeclaredDomain(TenantModel):
    """A domain of e-mail addresses that the organisation gives to its agents and to nobody else."""

    domain = models.CharField("domaine", max_length=190)
    declared_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    declared_at = models.DateTimeField("déclaré le")

    class Meta:
        verbose_name = "domaine de messagerie"
        ordering = ["domain"]
        constraints = [models.UniqueConstraint(fields=["organisation", "domain"], name="declareddomain_once")]

    def __str__(self) -> str:
        return self.domain
