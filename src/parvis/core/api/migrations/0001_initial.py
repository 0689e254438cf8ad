"""API accounts, their secrets, and the meters of their calls."""

import django.contrib.postgres.fields
import django.db.models.deletion
import parvis.core.ids
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableRowSecurity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organisations", "0002_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="Meter",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("window", models.BigIntegerField()),
                ("current", models.IntegerField()),
                ("previous", models.IntegerField()),
            ],
            options={
                "verbose_name": "compteur d’appels",
            },
        ),
        migrations.CreateModel(
            name="ApiAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80, verbose_name="nom")),
                ("contact", models.EmailField(max_length=254, verbose_name="adresse à prévenir")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="droits",
                    ),
                ),
                (
                    "networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=43),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="réseaux admis",
                    ),
                ),
                (
                    "certificate_sha256",
                    models.CharField(blank=True, max_length=64, verbose_name="empreinte du certificat"),
                ),
                (
                    "certificate_subject",
                    models.CharField(blank=True, max_length=300, verbose_name="titulaire du certificat"),
                ),
                ("certificate_until", models.DateTimeField(blank=True, null=True, verbose_name="fin du certificat")),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="dernier jour")),
                ("created_at", models.DateTimeField(verbose_name="créé le")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="dernier appel")),
                (
                    "last_address",
                    models.GenericIPAddressField(blank=True, null=True, verbose_name="adresse du dernier appel"),
                ),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="révoqué le")),
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
                "verbose_name": "compte d’API",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("organisation", "name"),
                        name="apiaccount_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("certificate_sha256", ""), ("certificate_until__isnull", False), _connector="OR"
                        ),
                        name="apiaccount_certificate",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("digest", models.CharField(max_length=64, verbose_name="empreinte")),
                ("hint", models.CharField(max_length=4, verbose_name="fin du secret")),
                ("created_at", models.DateTimeField(verbose_name="créé le")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="valable jusqu’au")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="secrets", to="api.apiaccount"
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
                "verbose_name": "secret d’API",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at__isnull", True)), fields=("account",), name="apisecret_one_current"
                    ),
                ],
            },
        ),
        EnableRowSecurity("api", "apiaccount"),
        EnableRowSecurity("api", "apisecret"),
    ]
