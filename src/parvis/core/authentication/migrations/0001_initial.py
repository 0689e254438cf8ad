"""Counts of failed tries, and lost second factors."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import parvis.core.ids
from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("identity", "0002_accounts"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("until", models.FloatField(default=0)),
                ("expires", models.FloatField(db_index=True, default=0)),
            ],
            options={"verbose_name": "frein"},
        ),
        migrations.CreateModel(
            name="FactorReset",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="motif")),
                ("in_person", models.BooleanField(default=False, verbose_name="identité vérifiée de visu")),
                (
                    "state",
                    models.CharField(
                        choices=[("asked", "À approuver"), ("done", "Fait"), ("cancelled", "Annulé")],
                        default="asked",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="demandé le")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="terminé le")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
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
                "verbose_name": "remise à zéro d’un second facteur",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "asked")), fields=("account",), name="factorreset_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(
                                ("ended_by__isnull", False), models.Q(("ended_by", models.F("asked_by")), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="factorreset_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account", models.F("asked_by")), _negated=True),
                        name="factorreset_not_oneself",
                    ),
                ],
            },
        ),
        EnableRowSecurity("authentication", "factorreset"),
    ]
