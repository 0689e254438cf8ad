"""Services, own roles, invitations, imports of agents, reviews of the mandates, operators of the platform."""

import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0001_initial"),
        ("identity", "0002_accounts"),
        ("organisations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Department",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120, verbose_name="nom")),
                (
                    "head",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="responsable",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="organisations.department",
                        verbose_name="rattaché à",
                    ),
                ),
            ],
            options={
                "verbose_name": "service",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "name"), name="department_name"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OperatorGrant",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="adresse électronique")),
                ("given_name", models.CharField(max_length=80, verbose_name="prénom")),
                ("family_name", models.CharField(max_length=80, verbose_name="nom")),
                ("proposed_at", models.DateTimeField(verbose_name="proposé le")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="approuvé le")),
                ("refused_at", models.DateTimeField(null=True, verbose_name="écarté le")),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("accepted_at", models.DateTimeField(null=True, verbose_name="accepté le")),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "proposition d’exploitant",
                "ordering": ["-proposed_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="operator_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PeopleImport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("filename", models.CharField(max_length=255, verbose_name="fichier")),
                (
                    "key",
                    models.CharField(
                        choices=[("courriel", "Adresse électronique"), ("matricule", "Matricule")],
                        default="courriel",
                        max_length=12,
                        verbose_name="clé",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("examining", "Examen en cours"),
                            ("examined", "À confirmer"),
                            ("applying", "Import en cours"),
                            ("done", "Terminé"),
                            ("abandoned", "Abandonné"),
                        ],
                        default="examining",
                        max_length=12,
                        verbose_name="état",
                    ),
                ),
                ("encoding", models.CharField(max_length=12, verbose_name="encodage")),
                ("created_at", models.DateTimeField(verbose_name="déposé le")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="commencé le")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="terminé le")),
                ("total", models.PositiveIntegerField(verbose_name="lignes")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="lignes faites")),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "import de personnes",
                "indexes": [
                    models.Index(fields=["organisation", "-created_at"], name="peopleimport_recent"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportLine",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField(verbose_name="ligne")),
                ("values", models.JSONField(default=dict, verbose_name="contenu")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("created", "Créée"),
                            ("updated", "Mise à jour"),
                            ("unchanged", "Inchangée"),
                            ("refused", "Refusée"),
                        ],
                        max_length=10,
                        verbose_name="résultat",
                    ),
                ),
                ("sentence", models.CharField(blank=True, max_length=400, verbose_name="explication")),
                ("applied", models.BooleanField(default=False, verbose_name="appliquée")),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="organisations.peopleimport",
                    ),
                ),
            ],
            options={
                "verbose_name": "ligne d’import",
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="importline_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120, verbose_name="intitulé")),
                ("application", models.CharField(blank=True, max_length=12, verbose_name="périmètre")),
                ("opened_at", models.DateTimeField(verbose_name="ouverte le")),
                ("deadline", models.DateField(verbose_name="à terminer le")),
                ("reminded_on", models.DateField(blank=True, null=True, verbose_name="dernier rappel")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="close le")),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "revue des habilitations",
                "ordering": ["-opened_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("organisation", "application"),
                        name="review_one_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewLine",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("role_code", models.CharField(max_length=60, verbose_name="rôle")),
                ("role_label", models.CharField(max_length=120, verbose_name="intitulé du rôle")),
                ("end_before", models.DateField(blank=True, null=True, verbose_name="fin avant la revue")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("confirmed", "Confirmé"),
                            ("changed", "Date de fin modifiée"),
                            ("revoked", "Retiré"),
                            ("moot", "Terminé entre-temps"),
                        ],
                        max_length=10,
                        verbose_name="décision",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="décidé le")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "mandate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="identity.mandate"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="organisations.review"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "habilitation à revoir",
                "indexes": [
                    models.Index(fields=["review", "reviewer"], name="reviewline_reviewer"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("review", "mandate"), name="reviewline_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("slug", models.SlugField(max_length=60, verbose_name="identifiant")),
                ("label", models.CharField(max_length=120, verbose_name="intitulé")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("permissions", models.JSONField(default=list, verbose_name="droits")),
                (
                    "heads_may_give",
                    models.BooleanField(default=False, verbose_name="les responsables de service peuvent le donner"),
                ),
                ("created_at", models.DateTimeField(verbose_name="créé le")),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "rôle",
                "ordering": ["label"],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "slug"), name="role_slug"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="adresse électronique")),
                ("given_name", models.CharField(max_length=80, verbose_name="prénom")),
                ("family_name", models.CharField(max_length=80, verbose_name="nom")),
                ("role", models.CharField(blank=True, max_length=20, verbose_name="rôle")),
                ("title", models.CharField(blank=True, max_length=120, verbose_name="qualité")),
                ("staff_number", models.CharField(blank=True, max_length=40, verbose_name="matricule")),
                ("start", models.DateField(verbose_name="début")),
                ("end", models.DateField(blank=True, null=True, verbose_name="fin")),
                ("by_platform", models.BooleanField(default=False, verbose_name="envoyée par la plateforme")),
                ("created_at", models.DateTimeField(verbose_name="créée le")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="envoyée le")),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="acceptée le")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="retirée le")),
                (
                    "accepted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="organisations.department",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "own_role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="organisations.role",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "indexes": [
                    models.Index(fields=["organisation", "-created_at"], name="invitation_recent"),
                    models.Index(fields=["organisation", "email"], name="invitation_email"),
                    models.Index(fields=["digest"], name="invitation_digest"),
                ],
            },
        ),
        EnableRowSecurity(app_label="organisations", model_name="department"),
        EnableRowSecurity(app_label="organisations", model_name="role"),
        EnableRowSecurity(app_label="organisations", model_name="invitation"),
        EnableRowSecurity(app_label="organisations", model_name="peopleimport"),
        EnableRowSecurity(app_label="organisations", model_name="importline"),
        EnableRowSecurity(app_label="organisations", model_name="review"),
        EnableRowSecurity(app_label="organisations", model_name="reviewline"),
    ]
