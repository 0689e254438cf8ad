"""Identities of FranceConnect and ProConnect that belong to accounts, agents' requests to be let in, and the
directories by which organisations let theirs in."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from parvis.core.federation.configuration import DIRECTORY, LABELS, logout_address, return_address
from parvis.core.identity.models import AccountModel
from parvis.core.organisations.models import TenantModel
from parvis.core.organisations.naming import of_it
from parvis.core.provider.proposals import Proposal


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


class Directory(Proposal):
    """The OpenID Connect directory of an organisation, by which its agents log in once the platform approved it.

    ``claims`` says which claim of the identity token gives the ``id`` that never changes, the names and the address;
    ``factor_value`` of ``factor_claim`` stands for a second factor. ``secret`` is sealed.
    """

    FIELDS: ClassVar = (
        "issuer", "client_id", "secret", "algorithm", "domains", "claims", "factor_claim", "factor_value",
    )  # fmt: skip

    class Factor(models.TextChoices):
        ACR = "acr", "acr (niveau de la connexion)"
        AMR = "amr", "amr (moyens employés)"

    issuer = models.CharField("émetteur", max_length=200)
    client_id = models.CharField("identifiant de la plateforme", max_length=200)
    secret = models.TextField("secret de la plateforme", editable=False)
    algorithm = models.CharField("algorithme", max_length=5)
    domains = models.JSONField("domaines de messagerie", default=list)
    claims = models.JSONField("attributs", default=dict)
    factor_claim = models.CharField("attribut du second facteur", max_length=3, blank=True, choices=Factor.choices)
    factor_value = models.CharField("valeur du second facteur", max_length=120, blank=True)

    class Meta:
        verbose_name = "annuaire des agents"
        constraints = [
            models.UniqueConstraint(fields=["organisation"], name="directory_one_by_organisation"),
            models.UniqueConstraint(
                fields=["issuer"], condition=Q(approved_at__isnull=False), name="directory_issuer_once"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def code(self) -> str:
        """How sessions name it; see ``configuration.is_directory``."""
        return f"{DIRECTORY}-{self.pk.hex}"

    @property
    def redirect_uri(self) -> str:
        """Where it sends people back, under the address of the platform: its own, which no other directory has."""
        return return_address(self.code)

    @property
    def post_logout_redirect_uri(self) -> str:
        return logout_address(self.code)

    @property
    def label(self) -> str:
        """« annuaire de la commune de … »."""
        return f"annuaire {of_it(self.organisation.name)}"


class DirectoryDomain(TenantModel):
    """A domain of e-mail addresses for which the approved directory of one organisation answers, and no other."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="+")
    domain = models.CharField("domaine", max_length=190, unique=True)

    class Meta:
        verbose_name = "domaine d’un annuaire"

    def __str__(self) -> str:
        return self.domain


class DirectoryAgent(TenantModel):
    """Whose account the directory's identifier names; the organisation reads it, and the agent too."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="+")
    subject = models.CharField("identifiant dans l’annuaire", max_length=255)
    account = models.ForeignKey("identity.Account", models.CASCADE, related_name="+")
    first_at = models.DateTimeField("première connexion")
    used_at = models.DateTimeField("dernière connexion")

    class Meta:
        verbose_name = "agent d’un annuaire"
        constraints = [
            models.UniqueConstraint(fields=["directory", "subject"], name="directoryagent_subject"),
            models.UniqueConstraint(fields=["directory", "account"], name="directoryagent_account"),
        ]
        indexes = [models.Index(fields=["directory", "-first_at", "-id"], name="directoryagent_recent")]

    def __str__(self) -> str:
        return f"{self.account} ({self.first_at:%Y-%m-%d})"
