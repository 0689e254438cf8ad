"""Datasets that an organisation opens, and the rows of its « Délibérations » table (SCDL 2.1.5).

The database itself refuses a row whose votes, dates or budget would contradict the national schema, and shows
to the public the rows of published datasets only.
"""

from django.db import models
from django.db.models import F, Q

from parvis.core.organisations.models import TenantModel
from parvis.opendata.formats.scdl_deliberations import COLUMNS

FIELDS = tuple(column.lower() for column in COLUMNS)


class Dataset(TenantModel):
    """One dataset of an organisation: what it holds, its licence and schema, and whether it is online."""

    class Licence(models.TextChoices):
        """The two licences that an administration may choose without homologation (CRPA art. D323-2-1)."""

        LOV2 = "lov2", "Licence Ouverte 2.0"
        ODBL = "odc-odbl", "Open Database License 1.0 (ODbL)"

    slug = models.SlugField("identifiant d’adresse", max_length=80)
    title = models.CharField("titre", max_length=200)
    description = models.TextField("description")
    licence = models.CharField("licence", max_length=12, choices=Licence.choices, default=Licence.LOV2)
    schema_name = models.CharField("schéma", max_length=80, blank=True)
    schema_version = models.CharField("version du schéma", max_length=20, blank=True)
    schema_url = models.URLField("adresse du schéma", blank=True)
    public = models.BooleanField("en ligne", default=True)
    created_at = models.DateTimeField("créé le")
    updated_at = models.DateTimeField("données mises à jour le")

    class Meta:
        verbose_name = "jeu de données"
        verbose_name_plural = "jeux de données"
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["organisation", "slug"], name="opendata_dataset_slug")]

    def __str__(self) -> str:
        return self.title

    @property
    def licence_url(self) -> str:
        """Canonical address of the licence, as harvesters recognise it."""
        return {
            self.Licence.LOV2: "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
            self.Licence.ODBL: "https://opendatacommons.org/licenses/odbl/",
        }[self.Licence(self.licence)]


class OpenRows(models.Manager["DeliberationRow"]):
    """The rows that are in the table: those withdrawn stay in the database, for nobody to reuse."""

    def get_queryset(self) -> models.QuerySet["DeliberationRow"]:
        return super().get_queryset().filter(withdrawn_at__isnull=True)


class DeliberationRow(TenantModel):
    """One deliberation in the open table; the fields bear the names of the schema's columns."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="deliberations")
    route = models.ForeignKey("routing.Route", models.PROTECT, null=True, blank=True, related_name="+")
    coll_nom = models.CharField("collectivité", max_length=200)
    coll_siret = models.CharField("SIRET", max_length=14)
    delib_id = models.CharField("numéro", max_length=60)
    delib_date = models.DateField("date")
    delib_matiere_code = models.CharField("code de matière", max_length=4)
    delib_matiere_nom = models.CharField("matière", max_length=300)
    delib_objet = models.CharField("objet", max_length=1000)
    budget_annee = models.CharField("année du budget", max_length=9, blank=True)
    budget_nom = models.CharField("budget", max_length=200, blank=True)
    pref_id = models.CharField("préfecture", max_length=10, blank=True)
    pref_date = models.DateField("reçue en préfecture le", null=True, blank=True)
    vote_effectif = models.PositiveIntegerField("membres en exercice", null=True, blank=True)
    vote_reel = models.PositiveIntegerField("votants", null=True, blank=True)
    vote_pour = models.PositiveIntegerField("pour", null=True, blank=True)
    vote_contre = models.PositiveIntegerField("contre", null=True, blank=True)
    vote_abstention = models.PositiveIntegerField("abstentions", null=True, blank=True)
    delib_url = models.CharField("adresse de l’acte", max_length=500, blank=True)
    opened_at = models.DateTimeField("ouverte le")
    withdrawn_at = models.DateTimeField("retirée le", null=True, blank=True)

    objects = OpenRows()
    including_withdrawn = models.Manager["DeliberationRow"]()

    class Meta:
        verbose_name = "délibération ouverte"
        verbose_name_plural = "délibérations ouvertes"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "delib_id"], name="opendata_deliberation_once"),
            models.CheckConstraint(
                condition=Q(
                    vote_effectif__isnull=True,
                    vote_reel__isnull=True,
                    vote_pour__isnull=True,
                    vote_contre__isnull=True,
                    vote_abstention__isnull=True,
                )
                # NULL would make the comparisons unknown, and PostgreSQL lets an unknown check pass.
                | Q(
                    vote_pour__isnull=False,
                    vote_contre__isnull=False,
                    vote_abstention__isnull=False,
                    vote_effectif__isnull=False,
                    vote_reel__isnull=False,
                    vote_effectif__gte=F("vote_reel"),
                    vote_reel=F("vote_pour") + F("vote_contre") + F("vote_abstention"),
                ),
                name="opendata_deliberation_vote_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(pref_date__isnull=True) | Q(pref_date__gte=F("delib_date")),
                name="opendata_deliberation_received_after",
            ),
            models.CheckConstraint(
                condition=Q(budget_annee="", budget_nom="") | (~Q(budget_annee="") & ~Q(budget_nom="")),
                name="opendata_deliberation_budget_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["dataset", "-delib_date", "-id"], name="opendata_deliberation_date"),
            models.Index(fields=["dataset", "delib_id", "id"], name="opendata_deliberation_number"),
        ]

    def __str__(self) -> str:
        return f"{self.delib_id} {self.delib_objet}"

    @property
    def matiere_label(self) -> str:
        """Second level of the matière, with a capital: « Intercommunalité »."""
        return self.delib_matiere_nom.rpartition("/")[2].capitalize()

    @property
    def vote_sentence(self) -> str:
        """« 20 pour, 4 contre, 2 abstentions », or « sans vote »."""
        if self.vote_reel is None:
            return "sans vote"
        if not self.vote_contre and not self.vote_abstention:
            return f"à l’unanimité ({self.vote_pour} pour)"
        plural = "s" if (self.vote_abstention or 0) > 1 else ""
        return f"{self.vote_pour} pour, {self.vote_contre} contre, {self.vote_abstention} abstention{plural}"
