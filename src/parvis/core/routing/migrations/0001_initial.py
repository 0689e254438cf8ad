import django.db.models.deletion
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("documents", "0001_initial"),
        ("organisations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Route",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=30, verbose_name="nature")),
                ("title", models.CharField(max_length=1000, verbose_name="objet")),
                ("reference", models.CharField(max_length=60, verbose_name="numéro")),
                ("facts", models.JSONField(default=dict, verbose_name="faits")),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "En cours"), ("done", "Terminé"), ("failed", "En échec")],
                        default="running",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="ouvert le")),
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
                "verbose_name": "cheminement",
                "indexes": [
                    models.Index(fields=["organisation", "-created_at", "-id"], name="route_recent"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteDocument",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("role", models.CharField(max_length=40)),
                ("label", models.CharField(max_length=200, verbose_name="intitulé")),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
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
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="routing.route"
                    ),
                ),
            ],
            options={
                "verbose_name": "pièce du cheminement",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("route", "role", "document"), name="route_document_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteStep",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("rank", models.PositiveSmallIntegerField()),
                ("code", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "À venir"),
                            ("current", "En cours"),
                            ("done", "Faite"),
                            ("failed", "En échec"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("summary", models.CharField(blank=True, max_length=300, verbose_name="résumé")),
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
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="routing.route"
                    ),
                ),
            ],
            options={
                "verbose_name": "étape",
                "ordering": ["route", "rank"],
                "constraints": [
                    models.UniqueConstraint(fields=("route", "rank"), name="route_step_rank"),
                    models.UniqueConstraint(fields=("route", "code"), name="route_step_code"),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["current", "failed"])),
                        fields=("route",),
                        name="route_one_current_step",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("service", models.CharField(max_length=20)),
                (
                    "verb",
                    models.CharField(help_text="« Signer », « Transmettre »…", max_length=40, verbose_name="action"),
                ),
                ("title", models.CharField(max_length=300, verbose_name="intitulé")),
                ("summary", models.CharField(blank=True, max_length=300, verbose_name="précision")),
                ("permission", models.CharField(max_length=60, verbose_name="permission requise")),
                ("deadline", models.DateTimeField(blank=True, null=True, verbose_name="échéance")),
                ("deadline_rule", models.CharField(blank=True, max_length=200, verbose_name="règle de l’échéance")),
                ("path", models.CharField(max_length=300, verbose_name="adresse")),
                ("subject_kind", models.CharField(max_length=30)),
                ("subject_id", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "À traiter"), ("done", "Traitée")], default="open", max_length=6
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
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
                "verbose_name": "tâche",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["organisation", "permission", "deadline", "id"],
                        name="task_open_by_deadline",
                    ),
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["subject_kind", "subject_id"],
                        name="task_open_subject",
                    ),
                ],
            },
        ),
        EnableRowSecurity(app_label="routing", model_name="route"),
        EnableRowSecurity(app_label="routing", model_name="routestep"),
        EnableRowSecurity(app_label="routing", model_name="routedocument"),
        EnableRowSecurity(app_label="routing", model_name="task"),
    ]
