"""What authentication remembers: failed tries, and second factors that an organisation asks to reset."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import F, Q

from parvis.core.ids import uuid7
from parvis.core.organisations.models import TenantModel

WAITING_TIME: Final = timedelta(hours=24)
"""Between the notice to the holder and the reset, unless the identity of an agent was checked face to face."""


class Throttle(models.Model):
    """Failed tries under one key (a digest): how many, and until when the next one waits. Holds no personal data."""

    key = models.CharField(primary_key=True, max_length=64)
    failures = models.PositiveIntegerField(default=0)
    until = models.FloatField(default=0)
    expires = models.FloatField(default=0, db_index=True)

    class Meta:
        verbose_name = "frein"

    def __str__(self) -> str:
        return f"{self.key[:8]} : {self.failures}"


class Reset(models.Model):
    """The lost factors of one person: asked by another, ended by a third who approves or by whoever turns it down."""

    class State(models.TextChoices):
        ASKED = "asked", "À approuver"
        DONE = "done", "Fait"
        CANCELLED = "cancelled", "Annulé"

    account = models.ForeignKey("identity.Account", models.CASCADE, related_name="+")
    reason = models.CharField("motif", max_length=200)
    state = models.CharField("état", max_length=10, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey("identity.Account", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("demandé le")
    ended_by = models.ForeignKey("identity.Account", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField("terminé le", null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.account} : {self.get_state_display()}"

    @property
    def possible_from(self) -> datetime:
        return self.asked_at + WAITING_TIME


class FactorReset(TenantModel, Reset):
    """The lost second factor of one agent: asked by an administrator of theirs, approved by an operator.

    ``by_platform``: of one who administers alone, for whom an operator asks; a second one approves, and the day always
    passes.
    """

    in_person = models.BooleanField("identité vérifiée de visu", default=False)
    by_platform = models.BooleanField("demandé par l’exploitation de la plateforme", default=False)

    class Meta:
        verbose_name = "remise à zéro d’un second facteur"
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(state="asked"), name="factorreset_one_open"),
            models.CheckConstraint(
                condition=~Q(state="done") | (Q(ended_by__isnull=False) & ~Q(ended_by=F("asked_by"))),
                name="factorreset_four_eyes",
            ),
            models.CheckConstraint(condition=~Q(account=F("asked_by")), name="factorreset_not_oneself"),
            models.CheckConstraint(
                condition=~Q(by_platform=True) | Q(in_person=False), name="factorreset_platform_waits"
            ),
        ]

    @property
    def possible_from(self) -> datetime:
        return self.asked_at if self.in_person else super().possible_from

    @property
    def asker(self) -> str:
        """Who asks, as the holder and the organisation read it."""
        name = self.organisation.name
        return f"L’exploitation de la plateforme, pour {name}," if self.by_platform else name


class OperatorReset(Reset):
    """The lost factors of one who runs the platform: asked by a second operator, approved by a third one.

    Where there is no third, somebody who has the server approves there, and ``approved_on_server`` says who.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    approved_on_server = models.CharField("approuvé sur le serveur par", max_length=200, blank=True)

    class Meta:
        verbose_name = "remise à zéro des facteurs d’un exploitant"
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(state="asked"), name="operatorreset_one_open"),
            models.CheckConstraint(
                condition=~Q(state="done")
                | (Q(ended_by__isnull=True) & ~Q(approved_on_server=""))
                | (Q(ended_by__isnull=False) & ~Q(ended_by=F("asked_by")) & ~Q(ended_by=F("account"))),
                name="operatorreset_four_eyes",
            ),
            models.CheckConstraint(condition=~Q(account=F("asked_by")), name="operatorreset_not_oneself"),
        ]

    @property
    def asker(self) -> str:
        """Who asks, as the holder reads it."""
        return self.asked_by.full_name
