"""The entities that a person acts for. There is no table of entities: nobody learns who else acts for one."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from parvis.core.entities.numbers import is_rna, spaced
from parvis.core.identity.models import AccountModel


class EntityRoleQuerySet(models.QuerySet["EntityRole"]):
    def in_force(self, on: date) -> "EntityRoleQuerySet":
        """Those in which their holder may act on that day."""
        return self.not_over(on).filter(start__lte=on)

    def not_over(self, on: date) -> "EntityRoleQuerySet":
        """Those in force or to come: the day of its end, a role is over."""
        return self.filter(Q(end__isnull=True) | Q(end__gt=on))


class EntityRole(AccountModel):
    """What one person is in one legal entity, between two dates, with the entity's own identifiers."""

    class Kind(models.TextChoices):
        COMPANY = "entreprise", "Entreprise"
        ASSOCIATION = "association", "Association"
        OTHER = "autre", "Autre organisme"

    class Role(models.TextChoices):
        REPRESENTATIVE = "representant", "Représentant légal"
        EMPLOYEE = "salarie", "Salarié habilité"
        VOLUNTEER = "benevole", "Bénévole habilité"
        AGENT = "mandataire", "Mandataire"
        UNSAID = "non_precise", "Rôle non précisé"

    class Source(models.TextChoices):
        DECLARED = "declare", "Déclaré"
        PROCONNECT = "proconnect", "ProConnect"

    number = models.CharField("SIRET ou numéro RNA", max_length=14)
    name = models.CharField("nom", max_length=200, blank=True)
    kind = models.CharField("nature", max_length=12, choices=Kind.choices)
    role = models.CharField("rôle", max_length=12, choices=Role.choices)
    start = models.DateField("début")
    end = models.DateField("fin", null=True, blank=True)
    source = models.CharField("source", max_length=12, choices=Source.choices, default=Source.DECLARED)
    verified_at = models.DateTimeField("vérifié le", null=True, blank=True)
    verified_by = models.CharField("vérifié par", max_length=200, blank=True)
    role_verified = models.BooleanField("rôle vérifié aussi", default=False)
    created_at = models.DateTimeField("ajouté le")

    objects = EntityRoleQuerySet.as_manager()

    class Meta:
        verbose_name = "rôle dans une entreprise ou une association"
        ordering = ["name", "number", "start"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "number"], condition=Q(end__isnull=True), name="entity_role_once"
            ),
            models.CheckConstraint(condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="entity_role_dates"),
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True, role_verified=False)
                | (Q(verified_at__isnull=False) & ~Q(source="declare")),
                name="entity_role_mark",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=r"^[0-9]{14}$") | Q(number__regex=r"^W[0-9A-Z]{9}$", kind="association"),
                name="entity_role_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} : {self.get_role_display()}"

    @property
    def title(self) -> str:
        """What the entity is called: its name, else its number."""
        return self.name or self.shown_number

    @property
    def scheme(self) -> str:
        return "RNA" if is_rna(self.number) else "SIRET"

    @property
    def shown_number(self) -> str:
        """« SIRET 732 829 320 00074 »."""
        return f"{self.scheme}\u00a0{spaced(self.number)}"

    @property
    def described(self) -> str:
        """All that a site is told of it, in words: « Négoce, SIRET 732 829 320 00074, salarié habilité (déclaré) »."""
        named = [self.name, self.shown_number, self.get_role_display().lower()]
        return f"{', '.join(part for part in named if part)} ({self.mark})"

    @property
    def verified(self) -> bool:
        """True when somebody else than the person answers that they belong to the entity."""
        return self.verified_at is not None

    @property
    def mark(self) -> str:
        """Where the role comes from, in the words of a chip."""
        if self.verified:
            return f"vérifié par {self.get_source_display()}"
        return "déclaré" if self.source == self.Source.DECLARED else f"transmis par {self.get_source_display()}"

    def is_over(self, on: date) -> bool:
        return self.end is not None and self.end <= on

    def is_in_force(self, on: date) -> bool:
        return self.start <= on and not self.is_over(on)
