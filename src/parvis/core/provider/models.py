"""Sites that trust the platform's accounts, what people let them know, and what was issued to them.

The registration that an organisation proposes is a ``Service``; once approved it is projected onto the library's
``Client``, which the endpoints read. People are named to a site by the random subject of its sector.
"""

from allauth.idp.oidc.models import Client
from django.db import models

from parvis.core.identity.models import Account, AccountModel
from parvis.core.organisations.models import TenantModel


class Service(TenantModel):
    """Registration of a relying party as its organisation wants it; what is in force is on its ``Client``."""

    class State(models.TextChoices):
        PROPOSED = "propose", "proposé"
        LIVE = "en_service", "en service"
        CHANGED = "modifie", "modification à approuver"
        REFUSED = "refuse", "refusé"
        SUSPENDED = "suspendu", "suspendu"

    class Relation(models.TextChoices):
        OWN = "propre", "Site de l’organisation"
        THIRD_PARTY = "tiers", "Service d’un tiers"

    class Type(models.TextChoices):
        CONFIDENTIAL = "confidential", "Serveur qui garde un secret"
        PUBLIC = "public", "Application sans secret (navigateur, téléphone)"

    class Authentication(models.TextChoices):
        SECRET = "secret", "Un secret partagé (client_secret_basic ou client_secret_post)"
        KEY = "cle", "Une clé dont il garde la partie privée (private_key_jwt)"

    class Agreement(models.TextChoices):
        ASK = "demander", "Demander à chaque personne"
        ORGANISATION = "organisation", "Une fois pour tous les sites de l’organisation, ou tous les tiers qu’elle relie"
        NONE = "dispense", "Ne pas demander (mission de service public)"

    class Level(models.TextChoices):
        ANY = "", "Aucun niveau particulier"
        PASSWORD = "parvis:1", "Mot de passe"
        FRANCECONNECT = "eidas1", "FranceConnect"
        TWO_FACTORS = "parvis:2", "Deux facteurs"

    client = models.OneToOneField(Client, models.PROTECT, related_name="+", editable=False)
    state = models.CharField("état", max_length=12, choices=State.choices, default=State.PROPOSED)
    name = models.CharField("nom", max_length=100)
    description = models.TextField("description", blank=True)
    logo = models.ForeignKey("documents.Document", models.PROTECT, null=True, related_name="+", verbose_name="logo")
    home_url = models.URLField("page d’accueil")
    contact = models.EmailField("adresse du contact technique")
    relation = models.CharField("nature", max_length=8, choices=Relation.choices)
    type = models.CharField("type", max_length=12, choices=Type.choices, default=Type.CONFIDENTIAL)
    authentication = models.CharField(
        "preuve du serveur", max_length=6, choices=Authentication.choices, default=Authentication.SECRET
    )
    jwks = models.JSONField("clés publiques", null=True, blank=True)
    jwks_uri = models.URLField("adresse des clés publiques", blank=True)
    redirect_uris = models.JSONField("adresses de retour", default=list)
    post_logout_uris = models.JSONField("adresses après déconnexion", default=list, blank=True)
    backchannel_logout_url = models.URLField("adresse de déconnexion", blank=True)
    scopes = models.JSONField("portées (scopes)", default=list)
    claims = models.JSONField("données demandées", default=list)
    agreement = models.CharField("accord des personnes", max_length=12, choices=Agreement.choices)
    acr = models.CharField("niveau exigé", max_length=10, choices=Level.choices, blank=True)
    populations = models.JSONField("populations admises", default=list)
    members_only = models.BooleanField("réservé à ceux qui ont un mandat dans l’organisation", default=False)
    roles = models.JSONField("rôles admis", default=list)
    access_lifetime = models.PositiveIntegerField("durée d’un jeton d’accès, en secondes", default=300)
    id_lifetime = models.PositiveIntegerField("durée d’un jeton d’identité, en secondes", default=300)
    refresh_lifetime = models.PositiveIntegerField("durée d’un jeton de rafraîchissement, en secondes", default=28800)
    refusal = models.CharField("motif du refus", max_length=300, blank=True)
    created_at = models.DateTimeField("proposé le", auto_now_add=True)
    approved_at = models.DateTimeField("approuvé le", null=True)
    approved_by = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+")
    last_used_at = models.DateTimeField("dernière utilisation", null=True)

    class Meta:
        verbose_name = "service relié"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def sector(self) -> str:
        """Within a sector a person has one subject: that of the organisation's own sites, or of one third party."""
        own = self.relation == self.Relation.OWN
        return f"organisation:{self.organisation_id}" if own else f"service:{self.pk}"

    @property
    def population_labels(self) -> list[str]:
        return [Account.Population(code).label for code in self.populations]


class Subject(AccountModel):
    """The random name of a person in one sector; the only identifier that the sites of the sector ever see."""

    organisation = models.ForeignKey("organisations.Organisation", models.CASCADE, related_name="+")
    sector = models.CharField(max_length=60)
    sub = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = "identifiant sectoriel"
        constraints = [models.UniqueConstraint(fields=["account", "sector"], name="subject_once_per_sector")]

    def __str__(self) -> str:
        return self.sub


class Consent(AccountModel):
    """What a person lets one site know: the scopes, and the claims of them that they read."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    scopes = models.JSONField(default=list)
    claims = models.JSONField(default=list)
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = "accord"
        constraints = [models.UniqueConstraint(fields=["account", "client"], name="consent_once")]

    def __str__(self) -> str:
        return f"{self.client_id} {' '.join(self.scopes)}"


class Grant(AccountModel):
    """One login of a person on a site: the family of everything issued from its authorization code.

    ``session`` is the digest of the browser session's own secret and ``session_key`` its present key; ended
    grants give nothing more.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    sub = models.CharField(max_length=64)
    sid = models.CharField(max_length=64)
    session = models.CharField(max_length=64)
    session_key = models.CharField(max_length=40)
    scopes = models.JSONField(default=list)
    claims = models.JSONField(default=list)
    entity = models.ForeignKey("entities.EntityRole", models.SET_NULL, null=True, related_name="+")
    acr = models.CharField(max_length=20)
    amr = models.JSONField(default=list)
    auth_time = models.BigIntegerField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name = "connexion à un service relié"
        indexes = [
            models.Index(fields=["account", "session"], name="grant_session"),
            models.Index(fields=["session_key"], name="grant_session_key"),
            models.Index(fields=["created_at"], name="grant_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.created_at:%Y-%m-%d %H:%M}"


class AssertionUse(models.Model):
    """That a site proved itself by an assertion, whose digested ``jti`` serves no more (RFC 7523, 3)."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    jti = models.CharField(max_length=64)
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "assertion reçue"
        constraints = [models.UniqueConstraint(fields=["client", "jti"], name="assertion_once")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.until:%Y-%m-%d %H:%M}"


class LogoutNotice(TenantModel):
    """A site to be told that a session ended (OpenID Connect Back-Channel Logout 1.0)."""

    class State(models.TextChoices):
        WAITING = "a_envoyer", "à envoyer"
        TOLD = "confirmee", "confirmée"
        FAILED = "echouee", "échouée"

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    sub = models.CharField(max_length=64)
    sid = models.CharField(max_length=64)
    state = models.CharField("état", max_length=12, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    reason = models.CharField("dernière réponse", max_length=200, blank=True)
    created_at = models.DateTimeField("fin de session")
    told_at = models.DateTimeField("confirmée le", null=True)

    class Meta:
        verbose_name = "avis de déconnexion"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["client", "-created_at"], name="logoutnotice_client")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.state}"
