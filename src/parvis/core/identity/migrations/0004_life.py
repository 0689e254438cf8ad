"""The life of accounts: profile, links sent by mail, exports, tombstones, namesakes; retention of the events."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import parvis.core.ids
from django.conf import settings
from django.db import migrations, models

from parvis.core.organisations.rowsecurity import EnableAccountSecurity


# Run with the rights of the owner, for what the rows of several people are needed for, and for no more than that.
FUNCTIONS = """
CREATE FUNCTION parvis_same_birth_date(first_account bigint, second_account bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT FROM identity_profileattribute a JOIN identity_profileattribute b USING (name)
        WHERE name = 'naissance_date' AND a.account_id = first_account AND b.account_id = second_account
        AND a.value ->> 'precision' = 'jour' AND a.value ->> 'text' = b.value ->> 'text'
    )
$$;
CREATE FUNCTION parvis_purge_events(before timestamptz, rights_before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH gone AS (
        DELETE FROM identity_securityevent
        WHERE at < CASE WHEN event LIKE 'manager.%' THEN rights_before ELSE before END
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
CREATE FUNCTION parvis_purge_exports(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH gone AS (
        DELETE FROM identity_accountexport WHERE coalesce(expires_at, asked_at + interval '7 days') <= before RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
"""
WITHOUT_FUNCTIONS = """
DROP FUNCTION parvis_purge_exports(timestamptz);
DROP FUNCTION parvis_purge_events(timestamptz, timestamptz);
DROP FUNCTION parvis_same_birth_date(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0003_people"),
        ("organisations", "0002_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountExport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("asked_at", models.DateTimeField()),
                ("done", models.PositiveSmallIntegerField(default=0)),
                ("total", models.PositiveSmallIntegerField(default=0)),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("archive", models.BinaryField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name": "export d’un compte",
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("registration", "Inscription"),
                            ("email", "Changement d’adresse"),
                            ("email_undo", "Annulation d’un changement d’adresse"),
                            ("deletion", "Suppression du compte"),
                        ],
                        max_length=15,
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("email", models.EmailField(max_length=254)),
                ("next", models.CharField(blank=True, max_length=2000)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "lien envoyé par courriel",
            },
        ),
        migrations.CreateModel(
            name="NameKey",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "trigrams",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=3), size=None),
                ),
            ],
            options={
                "verbose_name": "clé de nom",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["trigrams"], name="namekey_trigrams"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Namesake",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("similarity", models.FloatField()),
                ("same_birth_date", models.BooleanField(default=False)),
                ("found_at", models.DateTimeField()),
                ("dismissed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "doublon possible",
            },
        ),
        migrations.CreateModel(
            name="ProfileAttribute",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=30)),
                ("value", models.JSONField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("declare", "Déclaré par vous"),
                            ("franceconnect", "Vérifié par FranceConnect"),
                            ("proconnect", "Vérifié par ProConnect"),
                            ("agent", "Vérifié par un agent"),
                        ],
                        default="declare",
                        max_length=15,
                    ),
                ),
                ("verified_at", models.DateTimeField(null=True)),
                ("verified_by", models.CharField(blank=True, max_length=200)),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "donnée du profil",
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parvis.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("reference", models.CharField(max_length=24, unique=True)),
                ("email_digest", models.CharField(db_index=True, max_length=64)),
                ("reason", models.CharField(max_length=20)),
                ("asked_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(null=True)),
                ("erased", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "trace d’un compte supprimé",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="commune",
            field=models.ForeignKey(
                blank=True,
                help_text="Une préférence, qui ne donne aucun droit.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="organisations.organisation",
                verbose_name="commune préférée",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="deleted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="supprimé le"),
        ),
        migrations.AddField(
            model_name="account",
            name="dormancy_told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="prévenu d’inactivité le"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="account_email_case"
            ),
        ),
        migrations.AddField(
            model_name="accountexport",
            name="account",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="link",
            name="account",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="link",
            name="commune",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="namesake",
            name="dismissed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="namesake",
            name="first",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="namesake",
            name="second",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="profileattribute",
            name="account",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="tombstone",
            name="account",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="tombstone",
            name="link",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="tombstone", to="identity.link"
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(fields=["email", "purpose"], name="link_email"),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(fields=["expires_at"], name="link_expires"),
        ),
        migrations.AddConstraint(
            model_name="namesake",
            constraint=models.UniqueConstraint(fields=("first", "second"), name="namesake_once"),
        ),
        migrations.AddConstraint(
            model_name="namesake",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("second"))), name="namesake_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="profileattribute",
            constraint=models.UniqueConstraint(fields=("account", "name"), name="profile_attribute_once"),
        ),
        migrations.AddConstraint(
            model_name="profileattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("source", "declare"), ("verified_at__isnull", True)),
                    models.Q(models.Q(("source", "declare"), _negated=True), ("verified_at__isnull", False)),
                    _connector="OR",
                ),
                name="profile_attribute_mark",
            ),
        ),
        EnableAccountSecurity(app_label="identity", model_name="profileattribute"),
        EnableAccountSecurity(app_label="identity", model_name="accountexport"),
        migrations.RunSQL(FUNCTIONS, WITHOUT_FUNCTIONS),
    ]
