"""The route of a document through services, and the tasks it leaves in the inbox « À traiter »."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from parvis.core.organisations.models import TenantModel


class Route(TenantModel):
    """The whole way of one object (a deliberation) through the services of one organisation.

    ``facts`` is what one service tells the next, in the keys documented in ``docs/chain.md``.
    """

    class State(models.TextChoices):
        RUNNING = "running", "En cours"
        DONE = "done", "Terminé"
        FAILED = "failed", "En échec"
        ENDED = "ended", "Interrompu"

    kind = models.CharField("nature", max_length=30)
    title = models.CharField("objet", max_length=1000)
    reference = models.CharField("numéro", max_length=60)
    facts = models.JSONField("faits", default=dict)
    state = models.CharField("état", max_length=10, choices=State.choices, default=State.RUNNING)
    created_at = models.DateTimeField("ouvert le")

    class Meta:
        verbose_name = "cheminement"
        indexes = [
            models.Index(fields=["organisation", "-created_at", "-id"], name="route_recent"),
            models.Index(fields=["organisation", "state", "-created_at", "-id"], name="route_recent_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def document(self, role: str):
        """The latest document that holds ``role`` on this route, or None."""
        holder = self.documents.filter(role=role).select_related("document").order_by("-id").first()
        return holder and holder.document


class RouteStep(TenantModel):
    """One step of a route, carried out by the plug-in registered under ``code``."""

    class State(models.TextChoices):
        WAITING = "waiting", "À venir"
        CURRENT = "current", "En cours"
        DONE = "done", "Faite"
        FAILED = "failed", "En échec"
        DROPPED = "dropped", "Sans suite"

    route = models.ForeignKey(Route, models.PROTECT, related_name="steps")
    rank = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    summary = models.CharField("résumé", max_length=300, blank=True)

    class Meta:
        verbose_name = "étape"
        ordering = ["route", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["route", "rank"], name="route_step_rank"),
            models.UniqueConstraint(fields=["route", "code"], name="route_step_code"),
            models.UniqueConstraint(
                fields=["route"], condition=Q(state__in=["current", "failed"]), name="route_one_current_step"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route.reference} : {self.code}"

    @property
    def label(self) -> str:
        """French label for the present state: « À signer », « Signée » once done, « Non signée » once dropped."""
        from parvis.core.routing.registry import done_label, dropped_label, plugin

        step = plugin(self.code)
        if self.state == self.State.DROPPED:
            return dropped_label(step)
        return done_label(step, self) if self.state == self.State.DONE else step.label

    @property
    def failure_page(self) -> str:
        """Address of the page that says why the step failed; "" when it has not."""
        if self.state != self.State.FAILED:
            return ""
        return reverse("route_steps:failed", args=[self.organisation.slug, self.pk])


class RouteDocument(TenantModel):
    """A document that plays a role on a route (original, signé, accusé de réception…)."""

    route = models.ForeignKey(Route, models.PROTECT, related_name="documents")
    role = models.CharField(max_length=40)
    label = models.CharField("intitulé", max_length=200)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "pièce du cheminement"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "role", "document"], name="route_document_once"),
        ]

    def __str__(self) -> str:
        return self.label


class Task(TenantModel):
    """Something a person must do, shown in the inbox until it is done."""

    class State(models.TextChoices):
        OPEN = "open", "À traiter"
        DONE = "done", "Traitée"

    service = models.CharField(max_length=20)
    verb = models.CharField("action", max_length=40, help_text="« Signer », « Transmettre »…")
    title = models.CharField("intitulé", max_length=300)
    summary = models.CharField("précision", max_length=300, blank=True)
    permission = models.CharField("permission requise", max_length=60)
    assignee = models.ForeignKey("identity.Account", models.PROTECT, null=True, blank=True, related_name="+")
    barred = models.ForeignKey(
        "identity.Account", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="personne écartée"
    )
    deadline = models.DateTimeField("échéance", null=True, blank=True)
    deadline_rule = models.CharField("règle de l’échéance", max_length=200, blank=True)
    path = models.CharField("adresse", max_length=300)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "tâche"
        indexes = [
            models.Index(
                fields=["organisation", "permission", "deadline", "id"],
                condition=Q(state="open"),
                name="task_open_by_deadline",
            ),
            models.Index(fields=["subject_kind", "subject_id"], condition=Q(state="open"), name="task_open_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} : {self.title}"
