"""Host names under which organisations show their public pages, and the announcements made on homes and desk."""

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q

from parvis.core.organisations.models import Organisation, TenantModel

HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
TEXT_LENGTH = 1000


def validate_host(value: str) -> None:
    """A full host name in lower case without port (RFC 1123), as a browser sends it; not a network address."""
    if not HOST.match(value):
        raise ValidationError(
            f"« {value} » n’est pas un nom de domaine complet : écrivez par exemple « services.juvignac.fr »."
        )


class HostName(models.Model):
    """A host that shows the public pages of one organisation. Which ones do is public: the name service says so."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="hosts", verbose_name="organisation")
    host = models.CharField("nom de domaine", max_length=253, unique=True, validators=[validate_host])
    primary = models.BooleanField("adresse principale", default=False)
    created_at = models.DateTimeField("ajouté le", auto_now_add=True)

    class Meta:
        verbose_name = "nom de domaine"
        ordering = ["host"]
        constraints = [
            models.CheckConstraint(condition=Q(host__regex=r"^[a-z0-9.-]{4,253}$"), name="hostname_shape"),
            models.UniqueConstraint(fields=["organisation"], condition=Q(primary=True), name="hostname_one_primary"),
        ]

    def __str__(self) -> str:
        return self.host


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def shown_on(self, day: date) -> "AnnouncementQuerySet":
        """Those to be read on that day, the gravest and then the newest first."""
        current = self.filter(Q(until__isnull=True) | Q(until__gte=day), since__lte=day, withdrawn_at__isnull=True)
        return current.order_by("level", "-since", "-id")  # « attention » comes before « information »


class Announcement(TenantModel):
    """A few words of an organisation to the public or to its agents, between two days."""

    class Audience(models.TextChoices):
        PUBLIC = "public", "Tout le monde"
        AGENTS = "agents", "Agents et élus"

    class Level(models.TextChoices):
        ATTENTION = "attention", "Attention"
        INFORMATION = "information", "Information"

    title = models.CharField("titre", max_length=120)
    text = models.TextField("texte", max_length=TEXT_LENGTH, validators=[MaxLengthValidator(TEXT_LENGTH)], blank=True)
    audience = models.CharField("pour", max_length=10, choices=Audience.choices, default=Audience.PUBLIC)
    level = models.CharField("niveau", max_length=12, choices=Level.choices, default=Level.INFORMATION)
    everywhere = models.BooleanField("sur les pages de toutes les organisations", default=False)
    since = models.DateField("du")
    until = models.DateField("au", null=True, blank=True)
    created_at = models.DateTimeField("rédigée le")
    withdrawn_at = models.DateTimeField("retirée le", null=True, blank=True)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = "annonce"
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="announcement_dates"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-created_at", "-id"], name="announcement_recent"),
            models.Index(fields=["everywhere"], condition=Q(everywhere=True), name="announcement_everywhere"),
        ]

    def __str__(self) -> str:
        return self.title

    def standing(self, day: date) -> str:
        """« en ligne », « à venir », « terminée » or « retirée » on that day."""
        if self.withdrawn_at:
            return "retirée"
        if self.since > day:
            return "à venir"
        return "terminée" if self.until and self.until < day else "en ligne"
