"""Dossiers of the parapheur, the circuit they follow and the steps people took."""

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from parvis.core.organisations.models import TenantModel


class Action(models.TextChoices):
    """What a step of a circuit asks for."""

    VISA = "visa", "Visa"
    SIGNATURE = "signature", "Signature"


PERMISSIONS = {Action.VISA: "parapheur.viser", Action.SIGNATURE: "parapheur.signer"}
VERBS = {Action.VISA: "Viser", Action.SIGNATURE: "Signer"}


class Circuit(TenantModel):
    """A template of steps: one visa, then one signature, each with its number of days."""

    kind = models.CharField("nature des documents", max_length=30)
    name = models.CharField("nom", max_length=120)
    visa_days = models.PositiveSmallIntegerField("délai du visa, en jours", default=2)
    signature_days = models.PositiveSmallIntegerField("délai de la signature, en jours", default=2)

    class Meta:
        verbose_name = "circuit"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind"], name="circuit_once_per_kind"),
            models.CheckConstraint(condition=Q(visa_days__gte=1, signature_days__gte=1), name="circuit_days"),
        ]

    def __str__(self) -> str:
        return self.name

    def days(self, action: str) -> int:
        return self.visa_days if action == Action.VISA else self.signature_days


class DossierQuerySet(models.QuerySet["Dossier"]):
    def recent(self) -> "DossierQuerySet":
        return self.select_related("document", "route_step__route").order_by("-created_at", "-id")

    def pending(self) -> "DossierQuerySet":
        return self.filter(state__in=Dossier.PENDING)


class Dossier(FSMModelMixin, TenantModel):
    """One document on its way to signature."""

    class State(models.TextChoices):
        VISA = "visa", "À viser"
        SIGNATURE = "signature", "À signer"
        SIGNING = "signing", "Signature en cours"
        SIGNED = "signed", "Signé"
        REFUSED = "refused", "Refusé"

    class Stage(models.TextChoices):
        """Where the signing job stands, in order."""

        QUEUED = "queued", "La signature attend son tour"
        CHECKING = "checking", "Vérification du certificat et du document"
        SIGNING = "signing", "Signature et horodatage"
        VALIDATING = "validating", "Vérification de la signature"
        STORING = "storing", "Enregistrement du document signé"

    PENDING = (State.VISA, State.SIGNATURE, State.SIGNING)

    route_step = models.ForeignKey("routing.RouteStep", models.PROTECT, related_name="+")
    circuit = models.ForeignKey(Circuit, models.PROTECT, related_name="+")
    title = models.CharField("objet", max_length=1000)
    reference = models.CharField("numéro", max_length=60)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+", verbose_name="document")
    signed_document = models.ForeignKey("documents.Document", models.PROTECT, null=True, related_name="+")
    report = models.ForeignKey("documents.Document", models.PROTECT, null=True, related_name="+")
    state = FSMField("état", max_length=10, choices=State.choices, default=State.VISA, protected=True)
    created_at = models.DateTimeField("ouvert le")
    signer = models.ForeignKey("identity.Account", models.PROTECT, null=True, related_name="+")
    stage = models.CharField("avancement", max_length=12, choices=Stage.choices, blank=True)
    failure = models.CharField("motif de l’échec", max_length=500, blank=True)
    verdict = models.CharField("verdict de la signature", max_length=20, blank=True)
    verdict_sentence = models.CharField("conclusion du rapport", max_length=300, blank=True)

    objects = DossierQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier"
        indexes = [models.Index(fields=["organisation", "-created_at", "-id"], name="dossier_recent")]
        constraints = [
            models.UniqueConstraint(
                fields=["route_step"], condition=~Q(state="refused"), name="dossier_one_live_per_step"
            ),
            models.CheckConstraint(
                condition=~Q(state="signed")
                | Q(signed_document__isnull=False, report__isnull=False, verdict="TOTAL_PASSED"),
                name="dossier_signed_is_valid",
            ),
            models.CheckConstraint(condition=~Q(state="signing") | Q(signer__isnull=False), name="dossier_signer"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}".strip()

    @property
    def stage_number(self) -> int:
        """Rank of the present stage among those of the signing job, from 0."""
        return [*self.Stage].index(self.Stage(self.stage)) if self.stage else 0

    @transition(field=state, source=State.VISA, target=State.SIGNATURE)
    def endorse(self) -> None:
        """Visa given: the dossier goes to signature."""

    @transition(field=state, source=State.SIGNATURE, target=State.SIGNING)
    def begin_signing(self) -> None:
        """The signatory confirmed: a job signs."""

    @transition(field=state, source=State.SIGNING, target=State.SIGNATURE)
    def give_back(self) -> None:
        """The signature failed: the signatory may try again."""

    @transition(field=state, source=State.SIGNING, target=State.SIGNED)
    def finish(self) -> None:
        """The signed document is stored and its signature validated."""

    @transition(field=state, source=[State.VISA, State.SIGNATURE], target=State.REFUSED)
    def refuse(self) -> None:
        """Refused with a motive: it goes back to whoever prepared it."""


class Etape(TenantModel):
    """One step of a dossier's circuit, and who took it."""

    class State(models.TextChoices):
        WAITING = "waiting", "À venir"
        CURRENT = "current", "En attente"
        DONE = "done", "Faite"
        REFUSED = "refused", "Refusée"

    dossier = models.ForeignKey(Dossier, models.PROTECT, related_name="etapes")
    rank = models.PositiveSmallIntegerField("rang")
    action = models.CharField("action", max_length=10, choices=Action.choices)
    state = models.CharField("état", max_length=10, choices=State.choices, default=State.WAITING)
    started_at = models.DateTimeField("ouverte le", null=True)
    deadline = models.DateTimeField("échéance", null=True)
    account = models.ForeignKey("identity.Account", models.PROTECT, null=True, related_name="+")
    quality = models.CharField("qualité", max_length=120, blank=True)
    ended_at = models.DateTimeField("faite le", null=True)
    motive = models.CharField("motif", max_length=500, blank=True)
    document_sha256 = models.CharField("empreinte du document vu", max_length=64, blank=True)

    class Meta:
        verbose_name = "étape du dossier"
        ordering = ["dossier", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "rank"], name="etape_rank"),
            models.UniqueConstraint(fields=["dossier"], condition=Q(state="current"), name="etape_one_current"),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "refused"])
                | Q(account__isnull=False, ended_at__isnull=False) & ~Q(document_sha256=""),
                name="etape_done_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(motive=""), name="etape_refusal_has_motive"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="etape_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dossier} : {self.get_action_display()}"

    @property
    def label(self) -> str:
        """French label for the present state, for the visible route of the dossier."""
        done = {Action.VISA: "Visé", Action.SIGNATURE: "Signé"}
        to_do = {Action.VISA: "À viser", Action.SIGNATURE: "À signer"}
        if self.state == self.State.REFUSED:
            return "Refusé"
        return (done if self.state == self.State.DONE else to_do)[Action(self.action)]

    @property
    def summary(self) -> str:
        """Who took the step, in what quality."""
        if self.account is None:
            return ""
        return f"{self.account}, {self.quality}" if self.quality else str(self.account)
